// Package data makes data ready for training: it generates sets to learn by, splits them and standardizes them.
//
//	patients := data.Clinic(1)
//	train, test, err := patients.Split(0.8, 1)
//	scale, err := data.Standardize(train.X)
//	x, err := scale.Apply(train.X)
//
// All that is random follows from a seed by the package's own generator, so that the same call gives the same numbers,
// to the bit, on every machine. The package leaves out, for now, reading files.
package data
