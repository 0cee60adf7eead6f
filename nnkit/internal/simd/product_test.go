package simd

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// raw is a number of any bits, a whole one times a power of two, or one of a wide range of exponents.
func raw(s random.Stream, i int) float32 {
	switch s.Int(4*i, 4) {
	case 0:
		return math.Float32frombits(uint32(s.Int(4*i+1, 1<<16))<<16 | uint32(s.Int(4*i+2, 1<<16)))
	case 1:
		return float32(math.Ldexp(float64(s.Int(4*i+1, 1<<13)-1<<12), s.Int(4*i+2, 60)-30))
	case 2:
		return float32(math.Ldexp(s.Normal(4*i+1), s.Int(4*i+2, 160)-100))
	default:
		return float32(s.Normal(4*i + 1))
	}
}

// fma against exact arithmetic, and against the machine's own instruction.
func TestFMA(t *testing.T) {
	defer Use(Active())
	exact := func(a, b, c float32) float32 {
		x := new(big.Float).SetPrec(1000).SetFloat64(float64(a))
		x.Mul(x, new(big.Float).SetPrec(1000).SetFloat64(float64(b)))
		x.Add(x, new(big.Float).SetPrec(1000).SetFloat64(float64(c)))
		f, _ := x.Float32()
		return f
	}
	s := random.Stream{Seed: 3}
	twice, judged := 0, 0
	for i := range 300_000 {
		a, b, c := raw(s, 3*i), raw(s, 3*i+1), raw(s, 3*i+2)
		if i%4 == 0 {
			c = float32(math.Ldexp(float64(a)*float64(b), i/4%60-30)) // as far apart as lets the product decide
		}
		got := fma(a, b, c)
		if p := float64(a)*float64(b) + float64(c); got != float32(p) && got == got {
			twice++
		}
		for _, set := range sets[:len(sets)-1] {
			y := []float32{c}
			set.kernels.addScaled(y, []float32{a}, b)
			if !sameBits(y[0], got) {
				t.Fatalf("fma(%x, %x, %x) = %x, with %s %x", a, b, c, got, set, y[0])
			}
		}
		if v := a + b + c; i%8 < 2 && v-v == 0 && got != 0 {
			judged++
			if want := exact(a, b, c); got != want {
				t.Fatalf("fma(%x, %x, %x) = %x, want %x", a, b, c, got, want)
			}
		}
	}
	if twice == 0 || judged < 1000 {
		t.Errorf("%d times rounding twice would have been wrong, and %d results were judged: too few to tell", twice, judged)
	}
}

// matrix makes a view of rows×columns in one of its layouts, with a distance of pad between its lines.
func matrix(rows, columns, pad, stream int, transposed bool) View {
	if transposed {
		return View{wild(columns*(rows+pad), stream), 1, rows + pad}
	}
	return View{wild(rows*(columns+pad), stream), columns + pad, 1}
}

func tame(v View) View {
	for i, x := range v.Data {
		if x-x != 0 || x > 100 || x < -100 {
			v.Data[i] = 1.5
		}
	}
	return v
}

// The loop in the comment of Part is the specification, to the bit: in all layouts, sizes with all tails, from any start
// on, however C is cut, for every set, with NaN and infinities among the numbers.
func TestProduct(t *testing.T) {
	defer Use(Active())
	s := random.Stream{Seed: 5}
	sizes := func(i, few, many int) int {
		if i%3 == 0 {
			return 1 + s.Int(i, few)
		}
		return 1 + s.Int(i, many)
	}
	for round := range 600 {
		at := 16 * round
		m, n, k := sizes(at, 8, 50), sizes(at+1, 20, 90), sizes(at+2, 20, 70)
		if round%50 == 0 {
			k = 500 + round // more than one block
		}
		if round%100 == 1 {
			k = 0
		}
		pad := s.Int(at+3, 3)
		if round%30 == 2 { // lines of A that are far apart
			n, pad = n+256, 1100
		}
		p := Product{
			M: m, N: n, K: k,
			A:      matrix(m, k, pad, at, s.Int(at+4, 2) == 0),
			B:      matrix(k, n, s.Int(at+5, 3), at+1, s.Int(at+6, 2) == 0),
			Stride: n + s.Int(at+7, 3),
			ReLU:   s.Int(at+8, 2) == 0,
		}
		if round%2 == 0 {
			p.A, p.B = tame(p.A), tame(p.B)
		}
		first := wild(m*p.Stride, at+2)
		variant := s.Int(at+9, 3)
		if s.Int(at+10, 3) == 0 {
			p.Gate = wild(m*p.Stride, at+3)
		}
		run := func(cuts [2]int) []float32 {
			p.C = append([]float32(nil), first...)
			switch variant {
			case 1:
				p.Start, p.StartStride = wild(n, at+4), 0
			case 2:
				p.Start, p.StartStride = p.C, p.Stride
			}
			p.Part(0, cuts[0], 0, n)
			p.Part(cuts[0], m, 0, cuts[1])
			p.Part(cuts[0], m, cuts[1], n)
			return p.C
		}
		Use(portable)
		want := run([2]int{m, n})
		p.compare(t, first, want, variant, at)
		for _, set := range sets {
			Use(set)
			got := run([2]int{s.Int(at+11, m+1), s.Int(at+12, n+1)})
			for i := range want {
				if !sameBits(got[i], want[i]) {
					t.Fatalf("%s: %d×%d×%d, variant %d, round %d: number %d of C is %v, want %v", set, m, n, k, variant, round, i, got[i], want[i])
				}
			}
		}
	}
}

// The blocks of a product cover it, each element once.
func TestBlocks(t *testing.T) {
	for _, size := range [][3]int{{0, 5, 5}, {1, 1, 1}, {5, 0, 3}, {32, 10, 8}, {600, 10, 100}, {600, 300, 20}, {100, 1000, 3}, {29, 129, 100}} {
		m, n, k := size[0], size[1], size[2]
		ones := make([]float32, max(m, n)*k)
		for i := range ones {
			ones[i] = 1
		}
		c := make([]float32, m*n)
		p := Product{M: m, N: n, K: k, A: RowMajor(ones, k), B: RowMajor(ones, n), C: c, Stride: n, Start: c, StartStride: n}
		for i := range p.Blocks() {
			p.Block(i)
		}
		for i, got := range c {
			if got != float32(k) {
				t.Fatalf("%d×%d×%d in %d blocks: number %d is %v, want %d", m, n, k, p.Blocks(), i, got, k)
			}
		}
		if large := m*n*k >= smallProduct; large != (p.Blocks() > 1) {
			t.Errorf("%d×%d×%d is cut into %d blocks", m, n, k, p.Blocks())
		}
	}
}

// compare judges the portable product by the loop of Part's comment.
func (p *Product) compare(t *testing.T, first, got []float32, variant, at int) {
	t.Helper()
	bias := wild(p.N, at+4)
	for i := range p.M {
		for j := range p.Stride {
			want := first[i*p.Stride+j]
			if j < p.N {
				c := float32(0)
				switch variant {
				case 1:
					c = bias[j]
				case 2:
					c = want
				}
				for k := range p.K {
					c = fma(p.A.Data[i*p.A.RowStride+k*p.A.ColumnStride], p.B.Data[k*p.B.RowStride+j*p.B.ColumnStride], c)
				}
				if p.ReLU && c < 0 || p.Gate != nil && p.Gate[i*p.Stride+j] <= 0 {
					c = 0
				}
				want = c
			}
			if !sameBits(got[i*p.Stride+j], want) {
				t.Fatalf("%d×%d×%d, variant %d: C[%d,%d] is %v, want %v", p.M, p.N, p.K, variant, i, j, got[i*p.Stride+j], want)
			}
		}
	}
}

// A product reads and writes nothing outside of its matrices.
func TestProductStaysInside(t *testing.T) {
	defer Use(Active())
	const most = 40
	a, b, c := newGuard(t, 4*most*most), newGuard(t, 4*most*most), newGuard(t, 4*most*most)
	for _, set := range sets {
		Use(set)
		for m := 1; m < most; m += 3 {
			for n := 1; n < most; n++ {
				k := 1 + (m+n)%9
				for _, transposed := range []bool{false, true} {
					p := Product{M: m, N: n, K: k, A: RowMajor(a.end(m*k), k), B: RowMajor(b.end(k*n), n), C: c.end(m * n), Stride: n}
					if transposed {
						p.A, p.B = RowMajor(a.begin(m*k), m).Transposed(), RowMajor(b.end(k*n), k).Transposed()
						p.C = c.begin(m * n)
					}
					p.Part(0, m, 0, n)
				}
			}
		}
	}
}

// Against float64, with the bound that a chain of k roundings has.
func TestProductIsAccurate(t *testing.T) {
	const m, n, k = 37, 45, 700
	a, b, c := normals(m*k, 1), normals(k*n, 2), make([]float32, m*n)
	p := Product{M: m, N: n, K: k, A: RowMajor(a, k), B: RowMajor(b, n), C: c, Stride: n}
	p.Part(0, m, 0, n)
	for i := range m {
		for j := range n {
			sum, size := 0.0, 0.0
			for q := range k {
				v := float64(a[i*k+q]) * float64(b[q*n+j])
				sum += v
				size += math.Abs(v)
			}
			if e := math.Abs(float64(c[i*n+j]) - sum); e > size*k*0x1p-24 {
				t.Fatalf("C[%d,%d] is off by %v", i, j, e)
			}
		}
	}
}

func TestColumnSums(t *testing.T) {
	defer Use(Active())
	for _, set := range sets {
		Use(set)
		for width := 1; width < 100; width++ {
			rows := 1 + width%7
			src, dst := normals(rows*width, 3), make([]float32, width)
			ColumnSums(dst, src, rows, width)
			for j, got := range dst {
				want := float32(0)
				for r := range rows {
					want += src[r*width+j]
				}
				if got != want {
					t.Fatalf("%s: the sum of column %d of %d is %v, want %v", set, j, width, got, want)
				}
			}
		}
	}
}

func TestTranspose(t *testing.T) {
	defer Use(Active())
	for _, set := range sets {
		Use(set)
		for _, size := range [][2]int{{0, 5}, {5, 0}, {1, 1}, {3, 700}, {8, 8}, {13, 513}, {31, 1040}, {600, 9}} {
			rows, width := size[0], size[1]
			src, dst := normals(rows*width, 3), make([]float32, rows*width)
			Transpose(dst, src, rows, width)
			for i, v := range src {
				if got := dst[i%width*rows+i/width]; got != v {
					t.Fatalf("%s: number %d of %d×%d is %v in its place, want %v", set, i, rows, width, got, v)
				}
			}
		}
	}
}

func TestProductAllocatesNothing(t *testing.T) {
	defer Use(Active())
	const n = 40
	x, c := normals(n*n, 1), make([]float32, n*n)
	for _, set := range sets {
		Use(set)
		for _, b := range []View{RowMajor(x, n), RowMajor(x, n).Transposed()} {
			allocated := testing.AllocsPerRun(20, func() {
				p := Product{M: n, N: n, K: n, A: RowMajor(x, n), B: b, C: c, Stride: n}
				p.Part(0, n, 0, n)
			})
			if allocated != 0 {
				t.Errorf("%s: a product allocates %v times", set, allocated)
			}
		}
	}
}

func BenchmarkProduct(b *testing.B) {
	defer Use(Active())
	for _, set := range sets {
		for _, size := range [][3]int{{32, 10, 8}, {32, 64, 64}, {128, 512, 784}, {512, 512, 512}} {
			m, n, k := size[0], size[1], size[2]
			x, w := normals(m*k, 1), normals(k*n, 2)
			for _, form := range []string{"A·B", "Aᵀ·B", "A·Bᵀ"} {
				b.Run(fmt.Sprintf("%s/%s/%dx%dx%d", set, form, m, n, k), func(b *testing.B) {
					Use(set)
					p := Product{M: m, N: n, K: k, A: RowMajor(x, k), B: RowMajor(w, n), C: make([]float32, m*n), Stride: n}
					switch form {
					case "Aᵀ·B":
						p.A = RowMajor(x, m).Transposed()
					case "A·Bᵀ":
						p.B = RowMajor(w, k).Transposed()
					}
					for b.Loop() {
						p.Part(0, m, 0, n)
					}
					b.ReportMetric(2*float64(m*n*k)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "gflops")
				})
			}
		}
		b.Run(fmt.Sprintf("%s/peak", set), func(b *testing.B) {
			Use(set)
			operations := 0
			for b.Loop() {
				operations += Peak(1000)
			}
			b.ReportMetric(float64(operations)/float64(b.Elapsed().Nanoseconds()), "gflops")
		})
	}
}
