package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// Bytes that compiled packages take: with nnkit, gonum and plot, in the caches of the
// kernel and of the go command together, a little more than 1 GB.
const spaceNeeded = 2 << 30

// checkCache looks whether compiled packages can be kept, and whether there is room.
func checkCache() finding {
	f := finding{what: "cache", remedy: "set XDG_CACHE_HOME to a folder that you may write to"}
	dir, err := os.UserCacheDir()
	if err != nil {
		f.lacks, f.remedy = err.Error(), "set HOME, or XDG_CACHE_HOME"
		return f
	}
	dir = filepath.Join(dir, kernelName)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		f.lacks = fmt.Sprintf("%s cannot be made: %v", dir, reason(err))
		return f
	}
	trial, err := os.CreateTemp(dir, ".check-")
	if err != nil {
		f.lacks = fmt.Sprintf("%s cannot be written to: %v", dir, reason(err))
		return f
	}
	trial.Close()
	os.Remove(trial.Name())
	f.found = fmt.Sprintf("%s, %s in it", dir, bytesText(sizeOf(dir)))
	if free, ok := freeSpace(dir); ok {
		f.found += fmt.Sprintf(", %s free", bytesText(free))
		if free < spaceNeeded && sizeOf(dir) < spaceNeeded/4 {
			f.found, f.spare = "", true
			f.lacks = fmt.Sprintf("%s has %s free, and compiled packages take up to %s", dir, bytesText(free), bytesText(spaceNeeded))
			f.remedy = "make room, or set XDG_CACHE_HOME and GOCACHE to a folder on another disk"
		}
	}
	return f
}

// sizeOf is how many bytes the files in a folder have.
func sizeOf(dir string) uint64 {
	var size uint64
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				size += uint64(info.Size())
			}
		}
		return nil // what cannot be read does not count
	})
	return size
}

func bytesText(n uint64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%d MB", (n+1<<19)>>20)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
}
