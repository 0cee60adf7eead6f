package simd

// GroupNorm gives each group of neighbouring channels of each sample the mean 0 and the variance 1, over all its places,
// and then gamma and beta of each channel: Y. Wu and K. He, Group normalization, ECCV 2018. With one group it is layer
// normalization of the whole sample, with as many as channels instance normalization. It is a task with a block for each
// sample, a batch of its own for BatchNorm.
type GroupNorm struct {
	Samples, Rows, Channels int
	Groups                  int       // of Channels/Groups channels
	X, Y                    []float32 // (Samples, Rows, Channels); Y may be X where no gradient is wanted
	Gamma, Beta             []float32 // (Channels): ones and zeros where a layer has none
	Epsilon                 float64

	Workspace []float32 // at least WorkspaceSize numbers, of any value
	Partial   []float64 // at least PartialSize numbers, of any value
}

// shape is a sample's batch without its arrays.
func (n *GroupNorm) shape() BatchNorm {
	return BatchNorm{
		Rows: n.Rows, Channels: n.Channels, Group: n.Channels / max(1, n.Groups),
		Gamma: n.Gamma, Beta: n.Beta, Epsilon: n.Epsilon,
	}
}

// batch returns a sample's batch.
func (n *GroupNorm) batch(i int) BatchNorm {
	b := n.shape()
	size, work, partial := n.Rows*n.Channels, b.WorkspaceSize(), b.PartialSize()
	b.X, b.Y = n.X[i*size:][:size], n.Y[i*size:][:size]
	b.Workspace = n.Workspace[i*work:][:work]
	p := n.Partial[i*(partial+2*n.Channels):][:partial+2*n.Channels]
	b.Partial, b.Mean, b.Variance = p[:partial], p[partial:partial+n.Channels], p[partial+n.Channels:]
	return b
}

// WorkspaceSize returns how many numbers the workspace needs.
func (n *GroupNorm) WorkspaceSize() int {
	b := n.shape()
	return n.Samples * b.WorkspaceSize()
}

// PartialSize returns how many numbers Partial needs: those of the samples' batches, their means and variances.
func (n *GroupNorm) PartialSize() int {
	b := n.shape()
	return n.Samples * (b.PartialSize() + 2*n.Channels)
}

// Blocks returns the number of samples.
func (n *GroupNorm) Blocks() int { return n.Samples }

// Block computes sample i.
func (n *GroupNorm) Block(i int) {
	b := n.batch(i)
	m := BatchMoments{&b}
	for block := range b.Blocks() {
		m.Block(block)
	}
	m.Join()
	for block := range b.Blocks() {
		b.Block(block)
	}
}

// GroupNormGradient is the way back: a task in the same blocks, and Join when all have run.
type GroupNormGradient struct {
	*GroupNorm              // after its pass
	DY, DX        []float32 // DX may be DY
	DGamma, DBeta []float32
	Sums          []float32 // at least 2·Samples·Channels numbers, of any value
}

// Block computes sample i.
func (g *GroupNormGradient) Block(i int) {
	b := g.batch(i)
	size := g.Rows * g.Channels
	dy, dx := g.DY[i*size:][:size], g.DX[i*size:][:size]
	sums := g.Sums[2*g.Channels*i:][:2*g.Channels]
	for block := range b.Blocks() {
		b.sumUp(block, dy)
	}
	b.joinSums(sums[:g.Channels], sums[g.Channels:], false, nil)
	for block := range b.Blocks() {
		b.differentiate(block, dy, dx)
	}
}

// Join sets DGamma and DBeta to the sums of all samples, in their order.
func (g *GroupNormGradient) Join() {
	sumRows(g.DGamma, g.DBeta, g.Sums, g.Samples)
}

// sumRows sets two arrays to the sums of their parts, which follow each other in src so many times.
func sumRows(first, second, src []float32, times int) {
	clear(first)
	clear(second)
	n := len(first)
	for i := range times {
		Add(first, first, src[2*i*n:][:n])
		Add(second, second, src[(2*i+1)*n:][:n])
	}
}
