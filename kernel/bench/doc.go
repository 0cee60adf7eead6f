// Bench measures how fast cells are, in this kernel and in GoNB.
//
//	go run ./kernel/bench [--json] [--case NAME,…] [--rounds N]
//
// Both kernels run on this machine in the same minutes and take turns, so that
// what else the machine does slows both. They are talked to as Jupyter talks to
// them, and what counts is the time from a request to the kernel being idle again.
// What a cell prints is checked. The figures are medians.
//
// This kernel is built from the clone; GoNB, goimports and gopls, which it runs
// with, are built as tools of throw-away modules, in the versions of gonb.go. GoNB
// is spared the "go get" that it otherwise does for every cell. What either does
// once and keeps (compiled packages, linked libraries) is done before the clock
// starts.
//
// The table goes to standard output, or with --json an object for each case:
//
//	case      trivial, plot, again, complete, complete-first, complete-inspect,
//	          start, runall, growth or memory; --case complete means all three
//	ours_ms   this kernel's figure; for memory it is megabytes a cell, as unit says
//	gonb_ms   GoNB's; null where it is not measured
//	fifth_ms  of growth: the fifth cell's figure, where ours_ms is the 500th's
//	ratio     ours to GoNB's; of growth the 500th's to the fifth's; of memory
//	          ours to one megabyte
//	unit      "ms" or "MB a cell"
//	what      what was measured, in words
//
// A case that fails says so, the others still run, and the exit status is 1.
//
// It leaves out what a machine that is busy does to one run: run it again.
package main
