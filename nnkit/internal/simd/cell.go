package simd

import "math"

// The cells of recurrent layers, each in one pass over the gates of a row. What the products have put into the gates is
// replaced by their values, and these, on the way back, by the gradients with respect to the weighted sums. The gates'
// functions are those of elementary.go with a bound of 3 units in the last place instead of 1, for half the work.

// cellPart is part for the cells, which do more for each element.
const cellPart = part / 8

// lstmCell is c = f·c + i·g and h = o·tanh(c) with the gates i, f, o = sigmoid and g = tanh of what they hold. S.
// Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997; F. A. Gers et al., Learning to
// forget, Neural Computation 12(10), 2000.
func lstmCell(i, f, g, o, c, h []float32) {
	for lo := 0; lo < len(h); lo += cellPart {
		hi := min(lo+cellPart, len(h))
		active.kernels.lstm(i[lo:hi], f[lo:hi], g[lo:hi], o[lo:hi], c[lo:hi], h[lo:hi])
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
		active.kernels.gru(a[lo:hi], z[lo:hi], r[lo:hi], q[lo:hi], h[lo:hi])
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

// gateSigmoid is 1/(1+exp(-x)), and 0 where that is below the normal numbers.
func gateSigmoid(x float32) float32 { return 1 / (exp(-x) + 1) }

// gateTanh is -m/(2+m) with m = exp(-2|x|) - 1.
func gateTanh(x float32) float32 {
	u := math.Float32frombits(math.Float32bits(x+x) | 1<<31)
	if u < -20 {
		u = -20
	}
	e := exponential(u)
	s := scale(1, e.n)
	m := fma(s, e.high, s-1)
	return withSign(m/(m+2), x)
}

func lstmGo(i, f, g, o, c, h []float32) {
	for n := range h {
		i[n], f[n], g[n], o[n] = gateSigmoid(i[n]), gateSigmoid(f[n]), gateTanh(g[n]), gateSigmoid(o[n])
		c[n] = fma(f[n], c[n], float32(i[n]*g[n]))
		h[n] = o[n] * gateTanh(c[n])
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

func gruGo(a, z, r, q, h []float32) {
	for n, before := range h {
		z[n], r[n] = gateSigmoid(z[n]), gateSigmoid(r[n])
		a[n] = gateTanh(fma(r[n], q[n], a[n]))
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
