package simd

// Operation is what [Broadcast] does to two numbers.
type Operation int

// The operations. Comparisons give 1 or 0; with a NaN they give 0, and minimum and maximum NaN, as in PyTorch. What is
// larger is less with its operands in the other order.
const (
	AddNumbers Operation = iota
	SubtractNumbers
	MultiplyNumbers
	DivideNumbers
	MinimumNumbers
	MaximumNumbers
	EqualNumbers
	LessNumbers
	LessEqualNumbers
)

// rowsOperation is a kernel of Broadcast: dst[i,j] = a[i,j] op b[i,j] in these strides; those of columns are 0 or 1.
type rowsOperation = func(dst, a, b []float32, rows, width, dstRow, aRow, bRow, aColumn, bColumn int)

func (k *kernels) operation(op Operation) rowsOperation {
	return [...]rowsOperation{
		k.addRows, k.subtractRows, k.multiplyRows, k.divideRows, k.minimumRows, k.maximumRows,
		k.equalRows, k.lessRows, k.lessEqualRows,
	}[op]
}

// Broadcast is dst = a op b for matrices of rows×width, of which a and b may be smaller: a stride of rows of 0 is a row
// for all rows, a stride of columns of 0 a column for all columns, and both a number. Other strides of columns are 1.
// dst may be a or b where it is a whole matrix.
func Broadcast(op Operation, dst, a, b View, rows, width int) {
	if rows == 0 || width == 0 {
		return
	}
	for _, v := range []View{dst, a, b} {
		_ = v.Data[(rows-1)*v.RowStride+(width-1)*v.ColumnStride]
	}
	f := active.kernels.operation(op)
	for lo := 0; lo < width; lo += part {
		n := min(part, width-lo)
		inRows(rows, n, func(r, count int) {
			f(dst.from(r, lo), a.from(r, lo), b.from(r, lo), count, n, dst.RowStride, a.RowStride, b.RowStride, a.ColumnStride, b.ColumnStride)
		})
	}
}

// from is the data of a view from an element on.
func (v View) from(row, column int) []float32 { return v.Data[row*v.RowStride+column*v.ColumnStride:] }

// Where is dst = a where the condition is not 0, else b. dst may be any of them.
func Where(dst, condition, a, b []float32) {
	eachPart(len(dst), func(lo, hi int) { active.kernels.where(dst[lo:hi], condition[lo:hi], a[lo:hi], b[lo:hi]) })
}

// RowSums sets dst[i] to the sum of row i of src, by chains as Sum.
func RowSums(dst []float32, src View, rows, width int) {
	if rows == 0 {
		return
	}
	if width > part {
		for r := range rows {
			dst[r] = float32(Sum(src.Data[r*src.RowStride:][:width]))
		}
		return
	}
	if width > 0 {
		_ = src.Data[(rows-1)*src.RowStride+width-1]
	}
	inRows(rows, width, func(r, n int) {
		active.kernels.sumRows(dst[r:][:n], src.Data[r*src.RowStride:], n, width, src.RowStride)
	})
}

// eachPair is a rowsOperation in Go.
func eachPair(do func(x, y float32) float32) rowsOperation {
	return func(dst, a, b []float32, rows, width, dstRow, aRow, bRow, aColumn, bColumn int) {
		for r := range rows {
			for i := range width {
				dst[r*dstRow+i] = do(a[r*aRow+i*aColumn], b[r*bRow+i*bColumn])
			}
		}
	}
}

var (
	addRowsGo      = eachPair(func(x, y float32) float32 { return x + y })
	subtractRowsGo = eachPair(func(x, y float32) float32 { return x - y })
	multiplyRowsGo = eachPair(func(x, y float32) float32 { return x * y })
	divideRowsGo   = eachPair(func(x, y float32) float32 { return x / y })
	minimumRowsGo  = eachPair(func(x, y float32) float32 {
		if x != x || x < y {
			return x
		}
		return y
	})
	maximumRowsGo = eachPair(func(x, y float32) float32 {
		if x != x || x > y {
			return x
		}
		return y
	})
	equalRowsGo     = eachPair(func(x, y float32) float32 { return indicator(x == y) })
	lessRowsGo      = eachPair(func(x, y float32) float32 { return indicator(x < y) })
	lessEqualRowsGo = eachPair(func(x, y float32) float32 { return indicator(x <= y) })
)

func indicator(yes bool) float32 {
	if yes {
		return 1
	}
	return 0
}

func whereGo(dst, condition, a, b []float32) {
	for i, c := range condition {
		if c != 0 {
			dst[i] = a[i]
		} else {
			dst[i] = b[i]
		}
	}
}
