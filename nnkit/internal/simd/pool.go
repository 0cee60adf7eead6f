package simd

import "math"

// Pool is the shape of a pooling: a window slides over images of shape (Batch, Height, Width, Channels), and each channel
// of it is made one number. The result is (Batch, OutHeight, OutWidth, Channels). A stride of 0 is the window's size.
// What a window covers outside of the image is left out.
type Pool struct {
	Batch, Height, Width, Channels       int
	WindowHeight, WindowWidth            int
	StrideHeight, StrideWidth            int
	PadTop, PadBottom, PadLeft, PadRight int
}

// GlobalPool is the pooling whose window is the whole image.
func GlobalPool(batch, height, width, channels int) Pool {
	return Pool{Batch: batch, Height: height, Width: width, Channels: channels, WindowHeight: height, WindowWidth: width}
}

// OutHeight returns the height of the result, 0 if the window does not fit.
func (p *Pool) OutHeight() int {
	return outputs(p.Height+p.PadTop+p.PadBottom, p.WindowHeight, p.strideHeight(), 1)
}

// OutWidth returns the width of the result, 0 if the window does not fit.
func (p *Pool) OutWidth() int {
	return outputs(p.Width+p.PadLeft+p.PadRight, p.WindowWidth, p.strideWidth(), 1)
}

func (p *Pool) strideHeight() int { return strideOr(p.StrideHeight, p.WindowHeight) }
func (p *Pool) strideWidth() int  { return strideOr(p.StrideWidth, p.WindowWidth) }

func strideOr(stride, window int) int {
	if stride == 0 {
		return window
	}
	return stride
}

// So many numbers of the image are a block.
const poolBlock = 1 << 16

func (p *Pool) together() int {
	return max(1, poolBlock/max(1, p.Height*p.Width*p.Channels))
}

// Blocks returns into how many blocks of images, which may be computed at the same time, the pooling is best cut.
func (p *Pool) Blocks() int { return (p.Batch + p.together() - 1) / p.together() }

// MaxPool sets Y to the largest number of each window, -infinite for a window that covers nothing of the image. NaN is
// larger than all, as in PyTorch.
type MaxPool struct {
	Pool
	X, Y []float32
}

// Block computes block i.
func (m *MaxPool) Block(i int) { m.run(i, poolMax, m.X, m.Y, nil, nil, 0) }

// AveragePool sets Y to the mean of each window: of what lies in the image, or with CountPadding as if zeros were around
// it. It is 0 for a window that covers nothing of the image.
type AveragePool struct {
	Pool
	X, Y         []float32
	CountPadding bool
}

// Block computes block i.
func (a *AveragePool) Block(i int) { a.run(i, poolSum, a.X, a.Y, nil, nil, a.divisor(a.CountPadding)) }

// divisor is the number that sums are divided by, 0 if that is how many there are.
func (p *Pool) divisor(countPadding bool) float32 {
	if countPadding {
		return float32(p.WindowHeight * p.WindowWidth)
	}
	return 0
}

// MaxPoolGradient is the gradient of MaxPool, from its X and Y: DX is, for each number, the sum of the DY of those windows
// of which it is the largest, in ascending order. Of equal ones that is the first, row by row; of several NaN, too. With
// ReLU, DY counts as 0 where Y is not above 0: it is the gradient of the ReLU whose value X is as well.
type MaxPoolGradient struct {
	Pool
	X, Y, DY, DX []float32
	ReLU         bool
}

// Block computes block i.
func (m *MaxPoolGradient) Block(i int) {
	limit := float32(math.NaN()) // nothing is at or below it
	if m.ReLU {
		limit = 0
	}
	m.run(i, poolMaxGradient, m.X, m.Y, m.DX, m.DY, limit)
}

// AveragePoolGradient is the gradient of AveragePool: DX is, for each number, the sum of DY divided by what the mean was
// divided by, over the windows that cover it, in ascending order.
type AveragePoolGradient struct {
	Pool
	DY, DX       []float32
	CountPadding bool
}

// Block computes block i.
func (a *AveragePoolGradient) Block(i int) {
	a.run(i, poolSumGradient, a.DX, a.DY, a.DX, a.DY, a.divisor(a.CountPadding))
}

// poolKind says what becomes of a window.
type poolKind int

const (
	poolMax poolKind = iota
	poolSum
	poolMaxGradient
	poolSumGradient
)

// windows are neighbours in a row that cover the same part of a window.
type windows struct {
	kind          poolKind
	n, channels   int
	rows, columns int // of a window
	step          int // from one window to the next, in numbers of x
	xRow, xColumn int
	x, y, dx, dy  []float32
	factor        float32 // what sums are divided by, or what y must be above for a gradient
	alone         bool    // no other window covers these numbers of dx
}

// run computes block i. factor of 0 stands for the numbers in a window where these are summed.
func (p *Pool) run(i int, kind poolKind, x, y, dx, dy []float32, factor float32) {
	rows := axis{p.Height, p.OutHeight(), p.WindowHeight, p.strideHeight(), 1, p.PadTop}
	columns := axis{p.Width, p.OutWidth(), p.WindowWidth, p.strideWidth(), 1, p.PadLeft}
	from, to := newPlane(rows.in, columns.in, p.Channels), newPlane(rows.out, columns.out, p.Channels)
	w := windows{
		kind: kind, channels: p.Channels, step: columns.stride * p.Channels, xRow: from.row, xColumn: from.column,
		alone: rows.stride >= rows.taps && columns.stride >= columns.taps,
	}
	for n := i * p.together(); n < min((i+1)*p.together(), p.Batch); n++ {
		cleared := 0 // rows of dx
		for q := range rows.out {
			row0, row1 := rows.inside(q)
			if dx != nil && row0 < row1 {
				to := rows.at(q, row1-1) + 1
				clear(dx[n*from.image+cleared*from.row : n*from.image+max(cleared, to)*from.row])
				cleared = max(cleared, to)
			}
			for c := 0; c < columns.out; {
				column0, column1, next := columns.span(c, columns.out)
				w.n, w.rows, w.columns = next-c, row1-row0, column1-column0
				at := n*to.image + q*to.row + c*to.column
				end := at + w.n*p.Channels
				w.y = y[at:end]
				if dy != nil {
					w.dy = dy[at:end]
				}
				w.factor = factor
				if factor == 0 && (kind == poolSum || kind == poolSumGradient) {
					w.factor = float32(max(1, w.rows*w.columns))
				}
				if w.rows*w.columns > 0 {
					from := n*from.image + rows.at(q, row0)*from.row + columns.at(c, column0)*from.column
					w.x = x[from:]
					if dx != nil {
						w.dx = dx[from:]
					}
					w.compute()
				} else if kind == poolMax || kind == poolSum {
					w.empty()
				}
				c = next
			}
		}
		if dx != nil {
			clear(dx[n*from.image+cleared*from.row : (n+1)*from.image])
		}
	}
}

// empty sets y for windows without numbers.
func (w *windows) empty() {
	v := float32(0)
	if w.kind == poolMax {
		v = float32(math.Inf(-1))
	}
	for i := range w.y {
		w.y[i] = v
	}
}

// compute is, for each window, channel and, where it has several, number x of the window:
//
//	poolMax          y = x where x > y or x is NaN; y begins as -∞
//	poolSum          y += x, then y /= factor
//	poolMaxGradient  dx += dy where x is the first that is y or NaN; dy counts as 0 where y <= factor
//	poolSumGradient  dx += dy/factor
func (w *windows) compute() {
	if w.channels > 0 && !w.inVectors() {
		w.inGo()
	}
}

func (w *windows) inGo() {
	for i := range w.n {
		for c := range w.channels {
			w.window(i*w.step+c, i*w.channels+c)
		}
	}
}

// window computes the window that begins at x[from], whose result is y[at].
func (w *windows) window(from, at int) {
	y := w.y[at]
	switch w.kind {
	case poolMax:
		y = float32(math.Inf(-1))
	case poolSum:
		y = 0
	}
	var dy float32
	switch w.kind {
	case poolMaxGradient:
		if dy = w.dy[at]; y <= w.factor {
			dy = 0
		}
	case poolSumGradient:
		dy = w.dy[at] / w.factor
	}
	for r := range w.rows {
		for c := range w.columns {
			i := from + r*w.xRow + c*w.xColumn
			switch w.kind {
			case poolMax:
				if x := w.x[i]; x > y || x != x {
					y = x
				}
			case poolSum:
				y += w.x[i]
			case poolMaxGradient:
				if x := w.x[i]; x == y || x != x {
					w.dx[i] += dy
					dy = 0
				}
			case poolSumGradient:
				w.dx[i] += dy
			}
		}
	}
	switch w.kind {
	case poolMax:
		w.y[at] = y
	case poolSum:
		w.y[at] = y / w.factor
	}
}
