package simd

import "math"

// A reduction runs in chains: element i goes to chain i mod 32, and in the end the upper half of the chains is folded
// onto the lower half until one is left. So the order is the same for vectors of any width. Long arrays are reduced
// in parts, whose results are added in float64.
const chains = 32

// Sum is the sum of x.
func Sum(x []float32) float64 {
	total := 0.0
	for len(x) > part {
		total += float64(active.kernels.sum(x[:part]))
		x = x[part:]
	}
	return total + float64(active.kernels.sum(x))
}

// Dot is the sum of x·y.
func Dot(x, y []float32) float64 {
	y = y[:len(x)]
	total := 0.0
	for len(x) > part {
		total += float64(active.kernels.dot(x[:part], y[:part]))
		x, y = x[part:], y[part:]
	}
	return total + float64(active.kernels.dot(x, y))
}

// SumOfSquares is the sum of x².
func SumOfSquares(x []float32) float64 { return Dot(x, x) }

// Mean is the sum of x divided by its length; NaN for none.
func Mean(x []float32) float64 { return Sum(x) / float64(len(x)) }

// Max is the largest of x, passing over NaN: the maximumNumber of IEEE 754. It is -infinite for none.
func Max(x []float32) float32 {
	most := float32(math.Inf(-1))
	for len(x) > part {
		most = larger(active.kernels.largest(x[:part]), most)
		x = x[part:]
	}
	return larger(active.kernels.largest(x), most)
}

func larger(v, most float32) float32 {
	if v > most {
		return v
	}
	return most
}

func fold(c *[chains]float32) float32 {
	for n := chains / 2; n > 0; n /= 2 {
		for i := range n {
			c[i] = c[i+n] + c[i]
		}
	}
	return c[0]
}

func sumGo(x []float32) float32 {
	var c [chains]float32
	for i, v := range x {
		c[i%chains] += v
	}
	return fold(&c)
}

func sumRowsGo(dst, src []float32, rows, width, srcRow int) {
	for r := range rows {
		dst[r] = sumGo(src[r*srcRow:][:width])
	}
}

func dotGo(x, y []float32) float32 {
	var c [chains]float32
	for i, v := range x {
		c[i%chains] = fma(v, y[i], c[i%chains])
	}
	return fold(&c)
}

func largestGo(x []float32) float32 {
	var c [chains]float32
	for i := range c {
		c[i] = float32(math.Inf(-1))
	}
	for i, v := range x {
		c[i%chains] = larger(v, c[i%chains])
	}
	for n := chains / 2; n > 0; n /= 2 {
		for i := range n {
			c[i] = larger(c[i+n], c[i])
		}
	}
	return c[0]
}
