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

// Blocks returns into how many blocks, which may be computed at the same time, the gradients are cut.
func (w *RecurrentWeights) Blocks() int {
	work, n := 0, 0
	for _, p := range w.products() {
		work += p.M * p.N * p.K
		n += p.Blocks()
	}
	if work < smallProduct {
		return 1
	}
	return n
}

// Block computes block i.
func (w *RecurrentWeights) Block(i int) {
	all := w.Blocks() == 1
	for _, p := range w.products() {
		n := p.Blocks()
		if all || 0 <= i && i < n {
			p.Block(max(0, i))
		}
		i -= n
	}
}

// products are those that the gradients are, the largest first.
func (w *RecurrentWeights) products() (list [6]Product) {
	m := w.memory()
	sums := after(m.gates, w.fromState())
	list[0] = w.over(RowMajor(m.h, w.Units), w.Units, sums, w.columns(), w.DRecurrentKernel)
	for i, s := range w.spans() {
		gates := after(m.gates, s.gate)
		list[1+i] = w.over(RowMajor(w.X, w.Features), w.Features, gates, s.width, after(w.DKernel, s.column))
		if w.DBias != nil {
			list[3+i] = w.over(View{Data: one[:]}, 1, gates, s.width, after(w.DBias, s.column))
		}
	}
	if w.DBias != nil && w.Cell == GRUCell {
		list[5] = w.over(View{Data: one[:]}, 1, sums, w.columns(), w.DBias[w.columns():])
	}
	return list
}

// over is the product of left, transposed, with the gates from some column on, over all rows and steps.
func (w *RecurrentWeights) over(left View, m int, gates []float32, n int, c []float32) Product {
	return Product{
		M: m, N: n, K: w.Batch * w.Time,
		A: left.Transposed(), B: RowMajor(gates, w.width()), C: c, Stride: w.columns(),
	}
}
