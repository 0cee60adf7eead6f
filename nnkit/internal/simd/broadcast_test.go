package simd

import (
	"fmt"
	"math"
	"testing"
)

// operations are what Broadcast's operations mean, with Go's comparisons.
var operations = map[Operation]func(x, y float32) float32{
	AddNumbers:      func(x, y float32) float32 { return x + y },
	SubtractNumbers: func(x, y float32) float32 { return x - y },
	MultiplyNumbers: func(x, y float32) float32 { return x * y },
	DivideNumbers:   func(x, y float32) float32 { return x / y },
	// Those of Go keep NaN, too.
	MinimumNumbers:   func(x, y float32) float32 { return min(x, y) },
	MaximumNumbers:   func(x, y float32) float32 { return max(x, y) },
	EqualNumbers:     func(x, y float32) float32 { return map[bool]float32{true: 1}[x == y] },
	LessNumbers:      func(x, y float32) float32 { return map[bool]float32{true: 1}[x < y] },
	LessEqualNumbers: func(x, y float32) float32 { return map[bool]float32{true: 1}[x <= y] },
}

// Every operation on matrices, rows, columns and numbers in each place, for a few sizes that are cut into parts.
func TestBroadcast(t *testing.T) {
	defer Use(Active())
	for _, set := range sets {
		Use(set)
		for _, size := range [][2]int{{0, 3}, {3, 0}, {1, 1}, {7, 3}, {300, 10}, {5, 64}, {3, part + 70}} {
			rows, width := size[0], size[1]
			views := map[string]View{
				"matrix": {wild(rows*(width+1), 1), width + 1, 1},
				"row":    {wild(width, 2), 0, 1},
				"column": {wild(rows, 3), 1, 0},
				"number": {[]float32{1.5}, 0, 0},
			}
			for op, want := range operations {
				for nameA, a := range views {
					for nameB, b := range views {
						dst := RowMajor(make([]float32, rows*width), width)
						Broadcast(op, dst, a, b, rows, width)
						for i := range rows {
							for j := range width {
								x, y := a.from(i, j)[0], b.from(i, j)[0]
								if got, w := dst.from(i, j)[0], want(x, y); !sameBits(got, w) && got != w {
									t.Fatalf("%s, %d×%d: operation %d of %s and %s is %v of %v and %v, want %v", set, rows, width, op, nameA, nameB, got, x, y, w)
								}
							}
						}
					}
				}
			}
		}
	}
}

func TestRowSums(t *testing.T) {
	defer Use(Active())
	for _, set := range sets {
		Use(set)
		for _, size := range [][2]int{{0, 3}, {3, 0}, {1, 1}, {200, 10}, {5, 64}, {3, part + 70}} {
			rows, width := size[0], size[1]
			src, dst := RowMajor(normals(rows*(width+1), 1), width+1), make([]float32, rows)
			RowSums(dst, src, rows, width)
			for i, got := range dst {
				want := 0.0
				for _, v := range src.Data[i*(width+1):][:width] {
					want += float64(v)
				}
				if math.Abs(float64(got)-want) > 1e-4 {
					t.Fatalf("%s, %d×%d: the sum of row %d is %v, want %v", set, rows, width, i, got, want)
				}
			}
		}
	}
}

func TestWhere(t *testing.T) {
	nan, dst := float32(math.NaN()), make([]float32, 4)
	Where(dst, []float32{1, 0, nan, float32(math.Copysign(0, -1))}, []float32{1, 2, 3, 4}, []float32{5, 6, 7, 8})
	if got := fmt.Sprint(dst); got != "[1 6 3 8]" {
		t.Errorf("Where chooses %v", got)
	}
}

func BenchmarkBroadcast(b *testing.B) {
	defer Use(Active())
	for _, set := range sets[:len(sets)-1] {
		for _, size := range [][2]int{{800, 10}, {128, 64}, {16, 512}} {
			rows, width := size[0], size[1]
			dst, a := RowMajor(make([]float32, rows*width), width), RowMajor(normals(rows*width, 1), width)
			row, column := View{normals(width, 2), 0, 1}, View{normals(rows, 3), 1, 0}
			sums, columns := make([]float32, rows), make([]float32, width)
			for _, do := range []struct {
				name string
				run  func()
			}{
				{"add a row", func() { Broadcast(AddNumbers, dst, a, row, rows, width) }},
				{"multiply by a column", func() { Broadcast(MultiplyNumbers, dst, a, column, rows, width) }},
				{"row sums", func() { RowSums(sums, a, rows, width) }},
				{"column sums", func() { ColumnSums(columns, a.Data, rows, width) }},
			} {
				b.Run(fmt.Sprintf("%s/%dx%d/%s", set, rows, width, do.name), func(b *testing.B) {
					Use(set)
					for b.Loop() {
						do.run()
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows*width), "ns/element")
				})
			}
		}
	}
}
