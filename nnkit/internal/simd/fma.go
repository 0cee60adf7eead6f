package simd

import "math"

// fma is a·b + c, rounded once to float32: what the machine's instruction gives, which Go has for float64 alone.
//
// The product of two float32 is exact in float64. Its sum with c is rounded to float64 and then to float32, and
// rounding twice is wrong only where the first result lies in the middle between two float32, which its last 29 bits
// tell, or below the normal numbers. 0 is exact.
func fma(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	s := p + float64(c)
	if u := math.Float64bits(s); u<<35 == halfway || u<<1-1 < tiny-1 {
		return fmaExactly(p, float64(c), s)
	}
	return float32(s)
}

const (
	halfway = 1 << 63            // the last 29 bits of a float64 in the middle, moved to the top
	tiny    = (1023 - 126) << 53 // the smallest normal float32 as a float64, without its sign
)

// fmaExactly rounds s, the sum of p and c in float64, to odd before it rounds to float32. S. Boldo and
// G. Melquiond, Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd, IEEE
// Transactions on Computers 57(4), 2008.
//
//go:noinline
func fmaExactly(p, c, s float64) float32 {
	t := s - p
	lost := (p - (s - t)) + (c - t)
	if u := math.Float64bits(s); u&1 == 0 && (lost > 0 || lost < 0) {
		if (lost > 0) == (s > 0) {
			u++
		} else {
			u--
		}
		s = math.Float64frombits(u)
	}
	return float32(s)
}

// sqrt is the correctly rounded float32 root, one instruction: the compiler knows the form.
func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
