package running

import "unsafe"

// Lookup returns the address of a symbol among the loaded libraries, or nil. The
// host sets it.
var Lookup func(symbol string) unsafe.Pointer
