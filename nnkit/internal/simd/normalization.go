package simd

// The loops under layer and batch normalization. A mean is kept as a float32 near it, the center, and what is left; so
// the differences from it lose nothing where the mean is large.

func momentsGo(x []float32, center float32) (total, squares float32) {
	var t, s [chains]float32
	for i, v := range x {
		d := v - center
		t[i%chains] += d
		s[i%chains] = fma(d, d, s[i%chains])
	}
	return fold(&t), fold(&s)
}

// standardized is x less its mean, times factor; shift is what the center is off by, times factor.
func standardized(x, center, factor, shift float32) float32 { return fma(x-center, factor, shift) }

func normalizeGo(dst, src, gamma, beta []float32, center, factor, shift float32) {
	for i, x := range src {
		dst[i] = fma(standardized(x, center, factor, shift), gamma[i], beta[i])
	}
}

func layerSumsGo(dy, x, gamma []float32, center, factor, shift float32) (plain, weighted float32) {
	var p, w [chains]float32
	for i, v := range x {
		g := float32(dy[i] * gamma[i])
		p[i%chains] += g
		w[i%chains] = fma(g, standardized(v, center, factor, shift), w[i%chains])
	}
	return fold(&p), fold(&w)
}

func layerGradientGo(dx, dy, x, gamma, dgamma, dbeta []float32, center, factor, shift, plain, weighted float32) {
	for i, v := range x {
		z, d := standardized(v, center, factor, shift), dy[i]
		dbeta[i] += d
		dgamma[i] = fma(d, z, dgamma[i])
		dx[i] = fma(-z, weighted, float32(d*gamma[i])-plain) * factor
	}
}

func columnMomentsGo(total, squares, x, center []float32) {
	for i, v := range x {
		d := v - center[i]
		total[i] += d
		squares[i] = fma(d, d, squares[i])
	}
}

func columnNormalizeGo(dst, src, center, factor, beta []float32) {
	for i, x := range src {
		dst[i] = fma(x-center[i], factor[i], beta[i])
	}
}

func columnSumsGo(plain, weighted, dy, x, center []float32) {
	for i, d := range dy {
		plain[i] += d
		weighted[i] = fma(d, x[i]-center[i], weighted[i])
	}
}

func columnGradientGo(dx, dy, x, center, factor, slope, term []float32) {
	for i, d := range dy {
		dx[i] = fma(d, factor[i], fma(x[i]-center[i], slope[i], term[i]))
	}
}
