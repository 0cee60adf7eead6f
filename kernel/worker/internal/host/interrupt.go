//go:build linux && amd64 && cgo

package host

import (
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// watchListeners keeps the process alive when it is interrupted, and returns a
// function that tells whether the program asks for interrupts too, as by
// signal.NotifyContext.
//
// Package os/signal counts who wants a signal, for itself. The count is found by
// trying where it should be; where it is not, nobody is said to listen.
func watchListeners() func() bool {
	never := func() bool { return false }
	handlers := lookup(nil, "os/signal.handlers")
	var count *int64
	if handlers != nil {
		// struct { sync.Mutex; m map[…]…; ref [numSig]int64; … }
		count = (*int64)(unsafe.Add(handlers, 8+8+8*int(syscall.SIGINT)))
		if *count != 0 {
			count = nil
		}
	}
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	if count == nil || *count != 1 {
		return never
	}
	trial := make(chan os.Signal, 1)
	signal.Notify(trial, os.Interrupt)
	two := *count == 2
	signal.Stop(trial)
	if !two || *count != 1 {
		return never
	}
	return func() bool { return atomic.LoadInt64(count) > 1 }
}
