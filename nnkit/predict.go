package nnkit

import "errors"

// Evaluate judges the model by rows x and their truth y: loss and compiled metrics, exact means over all rows.
func (m *Model) Evaluate(x, y any) (*Scores, error) { return nil, errors.New("Evaluate: not there yet") }

// Predict returns the outputs for one row or many, a row of the tensor for each.
func (m *Model) Predict(x any) (*Tensor, error) { return nil, errors.New("Predict: not there yet") }
