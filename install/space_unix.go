//go:build linux || darwin

package main

import "syscall"

// freeSpace is how many bytes the user can still write to a folder's disk.
func freeSpace(dir string) (uint64, bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}
