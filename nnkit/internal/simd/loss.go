package simd

// CrossEntropy is softmax and cross-entropy in one, from the sums Z before the softmax: for row r with the truth y
//
//	loss = Σ y·(log Σ exp(z) - z)    gradient = Weights[r]·Scale·(softmax(z) - y)
//
// where the truth is a class or a probability for each class. With label smoothing ε it is (1-ε)·y + ε/Width: C. Szegedy
// and others, Rethinking the Inception architecture for computer vision, CVPR 2016.
type CrossEntropy struct {
	Rows, Width int
	Z           []float32
	// Classes has the number of its class for each row, Probabilities the probabilities: one of them is nil.
	Classes       []int32
	Probabilities []float32
	Smoothing     float32

	Weights []float32 // of the rows, in the gradient alone; nil for 1
	Scale   float32   // 1/Rows, for the mean

	Losses   []float64 // of each row, without its weight
	P        []float32 // gets softmax(Z); nil if it is not wanted
	Gradient []float32 // nil if it is not wanted
}

// lossRows is how many rows are taken at once, so that they stay in the first cache.
const lossRows = 64

// lossScratch is what CrossEntropy needs.
type lossScratch struct {
	stats   [2 * lossRows]float32
	factors [lossRows]float32
	p       []float32
}

var lossScratches spare[lossScratch]

// Blocks returns into how many blocks, which may be computed at the same time, the rows are best cut.
func (c *CrossEntropy) Blocks() int {
	rows := c.rowsAtOnce()
	return (c.Rows + rows - 1) / rows
}

// rowsAtOnce is the rows of a block, so many that it pays to give it to a core.
func (c *CrossEntropy) rowsAtOnce() int {
	const least = 1 << 14
	return (least/max(1, c.Width)/lossRows + 1) * lossRows
}

// Block computes block i.
func (c *CrossEntropy) Block(i int) {
	s := lossScratches.borrow()
	defer lossScratches.giveBack(s)
	rows := c.rowsAtOnce()
	end := min((i+1)*rows, c.Rows)
	for r := i * rows; r < end; r += lossRows {
		c.some(r, min(lossRows, end-r), s)
	}
}

// some computes n rows from r on.
func (c *CrossEntropy) some(r, n int, s *lossScratch) {
	from, to := r*c.Width, (r+n)*c.Width
	p := s.p
	if c.P != nil {
		p = c.P[from:to]
	} else if len(p) < to-from {
		s.p = make([]float32, to-from)
		p = s.p
	}
	soft := SoftmaxRows{
		Rows: n, Width: c.Width, Dst: p, DstStride: c.Width, Src: c.Z[from:to], SrcStride: c.Width, Scale: 1, Stats: s.stats[:2*n],
	}
	soft.Run()
	for i := range n {
		c.Losses[r+i] = c.loss(r+i, float64(s.stats[2*i])+Log64(float64(s.stats[2*i+1])))
		s.factors[i] = c.Scale
		if c.Weights != nil {
			s.factors[i] *= c.Weights[r+i]
		}
	}
	if c.Gradient != nil {
		c.gradient(r, n, p, s.factors[:])
	}
}

// loss returns the loss of row r, whose log Σ exp(z) is lse.
func (c *CrossEntropy) loss(r int, lse float64) float64 {
	z, own := c.Z[r*c.Width:][:c.Width], 0.0
	if c.Probabilities == nil {
		own = lse - float64(z[c.Classes[r]])
	} else {
		for j, y := range c.Probabilities[r*c.Width:][:c.Width] {
			own += float64(float64(y) * (lse - float64(z[j])))
		}
	}
	if c.Smoothing == 0 {
		return own
	}
	all := 0.0
	for _, v := range z {
		all += lse - float64(v)
	}
	return float64((1-float64(c.Smoothing))*own) + float64(float64(c.Smoothing)*all/float64(c.Width))
}

// gradient computes the gradient of n rows from r on from their softmax.
func (c *CrossEntropy) gradient(r, n int, p, factors []float32) {
	from, to := r*c.Width, (r+n)*c.Width
	g, even, own := c.Gradient[from:to], c.Smoothing/float32(c.Width), 1-c.Smoothing
	difference := p[:len(g)]
	if c.Probabilities != nil {
		y := c.Probabilities[from:to]
		eachPart(len(g), func(lo, hi int) { active.kernels.scaleAdd(g[lo:hi], y[lo:hi], p[lo:hi], -own) })
		difference = g
	}
	if even != 0 {
		Shift(g, difference, -even)
		difference = g
	}
	if c.Weights == nil { // not row by row: short ones in place would wait for each other
		Scale(g, difference, c.Scale)
	} else {
		Broadcast(MultiplyNumbers, RowMajor(g, c.Width), RowMajor(difference, c.Width), View{factors, 1, 0}, n, c.Width)
	}
	if c.Probabilities == nil {
		for i := range n {
			class := i*c.Width + int(c.Classes[r+i])
			g[class] = (p[class] - even - own) * factors[i]
		}
	}
}

// The logistic functions take long for a number.
const logisticPart = part / 2

// LogisticLoss is dst = log(1+exp(z)) - y·z, the binary cross-entropy of sigmoid(z) and the truth y, without overflow.
// dst may be z or y.
func LogisticLoss(dst, z, y []float32) {
	eachSome(len(dst), logisticPart, func(lo, hi int) { active.kernels.logisticLoss(dst[lo:hi], z[lo:hi], y[lo:hi]) })
}

// LogisticGradient is grad = factor·(sigmoid(z) - y), the gradient of LogisticLoss.
func LogisticGradient(grad, z, y []float32, factor float32) {
	eachSome(len(grad), logisticPart, func(lo, hi int) {
		active.kernels.logisticGradient(grad[lo:hi], z[lo:hi], y[lo:hi], factor)
	})
}

// logisticLossGo has log(1+t) as log(s) + (t - (s-1)), where s is 1+t as rounded: what s lost counts where s is near 1, and
// there the slope of the logarithm is 1.
func logisticLossGo(dst, z, y []float32) {
	for i, v := range z {
		t := expBelow(withSign(v, -1))
		sum := t + 1
		rest := logarithm(sum) + (t - (sum - 1))
		dst[i] = fma(-y[i], v, relu(v)) + rest
	}
}

func logisticGradientGo(grad, z, y []float32, factor float32) {
	for i, v := range z {
		grad[i] = float32(sigmoid(v)-y[i]) * factor
	}
}
