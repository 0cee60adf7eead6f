//go:build unix

package jupyter

import "syscall"

// hasUnread tells whether bytes wait in the connection fd.
func hasUnread(fd uintptr) bool {
	var b [1]byte
	n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == nil && n > 0
}
