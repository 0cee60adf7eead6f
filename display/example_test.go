package display_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed5607215b/nnkit/display"
)

// A history from anywhere: a validation series has the name of its training series behind "val_".
func ExampleCurve() {
	figure := display.Curve(display.Metrics{
		"loss":     {0.69, 0.58, 0.51, 0.46, 0.43},
		"val_loss": {0.68, 0.60, 0.55, 0.54, 0.56},
	}, display.Title("First network"))
	fmt.Println(figure)
	// Output: First network: loss over 5 epochs; loss best validation 0.5400 at epoch 4
}

func ExampleHistograms() {
	figure := display.Histograms([]display.Sample{
		{Group: "hidden", Name: "kernel", Values: []float64{-0.4, -0.1, 0, 0.1, 0.1, 0.3}},
		{Group: "hidden", Name: "bias", Values: []float64{0, 0, 0}},
	}, display.Size(600, 240))
	fmt.Println(figure)
	// Output: histograms of 2 sets of values: hidden kernel: n 6, mean 0 ± 0.216; hidden bias: n 3, all 0
}

func ExampleFigure_Save() {
	dir, err := os.MkdirTemp("", "figure")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	figure := display.Curve(display.Metrics{"loss": {3, 2, 1}}, display.Dark)
	fmt.Println(figure.Save(filepath.Join(dir, "loss.pdf")))
	fmt.Println(figure.Save("loss.gif"))
	// Output:
	// <nil>
	// save figure to "loss.gif": the extension ".gif" names no format; write .svg, .png or .pdf
}

// The plots of a figure are gonum's and can be changed before it is drawn.
func ExampleFigure_Plots() {
	figure := display.Curve(display.Metrics{"loss": {3, 2, 1}})
	for _, p := range figure.Plots() {
		p.X.Label.Text = "pass over the data"
		p.Y.Min = 0
	}
	figure.Show() // outside a notebook a line of text
	// Output: loss over 3 epochs; loss best training 1.0000 at epoch 3
}
