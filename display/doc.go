// Package display draws what training does: curves of loss and metrics, histograms of weights, and a live picture
// of a run. A call returns a [Figure]; as the last expression of a notebook cell it shows itself, and in any Go
// program it can be saved as SVG, PNG or PDF.
//
// Figures are drawn by gonum/plot. Each lies on a card of its own, so that it reads the same on a light and on a
// dark page, and each gives out its plots for those who want to change them. What cannot be drawn (an empty history,
// a series of NaN) is said in words on the figure; nothing here panics because of data.
//
// The pictures are made from plain series; one file, training.go, knows nnkit. The package leaves out interaction:
// for sliders and buttons use gonbui's widgets and draw again.
package display
