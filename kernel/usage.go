//go:build soak

package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
)

// The soak test asks the kernel under test what it takes: by SIGUSR1, in the file
// that a variable of the environment names.
func init() {
	name := os.Getenv("NNKIT_USAGE")
	if name == "" {
		return
	}
	if os.Getenv("NNKIT_PROFILE") != "" {
		runtime.MemProfileRate = 4096
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			runtime.GC() // and once more: what waits in a sync.Pool goes then
			debug.FreeOSMemory()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			text, err := json.Marshal(map[string]uint64{"goroutines": uint64(runtime.NumGoroutine()), "heap": m.HeapAlloc})
			if profile := os.Getenv("NNKIT_PROFILE"); profile != "" {
				err = errors.Join(err, heapProfile(profile))
			}
			if err == nil {
				if err = os.WriteFile(name+".new", text, 0o600); err == nil {
					err = os.Rename(name+".new", name)
				}
			}
			if err != nil {
				os.Stderr.WriteString(err.Error() + "\n")
			}
		}
	}()
}

func heapProfile(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}
