package simd

import "math"

// The exponentials of softmax are those of numbers up to 0, of which the largest is 0: so they need less care than Exp.
// 2^f is a polynomial of f between -½ and ½, 1 for 0, whose largest relative error is the least: 2^-29 before rounding.

// SoftmaxRows is the softmax of rows of numbers, of which row r begins at Src[r*SrcStride] and its result at
// Dst[r*DstStride]. Dst may be Src.
//
// What a row does not see, by Mask or Causal, gets 0, and a row that sees nothing becomes zeros. Without either a row
// of -infinite numbers becomes NaN, as PyTorch's.
type SoftmaxRows struct {
	Rows, Width          int
	Dst, Src             []float32
	DstStride, SrcStride int

	Scale float32 // what the numbers are multiplied by first; above 0

	// Row r of Mask begins at Mask[r*MaskStride], or is the same for all rows with a stride of 0. It is added to the scaled
	// numbers: 0 for what is seen, -infinite for what is not. nil for none.
	Mask       []float32
	MaskStride int

	// With Causal, row r sees the first Seen+r numbers at most.
	Causal bool
	Seen   int

	// Stats gets two numbers for each row, the largest scaled and masked number and Σexp(x - largest), if it is not nil.
	// They are what [CrossEntropy] is computed from.
	Stats []float32
}

// Run computes all rows. The error of an element is below 2^-23 of it for each unit that its scaled x is below the row's
// largest, and below 2^-21 besides; 87 units below it is 0.
func (s *SoftmaxRows) Run() { s.run(false) }

// Log computes x - log Σexp(x) instead, with -infinite for what is not seen.
func (s *SoftmaxRows) Log() { s.run(true) }

// Softmax sets each row of dst, of the given width, to exp(x)/Σexp(x) of the row of src. dst may be src.
func Softmax(dst, src []float32, rows, width int) {
	s := SoftmaxRows{Rows: rows, Width: width, Dst: dst, Src: src, DstStride: width, SrcStride: width, Scale: 1}
	s.Run()
}

// LogSoftmax sets each row of dst to x - log Σexp(x).
func LogSoftmax(dst, src []float32, rows, width int) {
	s := SoftmaxRows{Rows: rows, Width: width, Dst: dst, Src: src, DstStride: width, SrcStride: width, Scale: 1}
	s.Log()
}

// SoftmaxGradient replaces each row of dy by y·(dy - Σ dy·y), y being the value of Softmax.
func SoftmaxGradient(dy, y []float32, rows, width int) {
	scaledSoftmaxGradient(RowMajor(dy, width), RowMajor(y, width), rows, width, 1)
}

// scaledSoftmaxGradient is the gradient of the softmax of scale·x.
func scaledSoftmaxGradient(dy, y View, rows, width int, scale float32) {
	if rows == 0 || width == 0 {
		return
	}
	_, _ = dy.Data[(rows-1)*dy.RowStride+width-1], y.Data[(rows-1)*y.RowStride+width-1]
	if width > part {
		for r := range rows {
			d, p := dy.Data[r*dy.RowStride:][:width], y.Data[r*y.RowStride:][:width]
			sum := float32(Dot(d, p))
			for lo := 0; lo < width; lo += part {
				hi := min(lo+part, width)
				active.kernels.softmaxGradient(d[lo:hi], p[lo:hi], sum, scale)
			}
		}
		return
	}
	inRows(rows, width, func(r, n int) {
		active.kernels.softmaxGradientRows(dy.Data[r*dy.RowStride:], y.Data[r*y.RowStride:], n, width, dy.RowStride, y.RowStride, scale)
	})
}

// LogSoftmaxGradient replaces each row of dy by dy - exp(y)·Σ dy, y being the value of LogSoftmax.
func LogSoftmaxGradient(dy, y []float32, rows, width int) {
	if width > part {
		for r := range rows {
			d, p := dy[r*width:][:width], y[r*width:][:width]
			sum := float32(Sum(d))
			for lo := 0; lo < width; lo += part {
				hi := min(lo+part, width)
				active.kernels.logSoftmaxGradient(d[lo:hi], p[lo:hi], sum)
			}
		}
		return
	}
	inRows(rows, width, func(r, n int) {
		active.kernels.logSoftmaxGradientRows(dy[r*width:][:n*width], y[r*width:][:n*width], n, width, width, width)
	})
}

// inRows calls f for as many rows at once as keep a call of assembly short. A short row costs as much as one of some 16
// numbers more.
func inRows(rows, width int, f func(r, n int)) {
	n := max(1, part/(width+16))
	for r := 0; r < rows; r += n {
		f(r, min(n, rows-r))
	}
}

func (s *SoftmaxRows) run(log bool) {
	if s.Rows == 0 || s.Width == 0 {
		return
	}
	seen, grow, least := s.Width, 0, float32(math.Inf(-1))
	if s.Causal {
		seen, grow = s.Seen, 1
	}
	if s.Causal || s.Mask != nil {
		least = -math.MaxFloat32
	}
	s.check()
	if s.Width > part {
		for r := range s.Rows {
			s.wideRow(r, min(max(0, seen+r*grow), s.Width), least, log)
		}
		return
	}
	kernel := active.kernels.softmaxRows
	switch {
	case log:
		kernel = active.kernels.logSoftmaxRows
	case s.Width <= narrow:
		kernel = active.kernels.softmaxNarrow
	}
	inRows(s.Rows, s.Width, func(r, n int) {
		var mask, stats []float32
		maskRow := 0
		if s.Mask != nil {
			mask, maskRow = s.Mask[r*s.MaskStride:], s.MaskStride
		}
		if s.Stats != nil {
			stats = s.Stats[2*r:]
		}
		kernel(s.Dst[r*s.DstStride:], s.Src[r*s.SrcStride:], mask, stats, n, s.Width,
			s.DstStride, s.SrcStride, maskRow, seen+r*grow, grow, s.Scale, least)
	})
}

// narrow is the most numbers of a row that softmaxNarrow, which is softmaxRows otherwise, can keep in registers.
const narrow = 64

// check panics where the last elements are outside of their slices: assembly would write there.
func (s *SoftmaxRows) check() {
	last := s.Rows - 1
	_, _ = s.Dst[last*s.DstStride+s.Width-1], s.Src[last*s.SrcStride+s.Width-1]
	if s.Mask != nil {
		_ = s.Mask[last*s.MaskStride+s.Width-1]
	}
	if s.Stats != nil {
		_ = s.Stats[2*last+1]
	}
}

// wideRow computes a row that is too wide for a kernel to take at once: its sum is added in float64 from those of its
// parts.
func (s *SoftmaxRows) wideRow(r, seen int, least float32, log bool) {
	dst, src := s.Dst[r*s.DstStride:][:s.Width], s.Src[r*s.SrcStride:][:seen]
	for lo := 0; lo < seen; lo += part {
		hi := min(lo+part, seen)
		if s.Mask != nil {
			active.kernels.scaleAdd(dst[lo:hi], src[lo:hi], s.Mask[r*s.MaskStride:][lo:hi], s.Scale)
		} else {
			active.kernels.scale(dst[lo:hi], src[lo:hi], s.Scale)
		}
	}
	top, sum, unseen := max(Max(dst[:seen]), least), 0.0, float32(0)
	for lo := 0; lo < seen; lo += part {
		hi := min(lo+part, seen)
		if log {
			sum += float64(active.kernels.expTotal(dst[lo:hi], top))
		} else {
			sum += float64(active.kernels.expSum(dst[lo:hi], dst[lo:hi], top))
		}
	}
	total := float32(sum)
	if log {
		Shift(dst[:seen], dst[:seen], -top)
		Shift(dst[:seen], dst[:seen], -logarithm(total))
		unseen = float32(math.Inf(-1))
	} else {
		Scale(dst[:seen], dst[:seen], inverse(total))
	}
	for i := seen; i < s.Width; i++ {
		dst[i] = unseen
	}
	if s.Stats != nil {
		s.Stats[2*r], s.Stats[2*r+1] = top, total
	}
}

// inverse is 1/sum, and 0 for the sum of a row that sees nothing.
func inverse(sum float32) float32 {
	if sum == 0 {
		return 0
	}
	return 1 / sum
}

// expBelow is exp(x) for x up to 0, and 0 below -87, where it is 2^-125.5.
func expBelow(x float32) float32 {
	if x < -87 {
		return 0
	}
	shifted := fma(x, log2E, whole)
	f := fma(x, log2E, -(shifted - whole))
	p := float32(0.00015353154)
	p = fma(p, f, 0.0013399133)
	p = fma(p, f, 0.00961844)
	p = fma(p, f, 0.05550332)
	p = fma(p, f, 0.24022648)
	p = fma(p, f, 0.6931472)
	p = fma(p, f, 1)
	return p * math.Float32frombits(math.Float32bits(shifted)<<23+127<<23)
}

func scaleAddGo(dst, src, term []float32, factor float32) {
	for i, v := range src[:len(dst)] {
		dst[i] = fma(v, factor, term[i])
	}
}

func expSumGo(dst, src []float32, top float32) float32 {
	var c [chains]float32
	for i, v := range src {
		e := expBelow(v - top)
		dst[i] = e
		c[i%chains] += e
	}
	return fold(&c)
}

func expTotalGo(src []float32, top float32) float32 {
	var c [chains]float32
	for i, v := range src {
		c[i%chains] += expBelow(v - top)
	}
	return fold(&c)
}

// softmaxRowsGo takes the softmax of rows whose beginnings are so far apart. Row r sees seen+r*grow numbers. mask and
// stats may be nil, maskRow is 0 then.
func softmaxRowsGo(dst, src, mask, stats []float32, rows, width, dstRow, srcRow, maskRow, seen, grow int, scale, least float32) {
	for r := range rows {
		to, sees := dst[r*dstRow:][:width], min(max(0, seen+r*grow), width)
		top := seenMostGo(to[:sees], src[r*srcRow:], mask, r*maskRow, scale, least)
		sum := expSumGo(to[:sees], to[:sees], top)
		scaleGo(to[:sees], to[:sees], inverse(sum))
		clear(to[sees:])
		if stats != nil {
			stats[2*r], stats[2*r+1] = top, sum
		}
	}
}

func logSoftmaxRowsGo(dst, src, mask, stats []float32, rows, width, dstRow, srcRow, maskRow, seen, grow int, scale, least float32) {
	for r := range rows {
		to, sees := dst[r*dstRow:][:width], min(max(0, seen+r*grow), width)
		top := seenMostGo(to[:sees], src[r*srcRow:], mask, r*maskRow, scale, least)
		sum := expTotalGo(to[:sees], top)
		log := logarithm(sum)
		for i, z := range to[:sees] {
			to[i] = z - top - log
		}
		for i := sees; i < width; i++ {
			to[i] = float32(math.Inf(-1))
		}
		if stats != nil {
			stats[2*r], stats[2*r+1] = top, sum
		}
	}
}

// seenMostGo sets dst to the scaled and masked numbers, and returns the largest of them and least.
func seenMostGo(dst, src, mask []float32, at int, scale, least float32) float32 {
	if mask != nil {
		scaleAddGo(dst, src, mask[at:], scale)
	} else {
		scaleGo(dst, src[:len(dst)], scale)
	}
	return larger(largestGo(dst), least)
}

func softmaxGradientGo(dy, y []float32, sum, scale float32) {
	for i, v := range y {
		dy[i] = float32(v*(dy[i]-sum)) * scale
	}
}

func softmaxGradientRowsGo(dy, y []float32, rows, width, dyRow, yRow int, scale float32) {
	for r := range rows {
		d, p := dy[r*dyRow:][:width], y[r*yRow:][:width]
		softmaxGradientGo(d, p, dotGo(d, p), scale)
	}
}

func logSoftmaxGradientGo(dy, y []float32, sum float32) {
	for i, v := range y {
		dy[i] = fma(-expBelow(v), sum, dy[i])
	}
}

func logSoftmaxGradientRowsGo(dy, y []float32, rows, width, dyRow, yRow int) {
	for r := range rows {
		d := dy[r*dyRow:][:width]
		logSoftmaxGradientGo(d, y[r*yRow:][:width], sumGo(d))
	}
}
