package live

import (
	"sync"
	"unsafe"

	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

var carried sync.Map // symbols that have got their value

// Carry returns where the variable from lies, if the variable to, a later
// version of it of the same layout, has not got its value yet; otherwise nil.
// Both are symbols. Generated text copies the value.
func Carry(from, to string) unsafe.Pointer {
	if _, done := carried.LoadOrStore(to, true); done {
		return nil
	}
	return running.Lookup(from)
}
