package simd

import (
	"flag"
	"math"
	"runtime"
	"sync"
	"testing"
)

var every = flag.Bool("every", false, "try the elementary functions on all 2^32 float32: minutes")

// ulps is the distance between got and the exact value, in units in the last place of float32.
func ulps(got float32, want float64) float64 {
	_, e := math.Frexp(want)
	return math.Abs(float64(got)-want) * math.Ldexp(1, -max(e-24, -149))
}

type worst struct {
	error float64
	at    float32
}

// The bounds are those of the functions' comments. Infinities and NaN are where they should be, and the sets agree.
func TestEveryFloat32(t *testing.T) {
	for _, f := range []struct {
		name  string
		ours  func(k *kernels) func(dst, src []float32)
		exact func(float64) float64
		bound float64
	}{
		{"exp", func(k *kernels) func(dst, src []float32) { return k.exp }, math.Exp, 0.86},
		{"log", func(k *kernels) func(dst, src []float32) { return k.log }, math.Log, 0.92},
		{"sigmoid", func(k *kernels) func(dst, src []float32) { return k.sigmoid }, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 0.78},
		{"tanh", func(k *kernels) func(dst, src []float32) { return k.tanh }, math.Tanh, 0.79},
		{"erf", func(k *kernels) func(dst, src []float32) { return k.erf }, math.Erf, 1},
		{"expm1", func(k *kernels) func(dst, src []float32) { return k.expm1 }, math.Expm1, 1.1},
		{"log1p", func(k *kernels) func(dst, src []float32) { return k.log1p }, math.Log1p, 1.1},
		{"sqrt", func(k *kernels) func(dst, src []float32) { return k.sqrt }, math.Sqrt, 0.5},
		{"rsqrt", func(k *kernels) func(dst, src []float32) { return k.rsqrt }, func(x float64) float64 { return 1 / math.Sqrt(x) }, 1.5},
		{"silu", func(k *kernels) func(dst, src []float32) { return k.silu }, silu64, 2},
		{"softplus", func(k *kernels) func(dst, src []float32) { return k.softplus }, softplus64, 2},
		{"softsign", func(k *kernels) func(dst, src []float32) { return k.softsign }, softsign64, 1.5},
		{"mish", func(k *kernels) func(dst, src []float32) { return k.mish }, mish64, 4},
		{"elu", func(k *kernels) func(dst, src []float32) {
			return func(dst, src []float32) { k.elu(dst, src, 1, 1) }
		}, func(x float64) float64 { return elu64(x, 1, 1) }, 2},
	} {
		t.Run(f.name, func(t *testing.T) {
			step := uint64(4099)
			if *every {
				step = 1
			}
			var mu sync.Mutex
			var wait sync.WaitGroup
			all := worst{}
			workers := uint64(runtime.GOMAXPROCS(0))
			for w := range workers {
				wait.Go(func() {
					found := worst{}
					const block = 1024
					src, dst, want := make([]float32, block), make([]float32, block), make([]float32, block)
					for u := w * block * step; u < 1<<32; u += workers * block * step {
						for i := range src {
							src[i] = math.Float32frombits(uint32(u + uint64(i)*step))
						}
						f.ours(sets[0].kernels)(want, src)
						for _, set := range sets[1:] {
							if *every && set == portable && u/block%61 != 0 { // it is slow
								continue
							}
							f.ours(set.kernels)(dst, src)
							for i := range dst {
								if !sameBits(dst[i], want[i]) {
									t.Errorf("%s(%v) of %s is %v, of %s %v", f.name, src[i], set, dst[i], sets[0], want[i])
									return
								}
							}
						}
						for i, x := range src {
							exact := f.exact(float64(x))
							if near := float32(exact); math.IsNaN(exact) || math.IsInf(float64(near), 0) {
								if !sameBits(want[i], near) {
									t.Errorf("%s(%v) = %v, want %v", f.name, x, want[i], near)
									return
								}
							} else if (f.name == "silu" || f.name == "mish") && x < -87 { // exp(x) is subnormal
								if e := math.Abs(float64(want[i]) - exact); !(e <= 0x1p-140) {
									t.Errorf("%s(%v) = %v, want %v", f.name, x, want[i], exact)
								}
							} else if e := ulps(want[i], exact); !(e <= found.error) {
								found = worst{e, x}
							}
						}
					}
					mu.Lock()
					defer mu.Unlock()
					if !(found.error <= all.error) {
						all = found
					}
				})
			}
			wait.Wait()
			t.Logf("the largest error is %.3f units in the last place, at %v", all.error, all.at)
			if !(all.error <= f.bound) {
				t.Errorf("the error at %v is %.3f units in the last place, more than %v", all.at, all.error, f.bound)
			}
		})
	}
}

func TestFloat64Functions(t *testing.T) {
	for _, f := range []struct {
		name        string
		ours, exact func(float64) float64
	}{
		{"exp", Exp64, math.Exp},
		{"log", Log64, math.Log},
		{"log(1+exp(-|x|))", func(x float64) float64 { return Log1pExpNeg(float32(x)) }, func(x float64) float64 {
			return math.Log1p(math.Exp(-math.Abs(x)))
		}},
	} {
		check := func(x float32) {
			got, want := float32(f.ours(float64(x))), f.exact(float64(x))
			if near := float32(want); math.IsNaN(want) || math.IsInf(float64(near), 0) {
				if !sameBits(got, near) {
					t.Errorf("%s(%v) = %v, want %v", f.name, x, got, near)
				}
			} else if e := ulps(got, want); e > 0.51 {
				t.Errorf("%s: the error at %v is %.3f units in the last place", f.name, x, e)
			}
		}
		for u := uint64(0); u < 1<<32; u += 32_771 { // all exponents, infinities and NaN among them
			check(math.Float32frombits(uint32(u)))
		}
		for _, x := range normals(20_000, 4) {
			check(x)
			check(x * 20)
		}
	}
}
