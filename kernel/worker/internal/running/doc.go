// Package running runs cells in a worker: it knows which goroutine belongs to
// which cell, and how a cell has ended.
//
// A goroutine inherits the profiler labels of the one that started it. Each run
// of a cell has a set of labels of its own, so the pointer to the labels tells a
// goroutine's cell, even long after the cell has ended. (A goroutine that sets
// other labels is nobody's, and is not stopped by an interrupt.)
package running
