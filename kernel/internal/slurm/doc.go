// Package slurm speaks to the scheduler of a cluster by Slurm's own commands: it
// submits arrays of tasks and asks what has become of them.
//
// It keeps nothing: an array is known by the name of its jobs, also if a person has
// submitted its script by hand. It asks squeue alone, so it works where no accounting
// is set up.
package slurm
