package simd

import "runtime"

// Peak runs rounds of multiply-adds that touch no memory, and returns the number of floating-point operations: what the
// set in use can do at most.
func Peak(rounds int) (operations int) {
	active.kernels.peak(rounds)
	return 2 * 24 * rounds * active.lanes
}

func peakGo(rounds int) {
	var c [4]float32
	for range rounds {
		for range 6 {
			for i := range c {
				c[i] = fma(1, 1, c[i])
			}
		}
	}
	runtime.KeepAlive(c)
}
