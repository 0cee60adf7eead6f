package simd

import (
	"fmt"
	"math"
	"testing"
)

// otherCase is a call of a kernel that TestKernelsAgree cannot make: one of rows, for example. run makes its arrays by make, which is told their lengths, fills those that are
// read, and returns all of them.
type otherCase struct {
	name string
	run  func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32
}

// extent is the length of rows of a width from the beginning of the first to the end of the last.
func extent(rows, width, stride int) int { return (rows-1)*stride + width }

func upToZero(x []float32) {
	for i, v := range x {
		x[i] = withSign(v, -1)
	}
}

func otherCases() (cases []otherCase) {
	for _, masked := range []bool{false, true} {
		for _, causal := range []bool{false, true} {
			for _, log := range []bool{false, true} {
				cases = append(cases, otherCase{
					fmt.Sprintf("softmaxRows, masked %v, causal %v, log %v", masked, causal, log),
					func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32 {
						to, from := width+rows%3, width+rows%2
						dst, src := make(extent(rows, width, to), 1), make(extent(rows, width, from), 2)
						seen, grow, least := width, 0, float32(math.Inf(-1))
						var mask, stats []float32
						maskRow := 0
						if masked {
							maskRow = rows % 2 * (width + 1)
							mask, stats, least = make(extent(rows, width, maskRow), 3), make(2*rows, 4), -math.MaxFloat32
						}
						if causal {
							seen, grow = 3-rows/2, 1+rows%2
						}
						f := k.softmaxRows
						switch {
						case log:
							f = k.logSoftmaxRows
						case width <= narrow && rows > 1: // a single row tries the other one
							f = k.softmaxNarrow
						}
						f(dst, src, mask, stats, rows, width, to, from, maskRow, seen, grow, 0.3, least)
						return [][]float32{dst, src, mask, stats}
					},
				})
			}
		}
	}
	for op := AddNumbers; op <= LessEqualNumbers; op++ {
		for form := range 9 {
			cases = append(cases, otherCase{
				fmt.Sprintf("operation %d, form %d", op, form),
				func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32 {
					// An operand is a matrix, a column, or a row; a number is one of these by its width and rows.
					operand := func(form, stream int) View {
						switch form {
						case 0:
							return View{make(extent(rows, width, width+1), stream), width + 1, 1}
						case 1:
							return View{make(rows, stream), 1, 0}
						default:
							return View{make(width, stream), 0, 1}
						}
					}
					dst, a, b := View{make(extent(rows, width, width+2), 1), width + 2, 1}, operand(form%3, 2), operand(form/3, 3)
					k.operation(op)(dst.Data, a.Data, b.Data, rows, width, dst.RowStride, a.RowStride, b.RowStride, a.ColumnStride, b.ColumnStride)
					return [][]float32{dst.Data, a.Data, b.Data}
				},
			})
		}
	}
	return append(cases,
		// Exponentials of numbers up to 0.
		otherCase{"expSum", func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32 {
			dst, src := make(width, 1), make(width, 2)
			return [][]float32{{k.expSum(dst, src, k.largest(src))}, dst, {k.expTotal(src, k.largest(src))}, src}
		}},
		otherCase{"logSoftmaxGradient", func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32 {
			dy, y := make(width, 1), make(width, 2)
			upToZero(y)
			k.logSoftmaxGradient(dy, y, 0.3)
			return [][]float32{dy, y}
		}},
		otherCase{"softmaxGradientRows", func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32 {
			dy, y := make(extent(rows, width, width+1), 1), make(extent(rows, width, width), 2)
			k.softmaxGradientRows(dy, y, rows, width, width+1, width, 0.7)
			return [][]float32{dy, y}
		}},
		otherCase{"logSoftmaxGradientRows", func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32 {
			dy, y := make(extent(rows, width, width), 1), make(extent(rows, width, width+2), 2)
			upToZero(y)
			k.logSoftmaxGradientRows(dy, y, rows, width, width, width+2)
			return [][]float32{dy, y}
		}},
		// Noise comes in groups; its counter may not run over in a call.
		otherCase{"dropout", func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32 {
			n := group * (1 + width%4)
			dst, src := make(n, 1), make(n, 2)
			k.dropout(dst, src, math.MaxUint32-63-uint32(rows), 1, 2, 3, uint32(width), 5, 0.3, 1/0.7)
			return [][]float32{dst, src}
		}},
		otherCase{"fillUniform", func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32 {
			dst := make(group*(1+width%4), 1)
			k.fillUniform(dst, uint32(rows), 1, 2, 3, uint32(width), 5, -3, 7)
			return [][]float32{dst}
		}},
		otherCase{"fillNormal", func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32 {
			dst := make(group*(1+width%4), 1)
			k.fillNormal(dst, uint32(rows), 1, 2, 3, uint32(width), 5, 0.1, 2)
			return [][]float32{dst}
		}},
		otherCase{"sumRows", func(k *kernels, make func(n, stream int) []float32, rows, width int) [][]float32 {
			dst, src := make(rows, 1), make(extent(rows, width, width+3), 2)
			k.sumRows(dst, src, rows, width, width+3)
			return [][]float32{dst, src}
		}},
	)
}

// Every other kernel of every set gives the bits of the Go loop of its name, at every width, and touches nothing in
// front of or behind its arrays, nor what lies between their rows.
func TestOtherKernelsAgree(t *testing.T) {
	const most = 131
	var guards [5]*guard
	for i := range guards {
		guards[i] = newGuard(t, 4*8*(most+3))
	}
	drawn := map[[2]int][]float32{}
	draw := func(n, stream int) []float32 {
		key := [2]int{n, stream}
		if drawn[key] == nil {
			drawn[key] = wild(n, stream)
		}
		return append([]float32(nil), drawn[key]...)
	}
	for _, c := range otherCases() {
		for width := 1; width < most; width++ {
			for _, rows := range []int{1, 2, 5} {
				want := c.run(portable.kernels, draw, rows, width)
				for _, set := range sets[:len(sets)-1] {
					for _, atEnd := range []bool{true, false} {
						used := 0
						got := c.run(set.kernels, func(n, stream int) []float32 {
							g := guards[used]
							used++
							at := g.begin(n)
							if atEnd {
								at = g.end(n)
							}
							copy(at, draw(n, stream))
							return at
						}, rows, width)
						for a := range want {
							for i, v := range want[a] {
								if !sameBits(got[a][i], v) {
									t.Fatalf("%s of %s, %d rows of %d: number %d of array %d is %v (%x), want %v (%x)", c.name, set, rows,
										width, i, a, got[a][i], math.Float32bits(got[a][i]), v, math.Float32bits(v))
								}
							}
						}
					}
				}
			}
		}
	}
}
