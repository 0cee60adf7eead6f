package simd

import "math"

// The cells of recurrent layers, each in one or two passes over the gates of a row. What the products have put into the gates is
// replaced by their values, and these, on the way back, by the gradients with respect to the weighted sums. The gates'
// functions are those of elementary.go with a bound of 5 units in the last place instead of 1, for half the work; the
// sigmoid of what is below -87 is that of -87, 1.6e-38.

// What needs the value of another gate first is a loop of its own, so that the processor has enough to do at the same
// time.

// cellPart is part for the cells, which do more for each element.
const cellPart = part / 8

// lstmCell is c = f·c + i·g and h = o·tanh(c) with the gates i, f, o = sigmoid and g = tanh of what they hold. S.
// Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997; F. A. Gers et al., Learning to
// forget, Neural Computation 12(10), 2000.
func lstmCell(i, f, g, o, c, h []float32) {
	for lo := 0; lo < len(h); lo += cellPart {
		hi := min(lo+cellPart, len(h))
		active.kernels.lstmState(i[lo:hi], f[lo:hi], g[lo:hi], c[lo:hi])
		active.kernels.lstmOutput(o[lo:hi], c[lo:hi], h[lo:hi])
	}
}

// lstmCellGradient replaces the gates by the gradients with respect to their sums, and dc by that with respect to the
// cell's state before, c. dh is that with respect to h.
func lstmCellGradient(i, f, g, o, c, dc, dh []float32) {
	for lo := 0; lo < len(dh); lo += cellPart {
		hi := min(lo+cellPart, len(dh))
		active.kernels.lstmGradient(i[lo:hi], f[lo:hi], g[lo:hi], o[lo:hi], c[lo:hi], dc[lo:hi], dh[lo:hi])
	}
}

// gruCell is h = z·h + (1-z)·a with z and r = sigmoid and a = tanh(a + r·q), where q is the candidate's part that comes
// from the state. K. Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014; with r after
// the product, as cuDNN has it, PyTorch, and Keras by reset_after.
func gruCell(a, z, r, q, h []float32) {
	for lo := 0; lo < len(h); lo += cellPart {
		hi := min(lo+cellPart, len(h))
		active.kernels.gruReset(a[lo:hi], r[lo:hi], q[lo:hi])
		active.kernels.gruState(a[lo:hi], z[lo:hi], h[lo:hi])
	}
}

// gruCellGradient replaces the gates by the gradients with respect to their sums, and dh by the part of the gradient
// with respect to the state before, h, that does not come through the gates.
func gruCellGradient(a, z, r, q, h, dh []float32) {
	for lo := 0; lo < len(dh); lo += cellPart {
		hi := min(lo+cellPart, len(dh))
		active.kernels.gruGradient(a[lo:hi], z[lo:hi], r[lo:hi], q[lo:hi], h[lo:hi], dh[lo:hi])
	}
}

// decay takes exp(-x) apart as 2^n·(1 + rest), for x from -87 to 87: n is in the last bits of shifted.
func decay(x float32) (shifted, rest float32) {
	shifted = fma(x, -log2E, whole)
	n := shifted - whole
	r := fma(n, low2, fma(n, high2, x))
	p := float32(0.00139505393)
	p = fma(p, r, -0.00836891774)
	p = fma(p, r, 0.041666206)
	p = fma(p, r, -0.166665182)
	p = fma(p, r, 0.5)
	p = fma(p, r, -1)
	return shifted, p * r
}

// powerOf is 2^n.
func powerOf(shifted float32) float32 {
	return math.Float32frombits(math.Float32bits(1) + math.Float32bits(shifted)<<23)
}

// sigmoidBelow is 1+exp(-x), the sigmoid's denominator.
func sigmoidBelow(x float32) float32 {
	if x > 87 {
		x = 87
	}
	if x < -87 {
		x = -87
	}
	shifted, rest := decay(x)
	s := powerOf(shifted)
	return fma(s, rest, s) + 1
}

// tanhParts are m = exp(-2|x|) - 1 and 2+m: the hyperbolic tangent is -m/(2+m).
func tanhParts(x float32) (above, below float32) {
	u := withSign(x+x, 1)
	if u > 20 {
		u = 20
	}
	shifted, rest := decay(u)
	s := powerOf(shifted)
	m := fma(s, rest, s-1)
	return m, m + 2
}

func gateSigmoid(x float32) float32 { return 1 / sigmoidBelow(x) }

func gateTanh(x float32) float32 {
	above, below := tanhParts(x)
	return withSign(above/below, x)
}

// gatePair is the sigmoid of x and the hyperbolic tangent of y, by one division.
func gatePair(x, y float32) (s, t float32) {
	b := sigmoidBelow(x)
	above, below := tanhParts(y)
	inverse := 1 / float32(b*below)
	return below * inverse, withSign(above*float32(b*inverse), y)
}

func lstmStateGo(i, f, g, c []float32) {
	for n := range c {
		i[n], g[n] = gatePair(i[n], g[n])
		f[n] = gateSigmoid(f[n])
		c[n] = fma(f[n], c[n], float32(i[n]*g[n]))
	}
}

func lstmOutputGo(o, c, h []float32) {
	for n := range h {
		var t float32
		o[n], t = gatePair(o[n], c[n])
		h[n] = o[n] * t
	}
}

func lstmGradientGo(i, f, g, o, c, dc, dh []float32) {
	for n, d := range dh {
		before := c[n]
		t := gateTanh(fma(f[n], before, float32(i[n]*g[n])))
		all := fma(float32(d*o[n]), fma(-t, t, 1), dc[n])
		di, df, dg, do := all*g[n], all*before, all*i[n], d*t
		dc[n] = all * f[n]
		i[n] = di * fma(-i[n], i[n], i[n])
		f[n] = df * fma(-f[n], f[n], f[n])
		g[n] = dg * fma(-g[n], g[n], 1)
		o[n] = do * fma(-o[n], o[n], o[n])
	}
}

func gruResetGo(a, r, q []float32) {
	for n := range a {
		r[n] = gateSigmoid(r[n])
		a[n] = fma(r[n], q[n], a[n])
	}
}

func gruStateGo(a, z, h []float32) {
	for n, before := range h {
		z[n], a[n] = gatePair(z[n], a[n])
		h[n] = fma(z[n], before-a[n], a[n])
	}
}

func gruGradientGo(a, z, r, q, h, dh []float32) {
	for n, d := range dh {
		dz := float32(d * (h[n] - a[n]))
		da := float32(fma(-d, z[n], d) * fma(-a[n], a[n], 1))
		dh[n] = d * z[n]
		a[n] = da
		z[n] = dz * fma(-z[n], z[n], z[n])
		dr := float32(da * q[n])
		q[n] = da * r[n]
		r[n] = dr * fma(-r[n], r[n], r[n])
	}
}
