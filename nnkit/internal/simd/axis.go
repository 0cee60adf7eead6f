package simd

// axis is one direction in which a window slides over an image. Tap t of output o lies at o·stride + t·dilation - before
// of the image's in numbers, and is left out where that is outside.
type axis struct{ in, out, taps, stride, dilation, before int }

// inside returns the taps of output o, from lo to hi-1, that lie in the image.
func (a axis) inside(o int) (lo, hi int) {
	at := o*a.stride - a.before
	if at < 0 {
		lo = min(a.taps, (-at+a.dilation-1)/a.dilation)
	}
	if last := a.in - 1 - at; last >= 0 {
		hi = min(a.taps, last/a.dilation+1)
	}
	return lo, max(lo, hi)
}

// span returns the taps of output o that lie in the image, and the first output behind it, end at most, of which others
// do.
func (a axis) span(o, end int) (lo, hi, next int) {
	if a.taps == 0 {
		return 0, 0, end
	}
	lo, hi = a.inside(o)
	if lo == 0 && hi == a.taps {
		return lo, hi, min(end, (a.in-1+a.before-(a.taps-1)*a.dilation)/a.stride+1)
	}
	for next = o + 1; next < end; next++ {
		if l, h := a.inside(next); l != lo || h != hi {
			break
		}
	}
	return lo, hi, next
}

// outputs returns the outputs, from lo to hi-1, of which a tap lies in the image.
func (a axis) outputs(tap int) (lo, hi int) {
	at := tap*a.dilation - a.before
	if at < 0 {
		lo = min(a.out, (-at+a.stride-1)/a.stride)
	}
	if last := a.in - 1 - at; last >= 0 {
		hi = min(a.out, last/a.stride+1)
	}
	return lo, max(lo, hi)
}

// at returns where in the image a tap of output o lies.
func (a axis) at(o, tap int) int { return o*a.stride + tap*a.dilation - a.before }

// class is the axis of the gradient, for the numbers r, r+stride, r+2·stride … of the image: its outputs are those
// numbers, and its image is what the axis puts out. Only every step-th tap from first on reaches them; the gradient's
// taps are these in descending order, so that what they read ascends.
func (a axis) class(r int) (g axis, first, step int) {
	common := a.stride
	for n := a.dilation; n > 0; {
		common, n = n, common%n
	}
	step = a.stride / common
	g = axis{in: a.out, out: (a.in - r + a.stride - 1) / a.stride, stride: 1, dilation: a.dilation / common}
	for first = 0; first < min(step, a.taps); first++ {
		if (r+a.before-first*a.dilation)%a.stride == 0 {
			g.taps = (a.taps - first + step - 1) / step
			last := first + (g.taps-1)*step
			g.before = -(r + a.before - last*a.dilation) / a.stride
			break
		}
	}
	return g, first, step
}
