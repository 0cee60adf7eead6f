package simd

// Softmax sets each row of dst, of the given width, to exp(x)/Σexp(x) of the row of src. The error of an element is
// below 2^-23 of it for each unit that its x is below the row's largest, and below 2^-22 besides. dst may be src.
func Softmax(dst, src []float32, rows, width int) {
	for r := range rows {
		to, from := dst[r*width:][:width], src[r*width:][:width]
		Scale(to, to, float32(1/expSum(to, from, Max(from))))
	}
}

// LogSoftmax sets each row of dst to x - log Σexp(x).
func LogSoftmax(dst, src []float32, rows, width int) {
	for r := range rows {
		to, from := dst[r*width:][:width], src[r*width:][:width]
		top := Max(from)
		least := float32(Log64(expSum(to, from, top)))
		Shift(to, from, -top)
		Shift(to, to, -least)
	}
}

// SoftmaxGradient replaces each row of dy by y·(dy - Σ dy·y), y being the value of Softmax.
func SoftmaxGradient(dy, y []float32, rows, width int) {
	for r := range rows {
		d, p := dy[r*width:][:width], y[r*width:][:width]
		inScaledParts(active.kernels.softmaxGradient, d, p, float32(Dot(d, p)))
	}
}

// expSum is dst = exp(src - top), and its sum.
func expSum(dst, src []float32, top float32) float64 {
	total := 0.0
	for len(dst) > part {
		total += float64(active.kernels.expSum(dst[:part], src[:part], top))
		dst, src = dst[part:], src[part:]
	}
	return total + float64(active.kernels.expSum(dst, src, top))
}

func expSumGo(dst, src []float32, top float32) float32 {
	var c [chains]float32
	for i, v := range src {
		e := exp(v - top)
		dst[i] = e
		c[i%chains] += e
	}
	return fold(&c)
}

func softmaxGradientGo(dy, y []float32, sum float32) {
	for i, v := range y {
		dy[i] = v * (dy[i] - sum)
	}
}
