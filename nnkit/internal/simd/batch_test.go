package simd

import "testing"

// A batch gives what its products give one by one, however large they are.
func TestBatch(t *testing.T) {
	defer Use(Active())
	for _, set := range sets {
		Use(set)
		for _, size := range [][3]int{{1, 1, 1}, {5, 7, 3}, {64, 64, 16}, {70, 100, 50}} {
			m, n, k := size[0], size[1], size[2]
			const count = 9
			a, w := normals(count*m*k, 1), normals(k*n, 2)
			gate, start := normals(count*m*n, 3), normals(count*n, 4)
			b := Batch{
				Product: Product{
					M: m, N: n, K: k, A: RowMajor(a, k), B: RowMajor(w, k).Transposed(),
					C: make([]float32, count*m*n), Stride: n, Start: start, Gate: gate,
				},
				Count: count, StepA: m * k, StepC: m * n, StepStart: n,
			}
			for i := range b.Blocks() {
				b.Block(i)
			}
			want := make([]float32, m*n)
			for i := range count {
				p := Product{
					M: m, N: n, K: k, A: RowMajor(a[i*m*k:], k), B: RowMajor(w, k).Transposed(),
					C: want, Stride: n, Start: start[i*n:], Gate: gate[i*m*n:],
				}
				p.Part(0, m, 0, n)
				for j, v := range want {
					if got := b.C[i*m*n+j]; got != v {
						t.Fatalf("%s: %d×%d×%d: number %d of product %d is %v, want %v", set, m, n, k, j, i, got, v)
					}
				}
			}
		}
	}
}
