//go:build !purego

package simd

// A call of pooling adds up at most so many vectors, which takes less than 2 µs, and has so many channels.
const (
	poolVectors  = 512
	poolChannels = 1024
)

// inVectors computes the windows by vectors of channels, for the sets that have them.
func (w *windows) inVectors() bool {
	if active == portable {
		return false
	}
	w.check()
	lanes := active.lanes
	for c := 0; c < w.channels; c += poolChannels {
		channels := min(poolChannels, w.channels-c)
		last := (channels-1)%lanes + 1
		p := patch{
			mask: 1<<last - 1, masks: &lanesInUse[8-min(last, 8)],
			xPixel: uintptr(w.step) * 4, yPixel: uintptr(w.channels) * 4,
			xRow: uintptr(w.xRow) * 4, xColumn: uintptr(w.xColumn) * 4, factor: w.factor,
		}
		if w.alone {
			p.alone = 1
		}
		p.rows, p.columns = w.rows, w.columns
		one := w.rows * w.columns * ((channels + lanes - 1) / lanes) // vectors of a window
		if one > poolVectors {
			for i := range w.n {
				w.inPieces(p, i*w.step+c, i*w.channels+c, channels)
			}
			continue
		}
		for i := 0; i < w.n; {
			p.pixels = min(w.n-i, poolVectors/one)
			w.call(&p, i*w.step+c, i*w.channels+c, channels)
			i += p.pixels
		}
	}
	return true
}

// call computes windows from x[from] and y[at] on.
func (w *windows) call(p *patch, from, at, channels int) {
	p.x, p.y, p.channels = &w.x[from], &w.y[at], channels
	if w.dx != nil {
		p.dx, p.dy = &w.dx[from], &w.dy[at]
	}
	w.kernel(p)
}

func (w *windows) kernel(p *patch) {
	wide := active.lanes == shapeAVX512.lanes
	switch w.kind {
	case poolMax:
		if wide {
			poolMaxAVX512(p)
		} else {
			poolMaxAVX2(p)
		}
	case poolSum:
		if wide {
			poolSumAVX512(p)
		} else {
			poolSumAVX2(p)
		}
	case poolMaxGradient:
		if wide {
			poolMaxGradientAVX512(p)
		} else {
			poolMaxGradientAVX2(p)
		}
	case poolSumGradient:
		if wide {
			poolSumGradientAVX512(p)
		} else {
			poolSumGradientAVX2(p)
		}
	}
}

// inPieces computes one window in pieces of rows, or of one. What a piece leaves of dy is for those behind it.
func (w *windows) inPieces(p patch, from, at, channels int) {
	vectors := (channels + active.lanes - 1) / active.lanes
	columns := min(w.columns, max(1, poolVectors/vectors))
	rows := 1
	if columns == w.columns {
		rows = max(1, poolVectors/vectors/columns)
	}
	var rest [poolChannels]float32
	if w.kind == poolMaxGradient {
		copy(rest[:channels], w.dy[at:])
		p.more = 1
	}
	p.pixels = 1
	for r := 0; r < w.rows; r += rows {
		for c := 0; c < w.columns; c += columns {
			p.rows, p.columns = min(rows, w.rows-r), min(columns, w.columns-c)
			p.factor = w.factor
			if last := r+rows >= w.rows && c+columns >= w.columns; w.kind == poolSum && !last {
				p.factor = 1
			}
			from := from + r*w.xRow + c*w.xColumn
			p.x, p.y, p.channels = &w.x[from], &w.y[at], channels
			switch w.kind {
			case poolMaxGradient:
				p.dx, p.dy = &w.dx[from], &rest[0]
			case poolSumGradient:
				p.dx, p.dy = &w.dx[from], &w.dy[at]
			}
			w.kernel(&p)
			if w.kind == poolMax || w.kind == poolSum {
				p.more = 1
			}
		}
	}
}

// check panics where the last elements are outside of their slices: assembly would write there.
func (w *windows) check() {
	x, y := (w.n-1)*w.step+(w.rows-1)*w.xRow+(w.columns-1)*w.xColumn+w.channels-1, w.n*w.channels-1
	_, _ = w.x[x], w.y[y]
	if w.dx != nil {
		_, _ = w.dx[x], w.dy[y]
	}
}
