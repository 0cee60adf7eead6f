// Package random gives random numbers by position instead of by state: number i of a stream is a function of the seed,
// the stream and i alone. So initial weights, shuffling and generated data do not depend on who draws first, nor on
// how many cores draw.
//
// The function is Philox4x32-10 of J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, Parallel Random Numbers: As
// Easy as 1, 2, 3, SC 2011. Its key is the seed; its counter holds the position, the stream's purpose and its index.
// It is good for simulation, not for secrets.
package random

import "math"

// Purpose keeps apart what is drawn for different ends from the same seed.
type Purpose uint32

// The purposes, which are part of what a seed means: never renumber them.
const (
	Weights Purpose = 1 // initial weights; the index is the parameter's place in the model
	Shuffle Purpose = 2 // the order of the rows; the index is the epoch
	Split   Purpose = 3 // splitting data
	Data    Purpose = 4 // generated data; the index is the column's
	Dropout Purpose = 5 // what is dropped; the index is the layer's
	Noise   Purpose = 6 // what layers add; the index is the layer's
)

// Stream is an endless sequence of random numbers, addressed by position.
type Stream struct {
	Seed    uint64
	Purpose Purpose
	Index   uint32
}

// block returns the four words at positions 4i to 4i+3.
func (s Stream) block(i uint64) [4]uint32 {
	return Philox(s.Counter(i), s.Key())
}

// Counter returns what Philox counts with for block i of the stream.
func (s Stream) Counter(i uint64) [4]uint32 {
	return [4]uint32{uint32(i), uint32(i >> 32), s.Index, uint32(s.Purpose)}
}

// Key returns the key of the stream.
func (s Stream) Key() [2]uint32 { return [2]uint32{uint32(s.Seed), uint32(s.Seed >> 32)} }

// Philox returns the four words of a counter.
func Philox(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		p0, p1 := uint64(c[0])*0xD2511F53, uint64(c[2])*0xCD9E8D57
		c = [4]uint32{uint32(p1>>32) ^ c[1] ^ k[0], uint32(p1), uint32(p0>>32) ^ c[3] ^ k[1], uint32(p0)}
		k[0] += 0x9E3779B9
		k[1] += 0xBB67AE85
	}
	return c
}

// Uniform returns number i, strictly between 0 and 1.
func (s Stream) Uniform(i int) float64 {
	w := s.block(uint64(i) / 4)[uint64(i)%4]
	return (float64(w) + 0.5) / (1 << 32) // exact: a power of two
}

// Normal returns number i with mean 0 and standard deviation 1. It shares its position with Uniform.
func (s Stream) Normal(i int) float64 { return Quantile(s.Uniform(i)) }

// Int returns number i between 0 and n-1, for n below 2^31. Its bias is below n/2^32.
func (s Stream) Int(i, n int) int {
	w := s.block(uint64(i) / 4)[uint64(i)%4]
	return int(uint64(w) * uint64(n) >> 32)
}

// Permutation fills p with 0 to len(p)-1 in random order: Fisher and Yates' shuffle, in the form of Durstenfeld, ACM
// Algorithm 235, 1964.
func (s Stream) Permutation(p []int32) {
	for i := range p {
		p[i] = int32(i)
	}
	var words [4]uint32
	for i := len(p) - 1; i > 0; i-- {
		if n := len(p) - 1 - i; n%4 == 0 {
			words = s.block(uint64(n / 4))
		}
		j := uint64(words[(len(p)-1-i)%4]) * uint64(i+1) >> 32
		p[i], p[j] = p[j], p[i]
	}
}

// Quantile is the inverse of the normal distribution function for p between 0 and 1, with a relative error below
// 1.2e-9: the rational approximation of P. J. Acklam, An algorithm for computing the inverse normal cumulative
// distribution function, 2003.
func Quantile(p float64) float64 {
	const low = 0.02425
	switch {
	case p < low:
		return tail(math.Sqrt(-2 * logarithm(p)))
	case p > 1-low:
		return -tail(math.Sqrt(-2 * logarithm(1-p)))
	}
	q := p - 0.5
	r := q * q
	num := horner(r, -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02,
		-3.066479806614716e+01, 2.506628277459239e+00)
	den := horner(r, -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01,
		-1.328068155288572e+01, 1)
	return num * q / den
}

func tail(q float64) float64 {
	num := horner(q, -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00,
		4.374664141464968e+00, 2.938163982698783e+00)
	den := horner(q, 7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1)
	return num / den
}

// horner evaluates a polynomial, the highest power first. The conversion forbids a fused multiply-add, which would
// make the bits depend on the machine; logarithm is our own for the same reason.
func horner(x float64, coefficients ...float64) float64 {
	y := 0.0
	for _, c := range coefficients {
		y = float64(y*x) + c
	}
	return y
}

func logarithm(x float64) float64 {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	s := (m - 1) / (m + 1)
	z := s * s
	series := horner(z, 1./21, 1./19, 1./17, 1./15, 1./13, 1./11, 1./9, 1./7, 1./5, 1./3, 1)
	return float64(float64(e)*math.Ln2) + float64(2*s*series)
}
