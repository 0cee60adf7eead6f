package simd

import (
	"math"
	"runtime"
)

// LayerNorm gives each row the mean 0 and the variance 1 and then, element by element, gamma and beta:
//
//	y = (x - mean)/√(variance + epsilon)·gamma + beta
//
// J. L. Ba et al., Layer normalization, 2016; with RMS it divides by √(mean of x² + epsilon) and takes no mean off: B.
// Zhang and R. Sennrich, Root mean square layer normalization, NeurIPS 2019. It is a task in blocks of rows.
type LayerNorm struct {
	Rows, Width int
	X           []float32 // (Rows, Width)
	Residual    []float32 // is added to X first; nil for none
	// The sum of X and Residual, which the gradient needs; nil where it is not wanted, or there is no residual. It may be
	// Residual.
	Sum         []float32
	Gamma, Beta []float32 // (Width): ones and zeros where a layer has none
	Y           []float32 // may be X where no gradient is wanted, or there is Sum
	Epsilon     float64
	RMS         bool
	Stats       []float32 // (Rows, 3), what the gradient needs of each row; nil where it is not wanted
}

// A block of rows has at least so many numbers.
const normBlock = 1 << 14

// Blocks returns into how many blocks, which may be computed at the same time, the rows are cut.
func (n *LayerNorm) Blocks() int {
	return min(max(1, n.Rows*n.Width/normBlock), max(1, n.Rows))
}

func (n *LayerNorm) rows(i int) (r0, r1 int) {
	blocks := n.Blocks()
	return i * n.Rows / blocks, (i + 1) * n.Rows / blocks
}

// Block computes block i.
func (n *LayerNorm) Block(i int) {
	r0, r1 := n.rows(i)
	for r := r0; r < r1; r++ {
		lo, hi := r*n.Width, (r+1)*n.Width
		x, y := n.X[lo:hi], n.Y[lo:hi]
		if n.Residual != nil {
			sum := y
			if n.Sum != nil {
				sum = n.Sum[lo:hi]
			}
			Add(sum, x, n.Residual[lo:hi])
			x = sum
		}
		s := n.standard(x)
		if n.Stats != nil {
			copy(n.Stats[3*r:3*r+3], []float32{s.center, s.factor, s.shift})
		}
		for lo := 0; lo < n.Width; lo += part {
			hi := min(lo+part, n.Width)
			active.kernels.normalize(y[lo:hi], x[lo:hi], n.Gamma[lo:hi], n.Beta[lo:hi], s.center, s.factor, s.shift)
		}
	}
}

// standard is what brings numbers to the mean 0 and the variance 1: (x - center)·factor + shift.
type standard struct{ center, factor, shift float32 }

func (n *LayerNorm) standard(x []float32) (s standard) {
	if !n.RMS {
		s.center = float32(Mean(x))
	}
	total, squares := 0.0, 0.0
	for lo := 0; lo < len(x); lo += part {
		t, q := active.kernels.moments(x[lo:min(lo+part, len(x))], s.center)
		total += float64(t)
		squares += float64(q)
	}
	count, off := float64(len(x)), 0.0
	if !n.RMS {
		off = total / count
	}
	variance := max(0, squares/count-float64(off*off))
	factor := 1 / math.Sqrt(variance+n.Epsilon)
	s.factor, s.shift = float32(factor), float32(-off*factor)
	return s
}

// LayerNormGradient is the way back, up to the sums over each row: a task in the same blocks. [LayerNormColumns] is the
// rest of it.
type LayerNormGradient struct {
	*LayerNorm           // after its pass, with Stats, and Sum if it has a residual
	DY, DX     []float32 // DX becomes the gradient with respect to X and to Residual; it may be DY
	DSum       []float32 // a gradient with respect to Sum that comes from elsewhere; nil for none

	// To these the gradients are added, row after row: how rows are cut into batches changes no bit.
	DGamma, DBeta []float32
	Workspace     []float32 // at least WorkspaceSize numbers, of any value
}

// WorkspaceSize returns how many numbers the workspace needs.
func (g *LayerNormGradient) WorkspaceSize() int { return 2 * g.Rows }

// x is row r of what was normalized.
func (g *LayerNormGradient) x(r int) []float32 {
	if g.Residual != nil {
		return g.Sum[r*g.Width:][:g.Width]
	}
	return g.X[r*g.Width:][:g.Width]
}

func (g *LayerNormGradient) standard(r int) standard {
	return standard{g.Stats[3*r], g.Stats[3*r+1], g.Stats[3*r+2]}
}

// Block computes block i.
func (g *LayerNormGradient) Block(i int) {
	r0, r1 := g.rows(i)
	for r := r0; r < r1; r++ {
		x, dy, s := g.x(r), g.DY[r*g.Width:][:g.Width], g.standard(r)
		plain, weighted := 0.0, 0.0
		for lo := 0; lo < g.Width; lo += part {
			hi := min(lo+part, g.Width)
			p, w := active.kernels.layerSums(dy[lo:hi], x[lo:hi], g.Gamma[lo:hi], s.center, s.factor, s.shift)
			plain += float64(p)
			weighted += float64(w)
		}
		if g.RMS {
			plain = 0
		}
		g.Workspace[2*r], g.Workspace[2*r+1] = float32(plain/float64(g.Width)), float32(weighted/float64(g.Width))
	}
}

// LayerNormColumns is the second half of a [LayerNormGradient], when all blocks of the first have run: a task in blocks of
// columns, since sums over the rows are one chain for each of them.
type LayerNormColumns struct {
	*LayerNormGradient
	cut int // into so many blocks, as Blocks has returned
}

// columnsTogether is how many columns at least a block takes: each row costs it a call.
const columnsTogether = 32

// Blocks returns into how many blocks, which may be computed at the same time, the columns are best cut. It must have been
// called before the blocks are computed: how many depends on the number of cores, which may change meanwhile.
func (c *LayerNormColumns) Blocks() int {
	c.cut = 1
	if c.Rows*c.Width >= 2*normBlock {
		c.cut = min(runtime.GOMAXPROCS(0), max(1, c.Width/columnsTogether))
	}
	return c.cut
}

// Block computes block i.
func (c *LayerNormColumns) Block(i int) {
	lines := (c.Width + columnsTogether - 1) / columnsTogether
	from, to := i*lines/c.cut*columnsTogether, min((i+1)*lines/c.cut*columnsTogether, c.Width)
	for r := range c.Rows {
		x, dy, dx, s := c.x(r), c.DY[r*c.Width:][:c.Width], c.DX[r*c.Width:][:c.Width], c.standard(r)
		for lo := from; lo < to; lo += part {
			hi := min(lo+part, to)
			active.kernels.layerGradient(dx[lo:hi], dy[lo:hi], x[lo:hi], c.Gamma[lo:hi], c.DGamma[lo:hi], c.DBeta[lo:hi],
				s.center, s.factor, s.shift, c.Workspace[2*r], c.Workspace[2*r+1])
		}
		if c.DSum != nil {
			Add(dx[from:to], dx[from:to], c.DSum[r*c.Width:][from:to])
		}
	}
}
