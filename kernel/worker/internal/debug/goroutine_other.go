//go:build !amd64 && !arm64

package debug

// goroutine tells the calling goroutine from all others that live.
func goroutine() uintptr { return uintptr(number()) }
