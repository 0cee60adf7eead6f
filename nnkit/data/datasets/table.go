package datasets

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit/data"
)

// Iris loads the measures of 150 flowers of three species (R. A. Fisher, The use of multiple measurements in taxonomic
// problems, 1936; the file of the UCI Machine Learning Repository, in which two flowers differ from Fisher's article).
func Iris(options ...Option) (*data.Dataset, error) {
	return table(newDownload(options), irisFile, data.Dataset{
		Name: "Iris",
		Features: []data.Feature{
			{Name: "sepal length", Unit: "cm"},
			{Name: "sepal width", Unit: "cm"},
			{Name: "petal length", Unit: "cm"},
			{Name: "petal width", Unit: "cm"},
		},
		Target: data.Feature{Name: "species"},
	})
}

var irisFile = file{
	name: "iris.data", url: "https://archive.ics.uci.edu/ml/machine-learning-databases/iris/iris.data", size: 4551,
	sha256: "6f608b71a7317216319b4d27b4d9bc84e6abd734eda7872b71a458569e2656c0",
}

// Pima loads what was measured of 768 women of Pima heritage, and whether diabetes was found within five years (J. W.
// Smith and others, Using the ADAP learning algorithm to forecast the onset of diabetes mellitus, 1988). Where glucose,
// pressure, skin, insulin or bmi is 0 it was not measured.
func Pima(options ...Option) (*data.Dataset, error) {
	return table(newDownload(options), pimaFile, data.Dataset{
		Name: "Pima",
		Features: []data.Feature{
			{Name: "pregnancies", About: "Number of pregnancies."},
			{Name: "glucose", Unit: "mg/dL", About: "Plasma glucose two hours after an oral glucose tolerance test."},
			{Name: "pressure", Unit: "mmHg", About: "Diastolic blood pressure."},
			{Name: "skin", Unit: "mm", About: "Thickness of the skin fold at the triceps."},
			{Name: "insulin", Unit: "µU/mL", About: "Serum insulin after two hours."},
			{Name: "bmi", Unit: "kg/m²", About: "Body mass index: weight over height squared."},
			{Name: "pedigree", About: "What the diabetes of relatives says."},
			{Name: "age", Unit: "years"},
		},
		Target: data.Feature{Name: "diabetes", About: "1 if diabetes was found within five years, else 0."},
	})
}

// The checksum is that of the file in the repository's history.
var pimaFile = file{
	name: "pima-indians-diabetes.data.csv",
	url:  "https://raw.githubusercontent.com/jbrownlee/Datasets/master/pima-indians-diabetes.data.csv", size: 23278,
	sha256: "6bfe5d0f379d17a0e0819b996407e3c09bf80febd4287f2ed212190dfff154af",
}

// table reads a file without a header, whose columns are described already.
func table(d *download, f file, described data.Dataset) (*data.Dataset, error) {
	path, err := d.get(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", described.Name, err)
	}
	read, err := data.LoadCSV(path, data.CSVOptions{Names: append(described.Names(), described.Target.Name)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", described.Name, err)
	}
	read.Name, read.Features = described.Name, described.Features
	described.Target.Classes = read.Target.Classes
	read.Target = described.Target
	return read, nil
}
