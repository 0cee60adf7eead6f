//go:build unix

package jupyter

import (
	"io"
	"syscall"
)

// Read takes what has arrived, and notes so in the same step.
func (a arrivals) Read(b []byte) (int, error) {
	if a.raw == nil {
		return a.Conn.Read(b)
	}
	var n int
	var err error
	waitErr := a.raw.Read(func(fd uintptr) bool {
		a.arriving.Lock()
		defer a.arriving.Unlock()
		for {
			n, err = syscall.Read(int(fd), b)
			if err != syscall.EINTR {
				break
			}
		}
		if n > 0 {
			a.open = true
		}
		return err != syscall.EAGAIN
	})
	switch {
	case waitErr != nil:
		return 0, waitErr
	case err != nil:
		return 0, err
	case n == 0 && len(b) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// unread tells whether bytes wait in the network.
func (s *stream) unread() bool {
	if s.raw == nil {
		return false
	}
	n := 0
	err := s.raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, _ = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return err == nil && n > 0
}
