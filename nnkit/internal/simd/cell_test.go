package simd

import (
	"math"
	"testing"
)

// The gates' functions have the bound of the comment at cell.go's head, for numbers of all kinds.
func TestGateFunctions(t *testing.T) {
	exact := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for _, f := range []struct {
		name  string
		ours  func(float32) float32
		exact func(float64) float64
	}{
		{"sigmoid", gateSigmoid, exact},
		{"tanh", gateTanh, math.Tanh},
		{"sigmoid beside tanh", func(x float32) float32 { s, _ := gatePair(x, 0.7); return s }, exact},
		{"tanh beside sigmoid", func(x float32) float32 { _, t := gatePair(-0.7, x); return t }, math.Tanh},
	} {
		found := worst{}
		for u := uint64(0); u < 1<<32; u += 1021 * 8 / uint64(fewer(8)) {
			x := math.Float32frombits(uint32(u))
			got, want := f.ours(x), f.exact(float64(x))
			switch e := ulps(got, want); {
			case x != x:
				if got == got {
					t.Errorf("%s(%v) = %v", f.name, x, got)
				}
			case x < -87 && f.exact(-1) > 0:
				if got != f.ours(-87) {
					t.Errorf("%s(%v) = %v", f.name, x, got)
				}
			case !(e <= found.error):
				found = worst{e, x}
			}
		}
		t.Logf("%s: the largest error is %.3f units in the last place, at %v", f.name, found.error, found.at)
		if !(found.error <= 5) {
			t.Errorf("the error of %s at %v is %.3f units in the last place", f.name, found.at, found.error)
		}
	}
}
