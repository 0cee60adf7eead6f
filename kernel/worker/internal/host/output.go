//go:build linux && amd64 && cgo

package host

import (
	"errors"
	"os"
	"syscall"
)

// output is where the worker's standard output and error lead. A cell that
// closes them, as a program may before it ends, does not make the cells after
// it mute.
type output struct {
	files [2]**os.File
	kept  [2]int // descriptors of the pipes, -1 where there is none
}

func keepOutput() *output {
	o := &output{files: [2]**os.File{&os.Stdout, &os.Stderr}}
	for i := range o.kept {
		// High above what programs count on, and not for those that cells start.
		o.kept[i] = duplicate(i+1, 100)
	}
	return o
}

// mend opens what a cell has closed.
func (o *output) mend() {
	for i, f := range o.files {
		_, err := (*f).Stat()
		if err == nil || o.kept[i] < 0 {
			continue
		}
		fd := duplicate(o.kept[i], i+1)
		switch {
		case fd == i+1: // and programs that cells start get it
			_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_SETFD, 0)
		case !errors.Is(err, os.ErrClosed):
			_ = syscall.Close(fd)
		}
		if errors.Is(err, os.ErrClosed) {
			*f = os.NewFile(uintptr(fd), (*f).Name())
		}
	}
}

// duplicate makes a descriptor, the first free one from least on, for what fd is
// for. It returns -1 where fd is closed.
func duplicate(fd, least int) int {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, uintptr(least))
	if errno != 0 {
		return -1
	}
	return int(n)
}
