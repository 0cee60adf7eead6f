package data

import "math"

// spectrum computes the power spectra of frames of n real samples, a power of two, by a fast Fourier transform of radix
// two (J. W. Cooley and J. W. Tukey, An Algorithm for the Machine Calculation of Complex Fourier Series, 1965). Its bits
// are the same on every machine.
type spectrum struct {
	window   []float64 // Hann's, periodic
	cos, sin []float64 // of k/n turns
	place    []int     // where sample i goes: its bits reversed
	re, im   []float64
}

func newSpectrum(n int) *spectrum {
	s := &spectrum{
		make([]float64, n), make([]float64, n/2), make([]float64, n/2), make([]int, n), make([]float64, n), make([]float64, n),
	}
	for i := range n {
		s.window[i] = 0.5 - float64(0.5*cosine(float64(i)/float64(n)))
		if i > 0 {
			s.place[i] = s.place[i/2]/2 + (i%2)*n/2
		}
	}
	for k := range s.cos {
		s.cos[k], s.sin[k] = cosine(float64(k)/float64(n)), sine(float64(k)/float64(n))
	}
	return s
}

// power returns |X[k]|² for k from 0 to n/2 in dst. Where samples end, there is silence.
func (s *spectrum) power(dst []float64, samples []float32) {
	n := len(s.window)
	for i, at := range s.place {
		s.re[at], s.im[at] = 0, 0
		if i < len(samples) {
			s.re[at] = float64(samples[i]) * s.window[i]
		}
	}
	for half := 1; half < n; half *= 2 {
		step := n / (2 * half)
		for lo := 0; lo < n; lo += 2 * half {
			for k := range half {
				a, b := lo+k, lo+k+half
				c, d := s.cos[k*step], s.sin[k*step]
				re := float64(c*s.re[b]) + float64(d*s.im[b])
				im := float64(c*s.im[b]) - float64(d*s.re[b])
				s.re[a], s.re[b] = s.re[a]+re, s.re[a]-re
				s.im[a], s.im[b] = s.im[a]+im, s.im[a]-im
			}
		}
	}
	for k := range n/2 + 1 {
		dst[k] = float64(s.re[k]*s.re[k]) + float64(s.im[k]*s.im[k])
	}
}

func isPowerOfTwo(n int) bool { return n > 0 && n&(n-1) == 0 }

// nearestPowerOfTwo is for lengths of windows, at least 2.
func nearestPowerOfTwo(v float64) int {
	n := 2
	for float64(n)*math.Sqrt2 < v {
		n *= 2
	}
	return n
}
