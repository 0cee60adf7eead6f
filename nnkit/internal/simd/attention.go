package simd

import "github.com/seed5607215b/nnkit/nnkit/internal/random"

// Heads are vectors of numbers, one for each position of each sequence of a batch and for each head: that of head h at
// position t of sequence b, in sequences of so many positions, begins at Data[(b*positions+t)*RowStride+h*HeadStride].
// So queries, keys and values may lie side by side in the rows of one matrix, and heads next to each other.
type Heads struct {
	Data                  []float32
	RowStride, HeadStride int
}

// at is the matrix of one head of one sequence, from a position on.
func (h Heads) at(row, head int) View {
	return RowMajor(h.Data[row*h.RowStride+head*h.HeadStride:], h.RowStride)
}

// Attention is multi-head scaled dot-product attention, for each sequence of a batch and each head
//
//	P = softmax(Scale·Q·Kᵀ + mask)    O = P·V
//
// by A. Vaswani and others, Attention is all you need, NeurIPS 2017. Blocks may be computed at the same time, and how the
// work is cut changes no bit.
//
// Only a block of rows of P exists at a time, so that memory does not grow with the square of the length; unlike in T. Dao
// and others, FlashAttention, NeurIPS 2022, whose memory is not the registers', the rows are whole.
type Attention struct {
	Batch, Heads  int
	Queries, Keys int // positions
	Width         int // numbers of a head's queries and keys
	ValueWidth    int // and of its values and outputs

	Q, K, V, O Heads
	Scale      float32 // 1/√Width, as a rule

	// Mask is added to the scaled scores: 0 for what is seen, -infinite for what is not. The row for a query of a sequence
	// begins at Mask[sequence*MaskBatch+query*MaskRow]; with strides of 0 it is the same for all. nil for none. A query
	// that sees no key gets zeros.
	Mask               []float32
	MaskBatch, MaskRow int
	Causal             bool // query i sees keys 0 to i

	// A share of P is dropped before it meets V, as [Dropout] does, from number At of the stream on: none if it is 0.
	// DropoutNumbers says how many numbers it takes.
	DropoutRate float32
	Stream      random.Stream
	At          uint64

	// Probabilities gets P, of Scores numbers, if it is not nil: then the gradient need not compute it again, which changes
	// no bit. It pays for short sequences.
	Probabilities []float32
}

// Scores returns how many numbers Probabilities has: its rows, one for each query, have a stride.
func (a *Attention) Scores() int { return a.Batch * a.Heads * a.Queries * a.stride() }

// DropoutNumbers returns how many numbers of its stream the dropout of P takes: whole groups for each query.
func (a *Attention) DropoutNumbers() int { return a.Batch * a.Heads * a.Queries * a.dropoutStride() }

func (a *Attention) dropoutStride() int { return (a.Keys + group - 1) / group * group }

// stride returns the distance between rows of P: an odd number of cache lines where they are long, since a power of two
// would put too many of them at the same place of the first cache.
func (a *Attention) stride() int {
	const line = 16
	if a.Keys < 8*line {
		return a.Keys
	}
	return ((a.Keys+line-1)/line | 1) * line
}

// scoresAtOnce is how many scores a block of rows may have, so that they stay in the second cache together with what they
// are computed from; but rows are not fewer than fewestRows, since keys are read for each block.
const scoresAtOnce, fewestRows = 1 << 16, 112

// rowsAtOnce returns how many queries are taken at once.
func (a *Attention) rowsAtOnce() int {
	return min(a.Queries, max(fewestRows, scoresAtOnce/max(1, a.Keys)))
}

// pieces returns into how many blocks of rows the queries of a head are cut.
func (a *Attention) pieces() int {
	rows := a.rowsAtOnce()
	if rows == 0 {
		return 0
	}
	return (a.Queries + rows - 1) / rows
}

// Blocks returns into how many blocks, which may be computed at the same time, the attention is best cut.
func (a *Attention) Blocks() int {
	together := a.together()
	return (a.Batch*a.Heads*a.pieces() + together - 1) / together
}

// together returns how many small pieces make a block.
func (a *Attention) together() int {
	return max(1, smallProduct/max(1, a.rowsAtOnce()*a.Keys*(a.Width+a.ValueWidth)))
}

// Block computes block i.
func (a *Attention) Block(i int) {
	s := scratches.borrow()
	defer scratches.giveBack(s)
	together, pieces := a.together(), a.pieces()
	for n := i * together; n < min((i+1)*together, a.Batch*a.Heads*pieces); n++ {
		p := a.piece(n/pieces, n%pieces, s)
		p.probabilities(s)
		multiply(p.queries(p.O), p.dropped(s), p.allKeys(p.V), p.rows, p.ValueWidth, p.keys, false)
	}
}

// piece is a block of rows of one head: queries from to from+rows-1 of a sequence, and the keys that they see.
type piece struct {
	*Attention
	sequence, head   int
	from, rows, keys int
	p                View // probabilities, rows×keys
}

// piece returns piece n of a head; heads are numbered through the batch. Its probabilities are in Probabilities or in
// scratch memory.
func (a *Attention) piece(head, n int, s *scratch) piece {
	rows := a.rowsAtOnce()
	p := piece{Attention: a, sequence: head / a.Heads, head: head % a.Heads, from: n * rows}
	p.rows, p.keys = min(rows, a.Queries-p.from), a.Keys
	if a.Causal {
		p.keys = min(a.Keys, p.from+p.rows)
	}
	if a.Probabilities != nil {
		p.p = RowMajor(a.Probabilities[(head*a.Queries+p.from)*a.stride():], a.stride())
	} else {
		p.p = p.matrix(&s.p)
	}
	return p
}

// matrix is a matrix of the piece's scores in a scratch array, which grows if it must.
func (p *piece) matrix(array *[]float32) View {
	n := p.rows * p.stride()
	if cap(*array) < n {
		*array = make([]float32, n)
	}
	return RowMajor((*array)[:n], p.stride())
}

func (p *piece) queries(of Heads) View { return of.at(p.sequence*p.Queries+p.from, p.head) }
func (p *piece) allKeys(of Heads) View { return of.at(p.sequence*p.Attention.Keys, p.head) }

// probabilities computes the piece of P.
func (p *piece) probabilities(s *scratch) {
	scores := p.matrix(&s.scores)
	multiply(scores, p.queries(p.Q), p.allKeys(p.K).Transposed(), p.rows, p.keys, p.Width, false)
	rows := SoftmaxRows{
		Rows: p.rows, Width: p.keys, Dst: p.p.Data, DstStride: p.p.RowStride, Src: scores.Data, SrcStride: scores.RowStride,
		Scale: p.Scale, Causal: p.Causal, Seen: p.from + 1, MaskStride: p.MaskRow,
	}
	if p.Mask != nil {
		rows.Mask = p.Mask[p.sequence*p.MaskBatch+p.from*p.MaskRow:]
	}
	rows.Run()
}

// dropped returns P, or what is left of it.
func (p *piece) dropped(s *scratch) View {
	if p.DropoutRate == 0 {
		return p.p
	}
	left := p.matrix(&s.dropped)
	p.drop(left, p.p)
	return left
}

// drop applies the dropout to the piece's matrix of probabilities, or of their gradients.
func (p *piece) drop(dst, src View) {
	each := p.dropoutStride()
	at := p.At + uint64(((p.sequence*p.Heads+p.head)*p.Queries+p.from)*each)
	rows, width := p.rows, p.keys
	if width == each && dst.RowStride == each { // they lie behind each other
		rows, width = 1, rows*each
	}
	for r := range rows {
		Dropout(dst.Data[r*dst.RowStride:][:width], src.Data[r*src.RowStride:], p.Stream, at+uint64(r*each), p.DropoutRate)
	}
}

// multiply is c = a·b, of m×n, or c += a·b.
func multiply(c, a, b View, m, n, k int, add bool) {
	p := Product{M: m, N: n, K: k, A: a, B: b, C: c.Data, Stride: c.RowStride}
	if add {
		p.Start, p.StartStride = c.Data, c.RowStride
	}
	p.Part(0, m, 0, n)
}

// AttentionGradient is the gradient of an attention with respect to its queries, keys and values. DQ, DK and DV may lie
// side by side in the rows of one matrix. Its fields of Attention are as they were, less O, which is not read.
type AttentionGradient struct {
	Attention
	DO, DQ, DK, DV Heads
}

// Blocks returns into how many blocks, which may be computed at the same time, the gradient is best cut.
func (g *AttentionGradient) Blocks() int {
	together := g.together()
	return (g.Batch*g.Heads + together - 1) / together
}

// Block computes block i.
func (g *AttentionGradient) Block(i int) {
	s := scratches.borrow()
	defer scratches.giveBack(s)
	together := g.together()
	for head := i * together; head < min((i+1)*together, g.Batch*g.Heads); head++ {
		g.ofHead(head, s)
	}
}

// ofHead computes the gradient of one head. Its keys' and values' are added piece by piece, in ascending order of the
// queries.
func (g *AttentionGradient) ofHead(head int, s *scratch) {
	row, h := head/g.Heads*g.Keys, head%g.Heads
	if g.Keys > 0 {
		clearRows(g.DK.at(row, h), g.Keys, g.Width)
		clearRows(g.DV.at(row, h), g.Keys, g.ValueWidth)
	}
	for n := range g.pieces() {
		p := g.piece(head, n, s)
		if g.Probabilities == nil {
			p.probabilities(s)
		}
		do := p.queries(g.DO)
		multiply(p.allKeys(g.DV), p.dropped(s).Transposed(), do, p.keys, g.ValueWidth, p.rows, true)
		ds := p.matrix(&s.scores)
		multiply(ds, do, p.allKeys(g.V).Transposed(), p.rows, p.keys, g.ValueWidth, false)
		if g.DropoutRate != 0 {
			p.drop(ds, ds)
		}
		scaledSoftmaxGradient(ds, p.p, p.rows, p.keys, g.Scale)
		multiply(p.queries(g.DQ), ds, p.allKeys(g.K), p.rows, g.Width, p.keys, false)
		multiply(p.allKeys(g.DK), ds.Transposed(), p.queries(g.Q), p.keys, g.Width, p.rows, true)
	}
}

func clearRows(v View, rows, width int) {
	for r := range rows {
		clear(v.Data[r*v.RowStride:][:width])
	}
}

// scratch is what a block of an attention needs.
type scratch struct{ scores, p, dropped []float32 }

var scratches spare[scratch]
