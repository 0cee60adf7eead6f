package simd

import (
	"math"
	"testing"
)

// The bounds are those of Sine's comment.
func TestSine(t *testing.T) {
	for _, f := range []struct {
		name  string
		ours  func(dst, src []float32)
		exact func(float64) float64
	}{
		{"Sine", Sine, math.Sin},
		{"Cosine", Cosine, math.Cos},
	} {
		const step = 4099
		near, far := worst{}, worst{}
		for u := uint64(0); u < 1<<32; u += step {
			x := math.Float32frombits(uint32(u))
			y := []float32{x}
			f.ours(y, y)
			size := math.Abs(float64(x))
			switch {
			case size > math.MaxFloat32 || x != x:
				if y[0] == y[0] {
					t.Fatalf("%s(%v) is %v", f.name, x, y[0])
				}
			case size < 1e6:
				if e := ulps(y[0], f.exact(float64(x))); e > near.error {
					near = worst{e, x}
				}
			case size < 1e12: // beyond, the bound says nothing
				if e := math.Abs(float64(y[0])-f.exact(float64(x))) - 1e-7; e/size > far.error {
					far = worst{e / size, x}
				}
			}
			if size <= math.MaxFloat32 && !(y[0] >= -1 && y[0] <= 1) {
				t.Fatalf("%s(%v) is %v", f.name, x, y[0])
			}
		}
		t.Logf("%s: %.4f units at %v, %.2g·x at %v", f.name, near.error, near.at, far.error, far.at)
		if near.error > 0.51 || far.error > 2e-16 {
			t.Errorf("%s is further away than it says", f.name)
		}
	}
	zero := []float32{float32(math.Copysign(0, -1))}
	if Sine(zero, zero); math.Float32bits(zero[0]) != 1<<31 {
		t.Errorf("the sine of -0 is %v", zero[0])
	}
}
