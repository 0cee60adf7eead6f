// Package experiment is what makes of a notebook an experiment that others can run
// again: parameters that are given from outside, sweeps over them, and a lock of
// all that an execution rests on.
//
// A lock and parameters stand in the notebook's metadata, under "nnkit". The
// package executes nothing by itself and knows no neural network: what a training
// has measured it reads from the run log that the training wrote.
package experiment
