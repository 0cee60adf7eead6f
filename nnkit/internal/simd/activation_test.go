package simd

import (
	"math"
	"testing"
)

// The activations in float64, by their papers.

func sigmoid64(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func silu64(x float64) float64 {
	if x < -700 {
		return 0
	}
	return x * sigmoid64(x)
}

func softplus64(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func softsign64(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.Copysign(1, x)
	}
	return x / (1 + math.Abs(x))
}

func mish64(x float64) float64 {
	if x < -700 {
		return 0
	}
	return x * math.Tanh(softplus64(x))
}

func elu64(x, scale, alpha float64) float64 {
	if x > 0 {
		return scale * x
	}
	return alpha * math.Expm1(x)
}

func gelu64(x float64) float64 {
	if x < -700 {
		return 0
	}
	return x / 2 * math.Erfc(-x/math.Sqrt2)
}

func tanhGELU64(x float64) float64 {
	if x < -700 {
		return 0
	}
	return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func hardSigmoid64(x float64) float64 { return min(max(x+3, 0), 6) / 6 }

func hardSwish64(x float64) float64 { return max(x, -3) * hardSigmoid64(x) }

// activations are those with a gradient; the value's array goes to the gradient or the argument's.
var activations = []struct {
	name     string
	value    func(dst, src []float32)
	exact    func(float64) float64
	gradient func(dy, from []float32)
	byValue  bool
}{
	{"GELU", GELU, gelu64, GELUGradient, false},
	{"TanhGELU", TanhGELU, tanhGELU64, TanhGELUGradient, false},
	{"SiLU", SiLU, silu64, SiLUGradient, false},
	{"Softplus", Softplus, softplus64, SoftplusGradient, true},
	{"Softsign", Softsign, softsign64, SoftsignGradient, true},
	{"Mish", Mish, mish64, MishGradient, false},
	{"HardSigmoid", HardSigmoid, hardSigmoid64, HardSigmoidGradient, true},
	{"HardSwish", HardSwish, hardSwish64, HardSwishGradient, false},
	{
		"SELU", func(dst, src []float32) { ELU(dst, src, SELUScale, SELUAlpha) },
		func(x float64) float64 { return elu64(x, SELUScale, SELUAlpha) },
		func(dy, y []float32) { ELUGradient(dy, y, SELUScale, SELUAlpha) }, true,
	},
	{
		"LeakyReLU", func(dst, src []float32) { LeakyReLU(dst, src, 0.2) },
		func(x float64) float64 { return max(x, 0.2*x) },
		func(dy, y []float32) { LeakyReLUGradient(dy, y, 0.2) }, true,
	},
	{
		"Clip", func(dst, src []float32) { Clip(dst, src, -1, 0.5) },
		func(x float64) float64 { return min(max(x, -1), 0.5) },
		func(dx, x []float32) { ClipGradient(dx, x, -1, 0.5) }, false,
	},
}

// Values against float64, gradients against its central differences, from far below 0 to far above.
func TestActivations(t *testing.T) {
	defer Use(Active())
	var x []float32
	for v := float32(-30); v < 30; v += 0.0173 {
		x = append(x, v)
	}
	dy := normals(len(x), 1)
	for _, set := range sets {
		Use(set)
		for _, a := range activations {
			y, got := make([]float32, len(x)), append([]float32(nil), dy...)
			a.value(y, x)
			if a.byValue {
				a.gradient(got, y)
			} else {
				a.gradient(got, x)
			}
			for i, v := range x {
				const h = 1e-5
				v := float64(v)
				if e := math.Abs(float64(y[i]) - a.exact(v)); e > 3e-7*(1+math.Abs(v)) {
					t.Errorf("%s: %s(%v) = %v, want %v", set, a.name, v, y[i], a.exact(v))
				}
				want := float64(dy[i]) * (a.exact(v+h) - a.exact(v-h)) / (2 * h)
				if e := math.Abs(float64(got[i]) - want); e > 3e-6 { // 1 - s has an absolute error, s being the sigmoid, and TanhGELU multiplies it by 40
					t.Errorf("%s: the gradient of %s at %v is %v, want %v", set, a.name, v, got[i], want)
				}
			}
		}
	}
}

// GELU loses in relative accuracy where it tends to 0. The bounds are those of the comments.
func TestGELUErrors(t *testing.T) {
	for _, f := range []struct {
		name  string
		ours  func(dst, src []float32)
		exact func(float64) float64
		bound float64 // below 0, of |x|
	}{
		{"GELU", GELU, gelu64, 0x1p-24},
		{"TanhGELU", TanhGELU, tanhGELU64, 0x1p-22},
	} {
		const block = 1024
		apart := uint64(1021 * 8 / fewer(8))
		src, dst := make([]float32, block), make([]float32, block)
		above, below := worst{}, worst{}
		for u := uint64(0); u < 1<<32; u += block * apart {
			for i := range src {
				src[i] = math.Float32frombits(uint32(u + uint64(i)*apart))
			}
			f.ours(dst, src)
			for i, x := range src {
				want := f.exact(float64(x))
				switch {
				case x != x || x > math.MaxFloat32:
					if !sameBits(dst[i], x) {
						t.Errorf("%s(%v) = %v", f.name, x, dst[i])
					}
				case x > 0:
					if e := ulps(dst[i], want); !(e <= above.error) {
						above = worst{e, x}
					}
				case x < -0x1p-120:
					if e := math.Abs(float64(dst[i])-want) / math.Abs(float64(x)); !(e <= below.error) {
						below = worst{e, x}
					}
				}
			}
		}
		t.Logf("%s: above 0 the largest error is %.3f units in the last place, at %v; below %.3g of |x|, at %v",
			f.name, above.error, above.at, below.error, below.at)
		if !(above.error <= 2) || !(below.error <= f.bound) {
			t.Errorf("%s: the errors are too large", f.name)
		}
	}
}

// What is special in the arguments shows in the values as it does with PyTorch.
func TestSpecialValues(t *testing.T) {
	defer Use(Active())
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, set := range sets {
		Use(set)
		for _, c := range []struct {
			name string
			x, y float32
			want float32
		}{
			{"Sign", -7, 0, -1},
			{"Sign", 0x1p-149, 0, 1},
			{"Sign", 0, 0, 0},
			{"Sign", nan, 0, nan},
			{"Square", -3, 0, 9},
			{"Abs", -inf, 0, inf},
			{"Negate", 2, 0, -2},
			{"Minimum", 2, -1, -1},
			{"Minimum", nan, 1, nan},
			{"Minimum", 1, nan, nan},
			{"Maximum", 2, -1, 2},
			{"Maximum", nan, 1, nan},
			{"Maximum", 1, nan, nan},
			{"Clip", nan, 0, nan},
			{"Clip", inf, 0, 0.5},
			{"Clip", -2, 0, -1},
			{"Rsqrt", 0, 0, inf},
			{"Rsqrt", inf, 0, 0},
			{"Rsqrt", -1, 0, nan},
			{"Rsqrt", 4, 0, 0.5},
			{"HardSigmoid", 3, 0, 1},
			{"HardSigmoid", -inf, 0, 0},
			{"HardSwish", inf, 0, inf},
			{"HardSwish", nan, 0, nan},
			{"SiLU", inf, 0, inf},
			{"Mish", nan, 0, nan},
			{"Softplus", inf, 0, inf},
			{"ELU", inf, 0, inf},
			{"LeakyReLU", nan, 0, nan},
		} {
			x := [5][]float32{{0}, {c.x}, {c.y}}
			elementwise[c.name](x)
			if !sameBits(x[0][0], c.want) {
				t.Errorf("%s: %s(%v, %v) = %v, want %v", set, c.name, c.x, c.y, x[0][0], c.want)
			}
		}
	}
}

func BenchmarkActivations(b *testing.B) {
	x, y := normals(part, 1), make([]float32, part)
	for _, a := range activations {
		for _, f := range []struct {
			name string
			run  func(dst, src []float32)
		}{{a.name, a.value}, {a.name + "Gradient", a.gradient}} {
			b.Run(f.name, func(b *testing.B) {
				for b.Loop() {
					copy(y, x) // a gradient multiplies it, and would come to subnormal numbers
					f.run(y, x)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/part, "ns/element")
			})
		}
	}
}
