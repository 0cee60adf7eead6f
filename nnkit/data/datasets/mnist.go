package datasets

import (
	"fmt"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

// MNIST loads 70,000 handwritten digits of 28×28 pixels, 60,000 of them to train on (Y. LeCun, C. Cortes and C. J. C.
// Burges, 1998; 12 MB). X has the shape (rows, 28, 28, 1) and goes from 0, paper, to 1, ink; Y is the digit.
func MNIST(options ...Option) (train, test *data.Examples, err error) {
	return mnist(newDownload(options), "MNIST", mnistFiles, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})
}

// FashionMNIST loads 70,000 pictures of clothes, in the form of MNIST but harder (H. Xiao, K. Rasul and R. Vollgraf,
// Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms, 2017; 31 MB).
func FashionMNIST(options ...Option) (train, test *data.Examples, err error) {
	return mnist(newDownload(options), "FashionMNIST", fashionFiles, []string{
		"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
	})
}

// The checksums are those that torchvision compares with.
var (
	mnistFiles = idxFiles("mnist", "https://storage.googleapis.com/cvdf-datasets/mnist/", [4]file{
		{size: 9912422, sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
		{size: 28881, sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
		{size: 1648877, sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
		{size: 4542, sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
	})
	fashionFiles = idxFiles("fashion-mnist", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", [4]file{
		{size: 26421880, sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
		{size: 29515, sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
		{size: 4422102, sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
		{size: 5148, sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"},
	})
)

// idxFiles gives the four files of a set in MNIST's form their names, which are the same for every set.
func idxFiles(set, base string, files [4]file) [4]file {
	for i, name := range []string{
		"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz",
	} {
		files[i].name, files[i].url = set+"-"+name, base+name
	}
	return files
}

func mnist(d *download, name string, files [4]file, classes []string) (train, test *data.Examples, err error) {
	var parts [4]*nnkit.Tensor
	for i, f := range files {
		path, err := d.get(f)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		if parts[i], err = data.LoadIDX(path); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if train, err = idxExamples(name+" (train)", parts[0], parts[1], classes); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	if test, err = idxExamples(name+" (test)", parts[2], parts[3], classes); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return train, test, nil
}

// idxExamples makes pictures from 0 to 1 of bytes.
func idxExamples(name string, images, labels *nnkit.Tensor, classes []string) (*data.Examples, error) {
	shape := images.Shape()
	if len(shape) != 3 || labels.Len() != shape[0] {
		return nil, fmt.Errorf("the pictures have the shape %v and the labels %v", shape, labels.Shape())
	}
	pixels := images.Data()
	for i, v := range pixels {
		pixels[i] = v / 255
	}
	x, err := nnkit.NewTensor(pixels, shape[0], shape[1], shape[2], 1)
	if err != nil {
		return nil, err
	}
	return &data.Examples{Name: name, X: x, Y: labels, Classes: classes}, nil
}
