package simd

// strip is a matrix product whose rows lie on a grid of three sides, and whose k lies in runs: a part of a convolution in
// which all outputs have the same taps. It adds to each element of C one chain of multiply-adds, in ascending order over
// outer, inner and the run. Distances are in numbers, those in B in its rows.
type strip struct {
	rows [3]side
	n    int // columns
	// The rows of C that the last side is made of overlap; they are computed one after the other.
	overlapping bool

	outer, inner, run       int // how many
	aOuter, aInner, aColumn int // how far apart in A
	bOuter, bInner, bRow    int
	a, b, c, start, gate    []float32
	add, relu               bool // start from what C holds; ReLU on the way out
}

// side is one side of the grid: how many rows, and how far apart they are in A and in C.
type side struct{ n, a, c int }

func (s *strip) compute() {
	if s.outer*s.inner*s.run == 0 || !s.inTiles() {
		s.inProducts()
	}
}

// inProducts computes the strip by a portable product for each run.
func (s *strip) inProducts() {
	runs := s.outer * s.inner
	if s.run == 0 {
		runs = 0
	}
	for i := range s.rows[2].n {
		for j := range s.rows[1].n {
			a, c := s.a, s.c[i*s.rows[2].c+j*s.rows[1].c:]
			p := Product{M: s.rows[0].n, N: s.n, C: c, Stride: s.rows[0].c, Start: s.start}
			if s.add {
				p.Start, p.StartStride = p.C, p.Stride
			}
			if runs > 0 {
				a = a[i*s.rows[2].a+j*s.rows[1].a:]
			}
			for r := range max(runs, 1) {
				if runs > 0 {
					outer, inner := r/s.inner, r%s.inner
					p.K = s.run
					p.A = View{a[outer*s.aOuter+inner*s.aInner:], s.rows[0].a, s.aColumn}
					p.B = View{s.b[(outer*s.bOuter+inner*s.bInner)*s.bRow:], s.bRow, 1}
				}
				if r >= runs-1 {
					p.ReLU = s.relu
					if s.gate != nil {
						p.Gate = s.gate[i*s.rows[2].c+j*s.rows[1].c:]
					}
				}
				p.partGo(0, p.M, 0, p.N)
				p.Start, p.StartStride = p.C, p.Stride
			}
		}
	}
}

// The size of a tile where there are no registers that it must fit.
const goTileRows, goTileColumns = 16, 64
