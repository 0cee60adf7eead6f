package nnkit_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

// The founding example as it is typed into a cell, where the errors that are left out here need not even be named.
func Example_founding() {
	clinic := data.Clinic(1)
	scale, _ := data.Standardize(clinic.X)
	x, _ := scale.Apply(clinic.X)
	model := nnkit.Sequential(
		nnkit.Dense(10, nnkit.ReLU),
		nnkit.Dense(8, nnkit.ReLU),
		nnkit.Dense(1, nnkit.Sigmoid),
	)
	model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy)
	history, _ := model.Fit(x, clinic.Y, nnkit.Epochs(10), nnkit.BatchSize(32), nnkit.Verbose(0))
	fmt.Printf("%.4f\n", history.Last("accuracy"))
	// Output: 0.8008
}

// It has at most 12 lines.
func TestFoundingExampleIsShort(t *testing.T) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "founding_test.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "Example_founding" {
			continue
		}
		first, last := f.Body.List[0], f.Body.List[len(f.Body.List)-1]
		if lines := files.Position(last.End()).Line - files.Position(first.Pos()).Line + 1; lines > 12 {
			t.Errorf("the founding example has %d lines", lines)
		}
		return
	}
	t.Error("there is no founding example")
}
