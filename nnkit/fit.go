package nnkit

import "errors"

// Fit trains the model and returns the history, one entry for each epoch.
func (m *Model) Fit(x, y any, options ...FitOption) (*History, error) {
	return nil, errors.New("Fit: not there yet")
}
