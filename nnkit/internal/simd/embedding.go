package simd

// Embedding looks up rows of a table: row i of Y becomes row Index[i] of Table. Blocks may be computed at the same time.
// The caller has checked the indices, for example by [Indices].
type Embedding struct {
	Table []float32
	Width int // of the table's rows and of Y's
	Index []int32
	Y     []float32 // len(Index) rows
}

// lookupBlock is how many numbers a block of an embedding copies or adds.
const lookupBlock = 1 << 15

func (e *Embedding) rowsAtOnce() int { return max(1, lookupBlock/max(1, e.Width)) }

// Blocks returns into how many blocks the lookup is best cut.
func (e *Embedding) Blocks() int {
	rows := e.rowsAtOnce()
	return (len(e.Index) + rows - 1) / rows
}

// Block computes block i.
func (e *Embedding) Block(i int) {
	rows := e.rowsAtOnce()
	for n := i * rows; n < min((i+1)*rows, len(e.Index)); n++ {
		copy(e.Y[n*e.Width:][:e.Width], e.Table[int(e.Index[n])*e.Width:])
	}
}

// EmbeddingGradient adds row i of DY to row Index[i] of Gradient, in ascending order of i for each row, however often an
// index is repeated. Blocks are columns: they may be computed at the same time, and how many there are changes no bit.
type EmbeddingGradient struct {
	Gradient []float32 // as the table; other rows than those of Index are not touched
	Width    int
	Index    []int32
	DY       []float32
}

// columnsAtOnce is how many columns a block adds: whole cache lines, since two cores must not write to the same one, and
// not few, since each row costs a call.
func (g *EmbeddingGradient) columnsAtOnce() int {
	const least = 64
	if len(g.Index)*g.Width < 2*lookupBlock {
		return max(1, g.Width)
	}
	return least
}

// Blocks returns into how many blocks the sum is best cut.
func (g *EmbeddingGradient) Blocks() int {
	columns := g.columnsAtOnce()
	return (g.Width + columns - 1) / columns
}

// Block computes block i.
func (g *EmbeddingGradient) Block(i int) {
	from := i * g.columnsAtOnce()
	to := min(from+g.columnsAtOnce(), g.Width)
	for n, row := range g.Index {
		sum := g.Gradient[int(row)*g.Width:][from:to]
		Add(sum, sum, g.DY[n*g.Width:][from:to])
	}
}

// ClearRows sets the rows of a table that are in index to 0, and leaves the others alone: what a step has touched.
func ClearRows(table []float32, width int, index []int32) {
	for _, row := range index {
		clear(table[int(row)*width:][:width])
	}
}

// Indices sets dst to the numbers of src, which are to be whole, at least 0 and below rows. It returns the place of the
// first that is not, or -1.
func Indices(dst []int32, src []float32, rows int) int {
	for i, v := range src {
		// What no int32 is would become another one on another machine.
		if !(v >= 0 && v < 1<<31) || float32(int32(v)) != v || int(v) >= rows {
			return i
		}
		dst[i] = int32(v)
	}
	return -1
}

// OutOfRange returns the place of the first index that is not at least 0 and below rows, or -1.
func OutOfRange(index []int32, rows int) int {
	const atOnce = 64
	for lo := 0; lo < len(index); lo += atOnce {
		some := index[lo:min(lo+atOnce, len(index))]
		// Without a branch for each: whether any is outside, and only then which.
		outside := uint64(0)
		for _, v := range some {
			outside |= uint64(int64(rows-1)-int64(v)) | uint64(int64(v))
		}
		if outside>>63 == 0 {
			continue
		}
		for i, v := range some {
			if v < 0 || int(v) >= rows {
				return lo + i
			}
		}
	}
	return -1
}
