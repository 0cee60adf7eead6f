package simd

import (
	"fmt"
	"math"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

func normals(n, stream int) []float32 {
	s := random.Stream{Seed: 9, Index: uint32(stream)}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(s.Normal(i))
	}
	return x
}

func transpose(x []float32, rows, columns int) []float32 {
	t := make([]float32, len(x))
	for i := range rows {
		for j := range columns {
			t[j*rows+i] = x[i*columns+j]
		}
	}
	return t
}

// The loop in the comment of Part is the specification, to the bit, in all transposes and however C is cut.
func TestProduct(t *testing.T) {
	sizes := []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 17}
	for _, m := range sizes {
		for _, n := range sizes {
			for _, k := range sizes {
				a, b, bias := normals(m*k, 1), normals(k*n, 2), normals(n, 3)
				for variant := range 16 {
					p := Product{M: m, N: n, K: k, A: RowMajor(a, k), B: RowMajor(b, n), C: make([]float32, m*n+1), LDC: n}
					p.C[m*n] = 77
					if variant&1 != 0 {
						p.A = RowMajor(transpose(a, m, k), m).Transposed()
					}
					if variant&2 != 0 {
						p.B = RowMajor(transpose(b, k, n), k).Transposed()
					}
					if variant&4 != 0 {
						p.Init = bias
					}
					p.ReLU = variant&8 != 0
					p.Part(0, m/3, 0, n)
					p.Part(m/3, m, 0, n/2)
					p.Part(m/3, m, n/2, n)
					for i := range m {
						for j := range n {
							c := float32(0)
							if p.Init != nil {
								c = bias[j]
							}
							for q := range k {
								c += float32(a[i*k+q] * b[q*n+j])
							}
							if p.ReLU && c < 0 {
								c = 0
							}
							if got := p.C[i*n+j]; got != c {
								t.Fatalf("%d×%d×%d, variant %d: C[%d,%d] = %v, want %v", m, n, k, variant, i, j, got, c)
							}
						}
					}
					if p.C[m*n] != 77 {
						t.Fatalf("%d×%d×%d, variant %d: wrote behind C", m, n, k, variant)
					}
				}
			}
		}
	}
}

// ulps is the distance between got and the exact value, in units in the last place of float32.
func ulps(got float32, want float64) float64 {
	near := float32(want)
	if got == near {
		return 0
	}
	unit := math.Abs(float64(math.Nextafter32(near, float32(math.Inf(1))) - near))
	return math.Abs(float64(got)-want) / unit
}

func TestFunctions(t *testing.T) {
	for _, f := range []struct {
		name  string
		ours  func([]float32)
		exact func(float64) float64
	}{
		{"exp", Exp, math.Exp},
		{"tanh", Tanh, math.Tanh},
		{"sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
		{"log", func(x []float32) { x[0] = float32(Log64(float64(x[0]))) }, math.Log},
		{"log(1+exp(-|x|))", func(x []float32) { x[0] = float32(Log1pExpNeg(x[0])) }, func(x float64) float64 {
			return math.Log1p(math.Exp(-math.Abs(x)))
		}},
	} {
		worst, at := 0.0, float32(0)
		check := func(x float32) {
			y := []float32{x}
			f.ours(y)
			want := f.exact(float64(x))
			if math.IsNaN(want) || math.IsInf(float64(float32(want)), 0) {
				if got := float64(y[0]); math.IsNaN(got) != math.IsNaN(want) || !math.IsNaN(want) && got != float64(float32(want)) {
					t.Errorf("%s(%v) = %v, want %v", f.name, x, got, want)
				}
				return
			}
			if e := ulps(y[0], want); e > worst {
				worst, at = e, x
			}
		}
		for u := uint64(0); u < 1<<32; u += 32_771 { // all exponents, infinities and NaN among them
			check(math.Float32frombits(uint32(u)))
		}
		for _, x := range normals(20_000, 4) {
			check(x)
			check(x * 20)
		}
		if worst > 0.51 {
			t.Errorf("%s: the error at %v is %.3f units in the last place", f.name, at, worst)
		}
	}
}

func TestSoftmax(t *testing.T) {
	for width := 1; width < 40; width++ {
		x := normals(3*width, 5)
		x[0], x[len(x)-1] = 1000, -1000 // exp of neither can be had
		got := append([]float32(nil), x...)
		Softmax(got, 3, width)
		for r := range 3 {
			most, sum := math.Inf(-1), 0.0
			row := x[r*width : (r+1)*width]
			for _, v := range row {
				most = max(most, float64(v))
			}
			for _, v := range row {
				sum += math.Exp(float64(v) - most)
			}
			for i, v := range row {
				want := math.Exp(float64(v)-most) / sum
				if g := float64(got[r*width+i]); math.Abs(g-want) > 2e-7*want+1e-38 {
					t.Errorf("width %d: softmax is %v, want %v", width, g, want)
				}
			}
			if lse := LogSumExp(row); math.Abs(lse-most-math.Log(sum)) > 1e-9 {
				t.Errorf("width %d: LogSumExp is %v, want %v", width, lse, most+math.Log(sum))
			}
		}
	}
}

// A step of an optimizer must do the same to element i whatever the length of the arrays.
func TestStepsAtEveryLength(t *testing.T) {
	steps := map[string]func(w, g, a, b []float32){
		"GradientDescent": func(w, g, _, _ []float32) { GradientDescent(w, g, 0.1) },
		"Momentum":        func(w, g, a, _ []float32) { Momentum(w, g, a, 0.1, 0.9, false) },
		"Nesterov":        func(w, g, a, _ []float32) { Momentum(w, g, a, 0.1, 0.9, true) },
		"AdaGrad":         func(w, g, a, _ []float32) { AdaGrad(w, g, a, 0.1, 1e-7) },
		"RMSprop":         func(w, g, a, _ []float32) { RMSprop(w, g, a, 0.1, 0.9, 0.1, 1e-7) },
		"RMSpropMomentum": func(w, g, a, b []float32) { RMSpropMomentum(w, g, a, b, 0.1, 0.9, 0.1, 1e-7, 0.9) },
		"Adam": func(w, g, a, b []float32) {
			Adam(w, g, a, b, &AdamStep{0.1, 0.9, 0.1, 0.999, 0.001, 1e-7})
		},
	}
	const n = 70
	for name, step := range steps {
		arrays := func() (a [4][]float32) {
			for i := range a {
				a[i] = normals(n, 10+i)
			}
			for i, v := range a[2] {
				a[2][i], a[3][i] = v*v, float32(math.Abs(float64(a[3][i])))
			}
			return a
		}
		whole := arrays()
		step(whole[0], whole[1], whole[2], whole[3])
		for length := range n {
			part := arrays()
			step(part[0][:length], part[1][:length], part[2][:length], part[3][:length])
			rest := arrays()
			for i := range part {
				for j := range n {
					want := whole[i][j]
					if j >= length {
						want = rest[i][j]
					}
					if part[i][j] != want {
						t.Fatalf("%s of %d: array %d, element %d is %v, want %v", name, length, i, j, part[i][j], want)
					}
				}
			}
		}
	}
}

func BenchmarkProduct(b *testing.B) {
	for _, size := range [][3]int{{32, 10, 8}, {128, 512, 784}, {512, 512, 512}} {
		m, n, k := size[0], size[1], size[2]
		x, w := normals(m*k, 1), normals(k*n, 2)
		for _, form := range []string{"A·B", "Aᵀ·B", "A·Bᵀ"} {
			b.Run(fmt.Sprintf("%s/%dx%dx%d", form, m, n, k), func(b *testing.B) {
				p := Product{M: m, N: n, K: k, A: RowMajor(x, k), B: RowMajor(w, n), C: make([]float32, m*n), LDC: n}
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
}

func BenchmarkExp(b *testing.B) {
	x := normals(1000, 1)
	y := make([]float32, len(x))
	for b.Loop() {
		copy(y, x)
		Exp(y)
	}
}
