package session

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Whether a program that is not ours waits for a line nobody can see from its pipe.
// Linux tells which system call each thread is in, and with which arguments: a read of
// the pipe's other end, or a wait for several descriptors that it is among. What waits
// by poll or select is not found: which descriptors that is about is in its memory.

// calls are the numbers of the system calls, by the architecture.
var calls = map[string]struct {
	read  string
	epoll []string
}{
	"amd64": {"0", []string{"232", "281", "441"}},
	"arm64": {"63", []string{"22", "441"}},
}

// waitsFor tells whether a process, or one that it has started, waits for something to
// read from a pipe, and whether that can be known.
func waitsFor(process int, pipe *os.File) (waits, known bool) {
	call, ok := calls[runtime.GOARCH]
	info, err := pipe.Stat()
	if err != nil || !ok {
		return false, false
	}
	name := fmt.Sprintf("pipe:[%d]", info.Sys().(*syscall.Stat_t).Ino)
	for _, pid := range family(process) {
		dir := "/proc/" + strconv.Itoa(pid)
		isPipe := func(fd string) bool {
			to, err := os.Readlink(dir + "/fd/" + fd)
			return err == nil && to == name
		}
		files, _ := filepath.Glob(dir + "/task/*/syscall")
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			known = true
			fields := strings.Fields(string(text)) // "0 0x3 …" is read(3, …)
			if len(fields) < 2 {
				continue
			}
			fd, err := strconv.ParseUint(fields[1], 0, 32)
			if err != nil {
				continue
			}
			switch {
			case fields[0] == call.read && isPipe(strconv.FormatUint(fd, 10)):
				return true, true
			case slices.Contains(call.epoll, fields[0]) && polls(fmt.Sprintf("%s/fdinfo/%d", dir, fd), isPipe):
				return true, true
			}
		}
	}
	return false, known
}

// polls tells whether an epoll descriptor waits for something to read from a file:
// lines of "tfd: 0 events: 19 …", in hexadecimal digits.
func polls(info string, is func(fd string) bool) bool {
	const readable = 1 // EPOLLIN
	text, err := os.ReadFile(info)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 4 || f[0] != "tfd:" {
			continue
		}
		if events, err := strconv.ParseUint(f[3], 16, 32); err == nil && events&readable != 0 && is(f[1]) {
			return true
		}
	}
	return false
}

// family are a process and all that it has started, as far as the system tells.
func family(process int) []int {
	all := []int{process}
	for i := 0; i < len(all); i++ {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		for _, list := range lists {
			text, _ := os.ReadFile(list) // it may have ended
			for child := range bytes.FieldsSeq(text) {
				if pid, err := strconv.Atoi(string(child)); err == nil {
					all = append(all, pid)
				}
			}
		}
	}
	return all
}
