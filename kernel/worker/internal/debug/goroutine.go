package debug

import (
	"bytes"
	"runtime"
	"strconv"
)

// number is that of the calling goroutine, by which people know it. The runtime walks
// the whole stack for it, so it is for rare use.
func number() int64 {
	var buffer [40]byte
	text := bytes.TrimPrefix(buffer[:runtime.Stack(buffer[:], false)], []byte("goroutine "))
	digits, _, _ := bytes.Cut(text, []byte(" "))
	id, _ := strconv.ParseInt(string(digits), 10, 64)
	return id
}
