// Package widgets shows the widgets of package ipywidgets from Go: sliders, buttons,
// a progress bar, an area for outputs. A widget is shown by standing last in a cell, or
// by Display; while later cells run, and between them, it goes on calling what was
// given to it.
//
// A front end that has ipywidgets' part of it (package jupyterlab_widgets in
// JupyterLab, which comes with pip install ipywidgets) draws it. Others, and pages and
// notebooks that were saved, show a line of text, which for a progress bar goes on
// with it. The protocol is version 2.1.0 of
// https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/schema/messages.md,
// with the models of ipywidgets 8.
//
// What a person moves to change a figure is package display's: display.Interact with its
// display.Slider, which needs no extension.
//
// GoNB's package gonbui/widgets has sliders, buttons and selections that need no
// extension, but a page that runs JavaScript.
package widgets
