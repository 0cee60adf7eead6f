package simd

import (
	"fmt"
	"math"
	"testing"
)

// The optimizers' steps as their papers and Keras write them, in float64, with decoupled decay of the weights.
func TestStepsAgainstFloat64(t *testing.T) {
	const (
		n, steps                    = 37, 12
		rate, decay, epsilon        = 0.05, 0.1, 1e-3
		rho, momentum, beta1, beta2 = 0.9, 0.8, 0.9, 0.99
		keep                        = 1 - rate*decay
	)
	// memory are the four numbers that an optimizer keeps for a weight.
	type memory [4]float64
	power := func(x float64, t int) float64 { return math.Pow(x, float64(t)) }
	schedule := func(t int) float64 { return beta1 * (1 - 0.5*math.Pow(0.96, float64(t))) }
	products := func(t int) (p float64) {
		p = 1
		for i := 1; i <= t; i++ {
			p *= schedule(i)
		}
		return p
	}
	for _, o := range []struct {
		name string
		// exact returns the weight's decrease.
		exact func(t int, g float64, s *memory) float64
		ours  func(t int, w, g []float32, s [4][]float32)
	}{
		{
			"CentredRMSprop",
			func(_ int, g float64, s *memory) float64 {
				s[0] = rho*s[0] + (1-rho)*g*g
				s[1] = rho*s[1] + (1-rho)*g
				return rate * g / math.Sqrt(s[0]-s[1]*s[1]+epsilon)
			},
			func(_ int, w, g []float32, s [4][]float32) {
				CentredRMSprop(w, g, s[0], s[1], nil, &CentredRMSpropStep{rate, rho, 1 - rho, epsilon, 0, keep})
			},
		},
		{
			"CentredRMSprop with momentum",
			func(_ int, g float64, s *memory) float64 {
				s[0] = rho*s[0] + (1-rho)*g*g
				s[1] = rho*s[1] + (1-rho)*g
				s[2] = momentum*s[2] + rate*g/math.Sqrt(s[0]-s[1]*s[1]+epsilon)
				return s[2]
			},
			func(_ int, w, g []float32, s [4][]float32) {
				CentredRMSprop(w, g, s[0], s[1], s[2], &CentredRMSpropStep{rate, rho, 1 - rho, epsilon, momentum, keep})
			},
		},
		{
			"AMSGrad",
			func(t int, g float64, s *memory) float64 {
				s[0] += (g - s[0]) * (1 - beta1)
				s[1] += (g*g - s[1]) * (1 - beta2)
				s[2] = max(s[2], s[1])
				alpha := rate * math.Sqrt(1-power(beta2, t)) / (1 - power(beta1, t))
				return s[0] * alpha / (math.Sqrt(s[2]) + epsilon)
			},
			func(t int, w, g []float32, s [4][]float32) {
				alpha := rate * math.Sqrt(1-power(beta2, t)) / (1 - power(beta1, t))
				AMSGrad(w, g, s[0], s[1], s[2], &AdamStep{float32(alpha), beta1, 1 - beta1, beta2, 1 - beta2, epsilon, keep})
			},
		},
		{
			"AdaDelta",
			func(_ int, g float64, s *memory) float64 {
				s[0] = rho*s[0] + (1-rho)*g*g
				delta := -math.Sqrt(s[1]+epsilon) * g / math.Sqrt(s[0]+epsilon)
				s[1] = rho*s[1] + (1-rho)*delta*delta
				return -rate * delta
			},
			func(_ int, w, g []float32, s [4][]float32) {
				AdaDelta(w, g, s[0], s[1], &AdaDeltaStep{rate, rho, 1 - rho, epsilon, keep})
			},
		},
		{
			"Adamax",
			func(t int, g float64, s *memory) float64 {
				s[0] += (g - s[0]) * (1 - beta1)
				s[1] = max(beta2*s[1], math.Abs(g))
				return rate * s[0] / ((1 - power(beta1, t)) * (s[1] + epsilon))
			},
			func(t int, w, g []float32, s [4][]float32) {
				Adamax(w, g, s[0], s[1], &AdamaxStep{float32(rate / (1 - power(beta1, t))), beta1, 1 - beta1, beta2, epsilon, keep})
			},
		},
		{
			"NAdam",
			func(t int, g float64, s *memory) float64 {
				s[0] += (g - s[0]) * (1 - beta1)
				s[1] += (g*g - s[1]) * (1 - beta2)
				m := schedule(t+1)*s[0]/(1-products(t+1)) + (1-schedule(t))*g/(1-products(t))
				return m * rate / (math.Sqrt(s[1]/(1-power(beta2, t))) + epsilon)
			},
			func(t int, w, g []float32, s [4][]float32) {
				NAdam(w, g, s[0], s[1], &NAdamStep{
					Rate: float32(rate * (1 - schedule(t)) / (1 - products(t))), Ahead: float32(rate * schedule(t+1) / (1 - products(t+1))),
					Beta1: beta1, Rest1: 1 - beta1, Beta2: beta2, Rest2: 1 - beta2,
					Correction: float32(1 / (1 - power(beta2, t))), Epsilon: epsilon, Keep: keep,
				})
			},
		},
		{
			"Lion",
			func(_ int, g float64, s *memory) float64 {
				c := beta1*s[0] + (1-beta1)*g
				s[0] = beta2*s[0] + (1-beta2)*g
				switch {
				case c > 0:
					return rate
				case c < 0:
					return -rate
				}
				return 0
			},
			func(_ int, w, g []float32, s [4][]float32) {
				Lion(w, g, s[0], &LionStep{rate, beta1, 1 - beta1, beta2, 1 - beta2, keep})
			},
		},
	} {
		w, states := normals(n, 1), [4][]float32{}
		for i := range states {
			states[i] = make([]float32, n)
		}
		exact, memories := make([]float64, n), make([]memory, n)
		for i, v := range w {
			exact[i] = float64(v)
		}
		for step := 1; step <= steps; step++ {
			g := normals(n, 1+step)
			g[0] = 0
			o.ours(step, w, g, states)
			for i := range exact {
				exact[i] = exact[i]*keep - o.exact(step, float64(g[i]), &memories[i])
				if math.Abs(float64(w[i])-exact[i]) > 1e-5 {
					t.Fatalf("%s: weight %d is %v after step %d, want %v", o.name, i, w[i], step, exact[i])
				}
			}
		}
	}
}

func TestClipAndAverage(t *testing.T) {
	nan := float32(math.NaN())
	x := []float32{-3, -0.5, 0, 0.7, 9, nan, float32(math.Inf(1)), float32(math.Inf(-1))}
	Clip(x, x, -0.5, 0.6)
	for i, want := range []float32{-0.5, -0.5, 0, 0.6, 0.6, nan, 0.6, -0.5} {
		if !sameBits(x[i], want) {
			t.Errorf("number %d is clipped to %v, want %v", i, x[i], want)
		}
	}
	mean := []float32{1, 2}
	Average(mean, []float32{3, 2}, 0.25)
	if mean[0] != 1.5 || mean[1] != 2 {
		t.Errorf("the averages are %v, want 1.5 and 2", mean)
	}
}

func TestSquaredNorm(t *testing.T) {
	for _, n := range []int{0, 1, squaresBlock, 3*squaresBlock + 5} {
		x, want := normals(n, 1), 0.0
		for _, v := range x {
			want += float64(v) * float64(v)
		}
		s := SquaredNorm{X: x, Partials: make([]float64, n/squaresBlock+1)}
		runBackwards(&s)
		if got := s.Sum(); math.Abs(got-want) > 1e-6*want {
			t.Errorf("the squared norm of %d numbers is %v, want %v", n, got, want)
		}
	}
}

func BenchmarkSteps(b *testing.B) {
	defer Use(Active())
	const n = 1 << 13
	for _, set := range sets[:len(sets)-1] {
		for _, name := range []string{"Adam", "AMSGrad", "AdaDelta", "Adamax", "NAdam", "Lion", "CentredRMSpropMomentum", "Average"} {
			b.Run(fmt.Sprintf("%s/%s", set, name), func(b *testing.B) {
				Use(set)
				var x [5][]float32
				for i := range x {
					x[i] = normals(n, i)
					if i > 1 {
						Multiply(x[i], x[i], x[i])
					}
				}
				for b.Loop() {
					elementwise[name](x)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/element")
			})
		}
	}
}
