package simd

// RecurrentGradient is the way back through time. It is a task in the blocks of the forward pass, whose values in the
// workspace it replaces by gradients: it can run once after it, and RecurrentWeights then.
type RecurrentGradient struct {
	*Recurrent           // after its pass, with Training
	DY         []float32 // the gradient with respect to Y; nil for none
	// The gradients with respect to the state, (Batch, Units): that after the last step on entry, that before the first
	// one on return. DC is LSTM's alone.
	DH, DC []float32
	DX     []float32 // becomes the gradient with respect to X; nil where it is not wanted
}

// Block computes block i.
func (g *RecurrentGradient) Block(i int) {
	m := g.memory()
	r0, r1 := g.rows(i)
	if r0 == r1 {
		return
	}
	for s := g.Time - 1; s >= 0; s-- {
		g.step(&m, g.at(s), r0, r1)
	}
	if g.DX != nil {
		g.inputs(&m, r0, r1)
	}
}

// step goes back through the step at t.
func (g *RecurrentGradient) step(m *memory, t, r0, r1 int) {
	u := g.Units
	for row := r0; row < r1; row++ {
		dh := g.DH[row*u:][:u]
		if g.DY != nil {
			Add(dh, dh, g.before(g.DY, row, t))
		}
		if gates := g.gates(m, row, t); g.masked(row, t) {
			clear(gates)
		} else {
			g.cell(m, gates, dh, row, t)
		}
	}
	p := Product{
		M: r1 - r0, N: u, K: g.columns(),
		A: View{m.gates[(r0*g.Time+t)*g.width()+g.fromState():], g.Time * g.width(), 1}, B: RowMajor(m.transposed, u),
		C: g.DH[r0*u:], Stride: u, Start: g.DH[r0*u:], StartStride: u,
	}
	p.Part(0, p.M, 0, p.N)
}

// cell replaces the gates by the gradients with respect to their sums, and dh by what of it goes past them.
func (g *RecurrentGradient) cell(m *memory, gates, dh []float32, row, t int) {
	u := g.Units
	switch g.Cell {
	case LSTMCell:
		lstmCellGradient(gates[:u], gates[u:2*u], gates[2*u:3*u], gates[3*u:], g.before(m.c, row, t), g.DC[row*u:][:u], dh)
		clear(dh)
	case GRUCell:
		gruCellGradient(gates[:u], gates[u:2*u], gates[2*u:3*u], gates[3*u:], g.before(m.h, row, t), dh)
	case ReLUCell:
		ReLUGradient(dh, gates)
		copy(gates, dh)
		clear(dh)
	default:
		TanhGradient(dh, gates)
		copy(gates, dh)
		clear(dh)
	}
}

// inputs computes DX of rows r0 to r1-1.
func (g *RecurrentGradient) inputs(m *memory, r0, r1 int) {
	dx := g.DX[r0*g.Time*g.Features:]
	var start []float32
	for _, s := range g.spans() {
		if s.width == 0 {
			continue
		}
		p := Product{
			M: (r1 - r0) * g.Time, N: g.Features, K: s.width,
			A: RowMajor(after(m.gates, r0*g.Time*g.width()+s.gate), g.width()), B: RowMajor(after(g.Kernel, s.column), g.columns()).Transposed(),
			C: dx, Stride: g.Features, Start: start, StartStride: g.Features,
		}
		p.Part(0, p.M, 0, p.N)
		start = dx
	}
}

// RecurrentWeights are the gradients with respect to the weights, each laid out as these are. It is a task to run after
// RecurrentGradient.
type RecurrentWeights struct {
	*Recurrent
	DKernel, DRecurrentKernel []float32
	DBias                     []float32 // nil for none
}

// Blocks returns into how many blocks, which may be computed at the same time, the gradients are cut: by columns, so
// that a block has its part of the gates in the cache when it comes to the second product.
func (w *RecurrentWeights) Blocks() int {
	columns := w.columns()
	if w.Batch*w.Time*columns*(w.Units+w.Features) < smallProduct {
		return 1
	}
	return (columns + blockColumns - 1) / blockColumns
}

// Block computes block i.
func (w *RecurrentWeights) Block(i int) {
	m, columns := w.memory(), w.columns()
	n := (columns + w.Blocks() - 1) / w.Blocks()
	j0, j1 := i*n, min((i+1)*n, columns)
	state := span{0, w.fromState(), columns}
	w.over(&m, RowMajor(m.h, w.Units), w.Units, state, w.DRecurrentKernel, j0, j1)
	ones := View{Data: one[:]}
	for _, s := range w.spans() {
		w.over(&m, RowMajor(w.X, w.Features), w.Features, s, w.DKernel, j0, j1)
		if w.DBias != nil {
			w.over(&m, ones, 1, s, w.DBias, j0, j1)
		}
	}
	if w.DBias != nil && w.Cell == GRUCell {
		w.over(&m, ones, 1, state, w.DBias[columns:], j0, j1)
	}
}

// over sets columns j0 to j1-1 of c, as far as a span has them, to those of left, transposed, times the gates, over all
// rows and steps.
func (w *RecurrentWeights) over(m *memory, left View, rows int, s span, c []float32, j0, j1 int) {
	p := Product{
		M: rows, N: s.width, K: w.Batch * w.Time,
		A: left.Transposed(), B: RowMajor(after(m.gates, s.gate), w.width()), C: after(c, s.column), Stride: w.columns(),
	}
	p.Part(0, p.M, max(0, j0-s.column), min(s.width, j1-s.column))
}
