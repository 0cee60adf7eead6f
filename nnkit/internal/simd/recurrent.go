package simd

// A recurrent layer goes through a sequence step by step, and only the product with the state has to wait for the step
// before. So the sums over the inputs of all steps are one product, and so are the gradients of the weights. In between,
// the rows of the batch know nothing of each other: each block takes some of them through all steps.

// Cell is the kind of a recurrent layer's cell.
type Cell int

const (
	// TanhCell is h = tanh(x·W + h·R + b), PyTorch's RNN and Keras' SimpleRNN.
	TanhCell Cell = iota
	// ReLUCell is the same with max(0, x).
	ReLUCell
	// LSTMCell has four gates: i, f, c (the candidate), o. S. Hochreiter and J. Schmidhuber, Long short-term memory,
	// Neural Computation 9(8), 1997.
	LSTMCell
	// GRUCell has three gates, z, r, h (the candidate), and two biases; r is applied after the product with the state,
	// as cuDNN has it, PyTorch, and Keras by reset_after: h = z·h + (1-z)·tanh(x·Wh + b + r·(h·Rh + b')). K. Cho et al.,
	// Learning phrase representations using RNN encoder-decoder, EMNLP 2014.
	GRUCell
)

// Gates returns how many columns the kernels have for each unit.
func (c Cell) Gates() int {
	switch c {
	case LSTMCell:
		return 4
	case GRUCell:
		return 3
	default:
		return 1
	}
}

// Recurrent is the forward pass of a recurrent layer over sequences. It is a task in blocks of rows of the batch.
type Recurrent struct {
	Cell                         Cell
	Batch, Time, Features, Units int

	X []float32 // (Batch, Time, Features)
	// Keras' weights, the gates next to each other: (Features, Gates·Units) and (Units, Gates·Units).
	Kernel, RecurrentKernel []float32
	Bias                    []float32 // (Gates·Units); (2, 3·Units) for GRU, that of the inputs first; nil for none

	// The state, (Batch, Units): before the first step on entry, after the last one on return, which is the output where
	// only the last step's is wanted. C is LSTM's alone.
	H, C []float32
	// The outputs of all steps, (Batch, Time, Units); nil for none. A step's output stands where its input does, in
	// either direction.
	Y []float32

	Reversed bool // from the last step to the first
	// Where Mask, (Batch, Time), is false a step leaves the state of its row as it is, and puts it out; nil for none.
	Mask []bool

	// Training keeps in Workspace what RecurrentGradient needs.
	Training  bool
	Workspace []float32 // at least WorkspaceSize numbers, of any value
}

// rowsTogether is how many rows of the batch a block has at most: two tiles high, so that what the first of them copies
// of the recurrent kernel is used again.
const rowsTogether = 16

// Blocks returns into how many blocks, which may be computed at the same time, the batch is cut.
func (r *Recurrent) Blocks() int {
	if r.Batch*r.Time*r.columns()*(r.Units+r.Features) < smallProduct {
		return 1
	}
	return (r.Batch + rowsTogether - 1) / rowsTogether
}

// rows returns the first row of block i and the first behind it. They are divided evenly.
func (r *Recurrent) rows(i int) (r0, r1 int) {
	n := r.Blocks()
	return i * r.Batch / n, (i + 1) * r.Batch / n
}

// Block computes block i.
func (r *Recurrent) Block(i int) {
	m := r.memory()
	r0, r1 := r.rows(i)
	if r0 == r1 {
		return
	}
	if r.Cell == GRUCell {
		r.joinBiases(&m, i)
	}
	// Few rows read the kernel best once for all steps; many have it from the cache, and then the gates, too.
	early := r1-r0 < rowsTogether/2
	if early {
		r.project(&m, i, r0*r.Time, (r1-r0)*r.Time, 1)
	}
	for s := range r.Time {
		t := r.at(s)
		if !early {
			r.project(&m, i, r0*r.Time+t, r1-r0, r.Time)
		}
		r.step(&m, i, t, r0, r1)
	}
	if r.Training { // each block a share
		n := r.Blocks()
		transposeRows(m.transposed, r.RecurrentKernel, i*r.Units/n, (i+1)*r.Units/n, r.Units, r.columns())
	}
}

// at returns the place of step s in the sequence.
func (r *Recurrent) at(s int) int {
	if r.Reversed {
		return r.Time - 1 - s
	}
	return s
}

// columns is the width of the kernels.
func (r *Recurrent) columns() int { return r.Cell.Gates() * r.Units }

// The gates of a row and step are those of the kernels, next to each other. GRU's candidate has two sums, of which the
// state's takes its place behind z and r, so that all that comes from the state is together; the inputs' stands before.

// width is how many numbers the gates of a row and step have, rounded up to an odd number of cache lines: rows that are
// a power of two apart would have the same places in the cache.
func (r *Recurrent) width() int { return ((r.fromState()+r.columns()+15)/16 | 1) * 16 }

// fromState is where the sums over the state begin.
func (r *Recurrent) fromState() int {
	if r.Cell == GRUCell {
		return r.Units
	}
	return 0
}

// WorkspaceSize returns how many numbers the workspace needs.
func (r *Recurrent) WorkspaceSize() int {
	n := 0
	for _, size := range r.sizes() {
		n += size
	}
	return n
}

// memory is the workspace.
type memory struct {
	gates      []float32 // (Batch, Time, width)
	biases     []float32 // GRU's, for each block, laid out as the gates
	h, c       []float32 // the state before each step, (Batch, Time, Units)
	transposed []float32 // the recurrent kernel, (columns, Units)
}

func (r *Recurrent) sizes() (n [5]int) {
	steps := r.Batch * r.Time
	n[0] = steps * r.width()
	if r.Cell == GRUCell {
		n[1] = r.Blocks() * r.width()
	}
	if r.Training {
		n[2], n[4] = steps*r.Units, r.columns()*r.Units
		if r.Cell == LSTMCell {
			n[3] = steps * r.Units
		}
	}
	return n
}

func (r *Recurrent) memory() (m memory) {
	n, rest := r.sizes(), r.Workspace
	for i, part := range []*[]float32{&m.gates, &m.biases, &m.h, &m.c, &m.transposed} {
		*part, rest = rest[:n[i]:n[i]], rest[n[i]:]
	}
	return m
}

// gates returns those of a row and step.
func (r *Recurrent) gates(m *memory, row, t int) []float32 {
	return m.gates[(row*r.Time+t)*r.width():][:r.width()]
}

// before returns what array, the states before the steps, has for a row and step.
func (r *Recurrent) before(array []float32, row, t int) []float32 {
	return array[(row*r.Time+t)*r.Units:][:r.Units]
}

func (r *Recurrent) masked(row, t int) bool { return r.Mask != nil && !r.Mask[row*r.Time+t] }

// project sets the gates of so many rows and steps, the first of them and how far they are apart being given, to the sums
// over the inputs and the bias.
func (r *Recurrent) project(m *memory, block, first, count, apart int) {
	bias := r.Bias
	if r.Cell == GRUCell {
		bias = m.biases[block*r.width():][:r.width()]
	}
	for _, s := range r.spans() {
		if s.width == 0 {
			continue
		}
		p := Product{
			M: count, N: s.width, K: r.Features,
			A: View{after(r.X, first*r.Features), apart * r.Features, 1}, B: RowMajor(after(r.Kernel, s.column), r.columns()),
			C: after(m.gates, first*r.width()+s.gate), Stride: apart * r.width(),
		}
		if bias != nil {
			p.Start = bias[s.gate:]
		}
		p.Part(0, p.M, 0, p.N)
	}
}

// span is a range of the kernel's columns and where the gates have it.
type span struct{ column, gate, width int }

// spans are the ranges of the sums over the inputs, the second of which is GRU's candidate.
func (r *Recurrent) spans() [2]span {
	if r.Cell == GRUCell {
		return [2]span{{0, r.Units, 2 * r.Units}, {2 * r.Units, 0, r.Units}}
	}
	return [2]span{{0, 0, r.columns()}}
}

// after is data[from:], and nothing where data is empty.
func after(data []float32, from int) []float32 { return data[min(from, len(data)):] }

// joinBiases sets GRU's biases as the gates begin with them.
func (r *Recurrent) joinBiases(m *memory, block int) {
	u := r.Units
	b := m.biases[block*r.width():][:r.width()]
	if r.Bias == nil {
		clear(b)
		return
	}
	inputs, state := r.Bias[:3*u], r.Bias[3*u:6*u]
	copy(b, inputs[2*u:])
	Add(b[u:3*u], inputs[:2*u], state[:2*u])
	copy(b[3*u:], state[2*u:])
}

// step takes rows r0 to r1-1 through the step at t.
func (r *Recurrent) step(m *memory, block, t, r0, r1 int) {
	u := r.Units
	for row := r0; row < r1; row++ {
		if r.Training {
			copy(r.before(m.h, row, t), r.H[row*u:])
			if r.Cell == LSTMCell {
				copy(r.before(m.c, row, t), r.C[row*u:])
			}
		}
		if r.Cell == GRUCell {
			copy(r.gates(m, row, t)[3*u:], m.biases[block*r.width()+3*u:])
		}
	}
	sums := m.gates[(r0*r.Time+t)*r.width()+r.fromState():]
	p := Product{
		M: r1 - r0, N: r.columns(), K: u,
		A: RowMajor(r.H[r0*u:], u), B: RowMajor(r.RecurrentKernel, r.columns()),
		C: sums, Stride: r.Time * r.width(), Start: sums, StartStride: r.Time * r.width(),
	}
	p.Part(0, p.M, 0, p.N)
	for row := r0; row < r1; row++ {
		h := r.H[row*u:][:u]
		if !r.masked(row, t) {
			r.cell(r.gates(m, row, t), h, row)
		}
		if r.Y != nil {
			copy(r.before(r.Y, row, t), h)
		}
	}
}

// cell replaces the sums in g by the gates' values, and the row's state by the one after the step.
func (r *Recurrent) cell(g, h []float32, row int) {
	u := r.Units
	switch r.Cell {
	case LSTMCell:
		lstmCell(g[:u], g[u:2*u], g[2*u:3*u], g[3*u:], r.C[row*u:][:u], h)
	case GRUCell:
		gruCell(g[:u], g[u:2*u], g[2*u:3*u], g[3*u:], h)
	case ReLUCell:
		ReLU(g, g)
		copy(h, g)
	default:
		Tanh(g, g)
		copy(h, g)
	}
}
