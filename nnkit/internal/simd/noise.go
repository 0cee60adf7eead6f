package simd

import (
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Noise is numbered: what is drawn for number i of a stream is a function of the stream and i alone, so that a mask is
// not stored but drawn again for the gradient, and cores may draw wherever they are. The words are those of package
// random's streams in another order, which suits vectors: 16 blocks of Philox make a group of 64 numbers, of which the
// first 16 are the blocks' first words.
const groupLanes, group = 16, 64

// Dropout is dst = src·mask/(1-rate), where the mask of a number is 0 with probability rate, and 1 otherwise. Number i
// of dst has number at+i of the stream. Applied to dy it is the gradient. Rate is from 0 to below 1; a multiple of 2^-23
// is kept exactly. NaN and infinite numbers become NaN where they are dropped, as with PyTorch.
// N. Srivastava and others, Dropout: a simple way to prevent neural networks from overfitting, JMLR 15, 2014.
func Dropout(dst, src []float32, s random.Stream, at uint64, rate float32) {
	src = src[:len(dst)]
	factor := 1 / (1 - rate)
	noise(s, at, len(dst), dst, src, func(dst, src []float32, c [4]uint32, k [2]uint32) {
		active.kernels.dropout(dst, src, c[0], c[1], c[2], c[3], k[0], k[1], rate, factor)
	})
}

// FillUniform fills dst with numbers at, at+1, … of the stream, each from low to high with the same probability: low +
// (high-low)·u, where u is an odd multiple of 2^-24 between 0 and 1.
func FillUniform(dst []float32, s random.Stream, at uint64, low, high float32) {
	noise(s, at, len(dst), dst, nil, func(dst, _ []float32, c [4]uint32, k [2]uint32) {
		active.kernels.fillUniform(dst, c[0], c[1], c[2], c[3], k[0], k[1], low, high-low)
	})
}

// FillNormal fills dst with numbers at, at+1, … of the stream, normally distributed. None is further than 5.77 deviations
// from the mean. They are no numbers of random.Stream.Normal.
// G. E. P. Box and M. E. Muller, A note on the generation of random normal deviates, 1958.
func FillNormal(dst []float32, s random.Stream, at uint64, mean, deviation float32) {
	noise(s, at, len(dst), dst, nil, func(dst, _ []float32, c [4]uint32, k [2]uint32) {
		active.kernels.fillNormal(dst, c[0], c[1], c[2], c[3], k[0], k[1], mean, deviation)
	})
}

// noise calls draw for whole groups, as many as keep a call short and their counter from overflowing. Where a group is
// not wanted as a whole it is drawn beside.
func noise(s random.Stream, at uint64, n int, dst, src []float32, draw func(dst, src []float32, c [4]uint32, k [2]uint32)) {
	const atOnce = part / 2
	for lo := 0; lo < n; {
		from := int((at + uint64(lo)) % group)
		block := (at + uint64(lo)) / group * groupLanes
		whole := min(n-lo, atOnce) / group * group
		whole = int(min(uint64(whole), (1<<32-block%(1<<32))*(group/groupLanes)))
		if from == 0 && whole > 0 {
			var x []float32
			if src != nil {
				x = src[lo:][:whole]
			}
			draw(dst[lo:][:whole], x, s.Counter(block), s.Key())
			lo += whole
			continue
		}
		some := min(group-from, n-lo)
		beside := groups.borrow()
		if src != nil {
			copy(beside[from:], src[lo:][:some])
		}
		draw(beside[:], beside[:], s.Counter(block), s.Key())
		copy(dst[lo:][:some], beside[from:])
		groups.giveBack(beside)
		lo += some
	}
}

var groups spare[[group]float32]

// eachWord calls f for each number of whole groups with its word.
func eachWord(n int, c [4]uint32, k [2]uint32, f func(i int, word uint32)) {
	for g := 0; g < n; g += group {
		for lane := range groupLanes {
			for w, word := range random.Philox(c, k) {
				f(g+w*groupLanes+lane, word)
			}
			c[0]++
		}
	}
}

// uniform is a number between 0 and 1 of a word's upper 23 bits; all operations are exact.
func uniform(word uint32) float32 { return float32(int32(word>>9))*0x1p-23 + 0x1p-24 }

func dropoutGo(dst, src []float32, c0, c1, c2, c3, k0, k1 uint32, rate, factor float32) {
	eachWord(len(dst), [4]uint32{c0, c1, c2, c3}, [2]uint32{k0, k1}, func(i int, word uint32) {
		kept := float32(0)
		if rate < uniform(word) {
			kept = factor
		}
		dst[i] = src[i] * kept
	})
}

func fillUniformGo(dst []float32, c0, c1, c2, c3, k0, k1 uint32, low, span float32) {
	eachWord(len(dst), [4]uint32{c0, c1, c2, c3}, [2]uint32{k0, k1}, func(i int, word uint32) {
		dst[i] = fma(uniform(word), span, low)
	})
}

func fillNormalGo(dst []float32, c0, c1, c2, c3, k0, k1 uint32, mean, deviation float32) {
	length := float32(0)
	eachWord(len(dst), [4]uint32{c0, c1, c2, c3}, [2]uint32{k0, k1}, func(i int, word uint32) {
		if i/groupLanes%2 == 0 {
			length = sqrt(logarithm(uniform(word)) * -2)
			return
		}
		cos, sin := turn(uniform(word))
		dst[i-groupLanes] = fma(float32(length*cos), deviation, mean)
		dst[i] = fma(float32(length*sin), deviation, mean)
	})
}

// turn is the cosine and the sine of u turns, for u between 0 and 1, with errors below 2^-23.
func turn(u float32) (cos, sin float32) {
	shifted := fma(u, 4, whole)
	quarters := math.Float32bits(shifted)
	f := fma(-(shifted - whole), 0.25, u)
	z := f * f
	s := float32(-75.4)
	s = fma(s, z, 81.59251)
	s = fma(s, z, -41.341663)
	s = fma(s, z, 6.2831855)
	s *= f
	c := float32(59.244377)
	c = fma(c, z, -85.4437)
	c = fma(c, z, 64.93933)
	c = fma(c, z, -19.739209)
	c = fma(c, z, 1)
	if quarters&1 != 0 {
		s, c = c, s
	}
	return math.Float32frombits(math.Float32bits(c) ^ (quarters+1)&2<<30),
		math.Float32frombits(math.Float32bits(s) ^ quarters&2<<30)
}
