package live

import (
	"syscall"
	"time"
	"unsafe"
)

// settle waits a moment until the session has read what was written to a pipe,
// so that the order of what goes to different pipes is kept.
func settle(fd uintptr) {
	const fionread = 0x541b
	for deadline := time.Now().Add(100 * time.Millisecond); time.Now().Before(deadline); time.Sleep(20 * time.Microsecond) {
		var n int32
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, fionread, uintptr(unsafe.Pointer(&n))); errno != 0 || n == 0 {
			return
		}
	}
}
