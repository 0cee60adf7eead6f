package data

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func ExampleReadCSV() {
	const passengers = `name,age,port,survived
"Braund, Owen",22,S,no
"Cumings, Florence",,C,yes
"Heikkinen, Laina",26,S,yes
`
	d, err := ReadCSV(strings.NewReader(passengers), CSVOptions{Name: "Passengers", Drop: []string{"name"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d)
	fill, err := Impute(d.X, Mean)
	if err != nil {
		fmt.Println(err)
		return
	}
	if d, err = d.Apply(fill); err != nil {
		fmt.Println(err)
		return
	}
	d, err = d.Apply(OneHotFeatures(d.Features))
	fmt.Println(d, err)
	// Output:
	// Passengers: 3 rows, 2 features
	//   age  port  survived
	//    22     S        no
	//   NaN     C       yes
	//    26     S       yes
	// Passengers: 3 rows, 3 features
	//   age  port=C  port=S  survived
	//    22       0       1        no
	//    24       1       0       yes
	//    26       0       1       yes <nil>
}

func TestReadCSV(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		name, text string
		o          CSVOptions
		features   []string
		classes    []string // of the target
		x          [][]float64
		y          []float64
	}{
		{"mark of byte order, blanks, exponents", "\uFEFFa, b\r\n1e3 , -2.5\r\n", CSVOptions{}, []string{"a"}, nil, [][]float64{{1000}}, []float64{-2.5}},
		{"target by name", "a,b,c\n1,2,3\n4,5,6\n", CSVOptions{Target: "b"}, []string{"a", "c"}, nil, [][]float64{{1, 3}, {4, 6}}, []float64{2, 5}},
		{"no header", "1;2\n3;4\n", CSVOptions{NoHeader: true, Comma: ';'}, []string{"0"}, nil, [][]float64{{1}, {3}}, []float64{2, 4}},
		{"names", "1,x\n3,y\n", CSVOptions{Names: []string{"n", "letter"}}, []string{"n"}, []string{"x", "y"}, [][]float64{{1}, {3}}, []float64{0, 1}},
		{"categories by order", "c,y\nred,1\nblue,2\nred,3\n", CSVOptions{}, []string{"c"}, nil, [][]float64{{1}, {0}, {1}}, []float64{1, 2, 3}},
		{"numbers as categories", "zip,y\n10115,1\n01067,2\n", CSVOptions{Categories: []string{"zip"}}, []string{"zip"}, nil, [][]float64{{1}, {0}}, []float64{1, 2}},
		{"missing", "a,c,y\n?,x,1\n2,NA,2\n", CSVOptions{}, []string{"a", "c"}, nil, [][]float64{{nan, 0}, {2, nan}}, []float64{1, 2}},
		{"missing as said", "a,y\n-999,1\n2,2\n", CSVOptions{Missing: []string{"-999"}}, []string{"a"}, nil, [][]float64{{nan}, {2}}, []float64{1, 2}},
		{"quoted lines", "a,y\n\"one\ntwo\",1\nb,2\n", CSVOptions{}, []string{"a"}, nil, [][]float64{{1}, {0}}, []float64{1, 2}},
	} {
		d, err := ReadCSV(strings.NewReader(test.text), test.o)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if fmt.Sprint(d.X) != fmt.Sprint(test.x) || !reflect.DeepEqual(d.Y, test.y) || !reflect.DeepEqual(d.Names(), test.features) ||
			!reflect.DeepEqual(d.Target.Classes, test.classes) {
			t.Errorf("%s: %v %v %v %v", test.name, d.Names(), d.Target.Classes, d.X, d.Y)
		}
	}
	d := must(ReadCSV(strings.NewReader("a,y\n1,2\n,3\n4,\n5,6\n"), CSVOptions{}))(t).DropMissing()
	if fmt.Sprint(d.X, d.Y) != "[[1] [5]] [2 6]" {
		t.Errorf("DropMissing leaves %v %v", d.X, d.Y)
	}
	path := filepath.Join(t.TempDir(), "flowers.csv")
	if err := os.WriteFile(path, []byte("a,y\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if d := must(LoadCSV(path, CSVOptions{}))(t); d.Name != "flowers.csv" || d.Len() != 1 {
		t.Errorf("LoadCSV: %v", d)
	}
}

func TestCSVErrors(t *testing.T) {
	mostly := "a,y\n" + strings.Repeat("1,2\n", 20) + "1;5,2\n"
	for _, test := range []struct {
		text string
		o    CSVOptions
		want string
	}{
		{"", CSVOptions{}, "there is nothing in it"},
		{"a,b\n", CSVOptions{}, "there is a header, but no data"},
		{"a,b\n1,2\n1,2,3\n", CSVOptions{}, "line 3 has 3 fields and line 1 has 2"},
		{"1,2\n3,4\n", CSVOptions{}, "line 1 should name the columns and is all numbers: set NoHeader or Names"},
		{"a,b\n1,\"x\n", CSVOptions{}, `line 2, column 6: extraneous or missing " in quoted-field`},
		{"a,b\n1,2\n", CSVOptions{Target: "c"}, `Target names the column "c", which is not there; there are a, b`},
		{"a,b\n1,2\n", CSVOptions{Drop: []string{"c"}}, `Drop names the column "c", which is not there; there are a, b`},
		{"a,b\n1,2\n", CSVOptions{Drop: []string{"b"}}, `the column "b" is the target, and cannot be dropped`},
		{"a,b\n1,2\n", CSVOptions{Drop: []string{"a"}}, `there is no column beside the target "b"`},
		{"a,a\n1,2\n", CSVOptions{}, `columns 1 and 2 (counted from 1) are both called "a"`},
		{"1,2\n", CSVOptions{Names: []string{"a"}}, "Names has 1 names for 2 columns"},
		{"a,b\nx,2\n", CSVOptions{Numbers: []string{"a"}}, `line 2, column "a": "x" is no number`},
		{mostly, CSVOptions{}, `line 22, column "a": "1;5" is no number, though 20 of 21 values are`},
	} {
		_, err := ReadCSV(strings.NewReader(test.text), test.o)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q %+v: the error is %v, want %q in it", test.text, test.o, err, test.want)
		}
	}
	if _, err := LoadCSV("testdata/none.csv", CSVOptions{}); err == nil || !strings.Contains(err.Error(), "LoadCSV: open testdata/none.csv") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Whatever the text, a table is whole: all rows have a number for each feature.
func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,2\n", "", false)
	f.Add("name;age\n\"x;y\";3\n", "name", true)
	f.Fuzz(func(t *testing.T, text, target string, noHeader bool) {
		d, err := ReadCSV(strings.NewReader(text), CSVOptions{Target: target, NoHeader: noHeader})
		if err != nil {
			return
		}
		if len(d.Y) != len(d.X) {
			t.Fatalf("%d rows and %d targets", len(d.X), len(d.Y))
		}
		for i, row := range d.X {
			if len(row) != len(d.Features) {
				t.Fatalf("row %d has %d numbers of %d features", i, len(row), len(d.Features))
			}
		}
		_ = d.String() + d.HTML()
	})
}
