package simd

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// draws are the functions of noise, on x.
var draws = map[string]func(x []float32, s random.Stream, at uint64){
	"Dropout":     func(x []float32, s random.Stream, at uint64) { Dropout(x, x, s, at, 0.25) },
	"FillUniform": func(x []float32, s random.Stream, at uint64) { FillUniform(x, s, at, -1, 3) },
	"FillNormal":  func(x []float32, s random.Stream, at uint64) { FillNormal(x, s, at, 2, 3) },
}

// A number depends on its position alone, whoever draws it together with which others; also where the counter's lower
// word runs over.
func TestNoiseByPosition(t *testing.T) {
	defer Use(Active())
	s := random.Stream{Seed: 1 << 40, Purpose: random.Noise, Index: 7}
	for name, draw := range draws {
		for _, at := range []uint64{0, 5, 1<<34 - 3*part} {
			const n = 5*part + 77
			Use(portable)
			want := normals(n, 1)
			draw(want, s, at)
			for _, set := range sets {
				Use(set)
				got := normals(n, 1)
				for lo, step := 0, 1; lo < n; lo, step = lo+step, 3*step+1 {
					hi := min(lo+step, n)
					draw(got[lo:hi], s, at+uint64(lo))
				}
				for i, v := range want {
					if !sameBits(got[i], v) {
						t.Fatalf("%s of %s: number %d is %v, want %v", name, set, at+uint64(i), got[i], v)
					}
				}
			}
		}
	}
}

// Different streams are different, and so are different seeds.
func TestNoiseOfStreams(t *testing.T) {
	seen := map[string]random.Stream{}
	for _, s := range []random.Stream{{}, {Seed: 1}, {Seed: 1 << 32}, {Index: 1}, {Purpose: random.Noise}, {Purpose: random.Dropout}} {
		x := make([]float32, 8)
		FillUniform(x, s, 0, 0, 1)
		if other, ok := seen[fmt.Sprint(x)]; ok {
			t.Errorf("%v and %v are the same", s, other)
		}
		seen[fmt.Sprint(x)] = s
	}
}

// The distributions, by the largest distance of their functions: A. N. Kolmogorov's test, whose 0.1 % bound is 1.95/√n.
func TestNoiseIsDistributed(t *testing.T) {
	const n = 200_000
	for _, test := range []struct {
		name  string
		draw  func(x []float32)
		below func(x float64) float64
	}{
		{"uniform", func(x []float32) { FillUniform(x, random.Stream{Seed: 3}, 0, -1, 3) }, func(x float64) float64 { return (x + 1) / 4 }},
		{"normal", func(x []float32) { FillNormal(x, random.Stream{Seed: 3}, 0, 2, 3) }, func(x float64) float64 {
			return 0.5 * math.Erfc((2-x)/3/math.Sqrt2)
		}},
	} {
		x := make([]float32, n)
		test.draw(x)
		// Neighbours of a group that come from the same counter do not go together.
		together := 0.0
		for i := range n - groupLanes {
			together += (test.below(float64(x[i])) - 0.5) * (test.below(float64(x[i+groupLanes])) - 0.5)
		}
		if r := 12 * together / n; math.Abs(r) > 0.01 {
			t.Errorf("%s: the correlation of neighbours is %v", test.name, r)
		}
		slices.Sort(x)
		for i, v := range x {
			if d := math.Abs(test.below(float64(v)) - (float64(i)+0.5)/n); d > 1.95/math.Sqrt(n) {
				t.Fatalf("%s: the distribution function at %v is off by %v", test.name, v, d)
			}
		}
	}
}

func TestTurn(t *testing.T) {
	for word := uint64(0); word < 1<<32; word += 40_009 {
		u := uniform(uint32(word))
		if u <= 0 || u >= 1 {
			t.Fatalf("word %d gives %v", word, u)
		}
		cos, sin := turn(u)
		angle := 2 * math.Pi * float64(u)
		if math.Abs(float64(cos)-math.Cos(angle)) > 0x1p-23 || math.Abs(float64(sin)-math.Sin(angle)) > 0x1p-23 {
			t.Fatalf("%v turns give %v and %v, want %v and %v", u, cos, sin, math.Cos(angle), math.Sin(angle))
		}
	}
}

func TestDropout(t *testing.T) {
	const n = 100_000
	s := random.Stream{Seed: 2, Purpose: random.Dropout}
	x, y := normals(n, 1), make([]float32, n)
	for _, rate := range []float32{0, 0.1, 0.5, 0.9} {
		Dropout(y, x, s, 3, rate)
		dropped := 0
		for i, v := range y {
			switch {
			case v == 0:
				dropped++
			case v != x[i]*(1/(1-rate)):
				t.Fatalf("rate %v: %v becomes %v", rate, x[i], v)
			}
		}
		share := float64(dropped) / n
		if math.Abs(share-float64(rate)) > 4*math.Sqrt(float64(rate)/n) || rate == 0 && dropped > 0 {
			t.Errorf("%v of the numbers are dropped, want %v", share, rate)
		}
	}
	nan := []float32{float32(math.NaN()), float32(math.Inf(1))}
	for at := range uint64(8) {
		Dropout(y[:2], nan, s, at, 0.5)
		if y[0] == y[0] || y[1] == y[1] && !math.IsInf(float64(y[1]), 1) {
			t.Errorf("NaN and infinity become %v", y[:2])
		}
	}
}

func TestNoiseAllocatesNothing(t *testing.T) {
	x := make([]float32, 1000)
	for name, draw := range draws {
		draw(x, random.Stream{}, 5)
		if n := testing.AllocsPerRun(20, func() { draw(x, random.Stream{}, 5) }); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkNoise(b *testing.B) {
	defer Use(Active())
	x := make([]float32, 1<<14)
	for _, set := range sets {
		for name, draw := range draws {
			b.Run(fmt.Sprintf("%s/%s", set, name), func(b *testing.B) {
				Use(set)
				for b.Loop() {
					draw(x, random.Stream{}, 0)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x)), "ns/element")
			})
		}
	}
}
