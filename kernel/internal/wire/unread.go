//go:build unix

package wire

import (
	"runtime"
	"syscall"
	"unsafe"
)

// Unread returns how many bytes a pipe holds, given the descriptor of either end,
// and 0 where that cannot be told.
func Unread(fd int) int {
	request := uintptr(0x541b) // FIONREAD
	if runtime.GOOS != "linux" {
		request = 0x4004667f
	}
	var n int32
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&n))); errno != 0 {
		return 0
	}
	return int(n)
}
