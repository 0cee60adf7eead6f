package simd

import (
	"fmt"
	"math"
	"testing"
)

// newCrossEntropy makes a case. Kind 0 has classes, 1 probabilities.
func newCrossEntropy(rows, width, kind int, smoothing float32) *CrossEntropy {
	c := &CrossEntropy{
		Rows: rows, Width: width, Z: normals(rows*width, 1), Smoothing: smoothing, Scale: 1 / float32(max(1, rows)),
		Losses: make([]float64, rows), Gradient: make([]float32, rows*width),
	}
	Scale(c.Z, c.Z, 3)
	if kind == 0 {
		c.Classes = drawnIndices(rows, width)
	} else {
		c.Probabilities = make([]float32, rows*width)
		Softmax(c.Probabilities, normals(rows*width, 2), rows, width)
	}
	return c
}

// exactly is the loss of a row in float64 with number i moved.
func (c *CrossEntropy) exactly(r, i int, by float64) float64 {
	z := make([]float64, c.Width)
	sum, loss := 0.0, 0.0
	for j := range z {
		z[j] = float64(c.Z[r*c.Width+j])
		if i == j {
			z[j] += by
		}
		sum += math.Exp(z[j])
	}
	for j, v := range z {
		y := 0.0
		switch {
		case c.Probabilities != nil:
			y = float64(c.Probabilities[r*c.Width+j])
		case int(c.Classes[r]) == j:
			y = 1
		}
		y = (1-float64(c.Smoothing))*y + float64(c.Smoothing)/float64(c.Width)
		loss += y * (math.Log(sum) - v)
	}
	return loss
}

// Losses against float64, gradients against its differences; all sets, with P or without, give the same bits.
func TestCrossEntropy(t *testing.T) {
	defer Use(Active())
	for _, size := range [][2]int{{0, 3}, {1, 1}, {130, 10}, {3, 100}, {70, 300}, {2, part + 3}} {
		for kind := range 2 {
			for _, smoothing := range []float32{0, 0.1} {
				for _, weighted := range []bool{false, true} {
					c := newCrossEntropy(size[0], size[1], kind, smoothing)
					if weighted {
						c.Weights = normals(c.Rows, 3)
					}
					Use(portable)
					runBackwards(c)
					for r := range c.Rows {
						if want := c.exactly(r, 0, 0); math.Abs(c.Losses[r]-want) > 1e-5*(1+want) {
							t.Fatalf("%v, kind %d, smoothing %v: loss %d is %v, want %v", size, kind, smoothing, r, c.Losses[r], want)
						}
						weight := 1.0
						if weighted {
							weight = float64(c.Weights[r])
						}
						for i := 0; i < c.Width; i += 1 + c.Width/20 {
							const h = 1e-4
							want := (c.exactly(r, i, h) - c.exactly(r, i, -h)) / (2 * h) * float64(c.Scale) * weight
							if got := float64(c.Gradient[r*c.Width+i]); math.Abs(got-want) > 1e-6*weight+1e-7 && math.Abs(got-want) > 1e-6 {
								t.Fatalf("%v, kind %d, smoothing %v: gradient %d of row %d is %v, want %v", size, kind, smoothing, i, r, got, want)
							}
						}
					}
					for _, set := range sets {
						Use(set)
						for form := range 3 {
							d := *c
							d.Losses = make([]float64, c.Rows)
							if form > 0 {
								d.P = make([]float32, len(c.Z))
							}
							d.Gradient = make([]float32, len(c.Z))
							if form == 2 {
								d.P, d.Gradient = nil, nil
							}
							runBackwards(&d)
							for r, l := range c.Losses {
								if d.Losses[r] != l {
									t.Fatalf("%s, form %d: loss %d is %v, want %v", set, form, r, d.Losses[r], l)
								}
							}
							for i, g := range d.Gradient {
								if g != c.Gradient[i] {
									t.Fatalf("%s, form %d: gradient %d is %v, want %v", set, form, i, g, c.Gradient[i])
								}
							}
							if form == 1 {
								p := make([]float32, len(c.Z))
								Softmax(p, c.Z, c.Rows, c.Width)
								for i, v := range p {
									if d.P[i] != v {
										t.Fatalf("%s: probability %d is %v, want %v", set, i, d.P[i], v)
									}
								}
							}
						}
					}
				}
			}
		}
	}
}

func TestCrossEntropyAllocatesNothing(t *testing.T) {
	c := newCrossEntropy(128, 10, 0, 0.1)
	if n := testing.AllocsPerRun(20, func() { runBackwards(c) }); n != 0 {
		t.Errorf("a cross-entropy allocates %v times", n)
	}
}

func TestLogistic(t *testing.T) {
	z := append(normals(2000, 1), 0, 30, -30, 90, -90, 1e4, -1e4)
	Scale(z[:1000], z[:1000], 10)
	y, got, grad := make([]float32, len(z)), make([]float32, len(z)), make([]float32, len(z))
	for i := range y {
		y[i] = float32(i%3) / 2
	}
	LogisticLoss(got, z, y)
	LogisticGradient(grad, z, y, 0.5)
	for i, v := range z {
		v, y := float64(v), float64(y[i])
		want := max(v, 0) - y*v + math.Log1p(math.Exp(-math.Abs(v)))
		if math.Abs(float64(got[i])-want) > 3e-7*want+1e-7*math.Abs(v)*min(1, 4*y*(1-y)+math.Exp(-math.Abs(v)))+1e-30 {
			t.Errorf("the loss of %v and %v is %v, want %v", v, y, got[i], want)
		}
		if want := (1/(1+math.Exp(-v)) - y) / 2; math.Abs(float64(grad[i])-want) > 1e-7 {
			t.Errorf("the gradient of %v and %v is %v, want %v", v, y, grad[i], want)
		}
	}
	nan := []float32{float32(math.NaN())}
	if LogisticLoss(got[:1], nan, y[:1]); got[0] == got[0] {
		t.Errorf("the loss of NaN is %v", got[0])
	}
}

func BenchmarkLoss(b *testing.B) {
	defer Use(Active())
	for _, set := range sets {
		for _, size := range [][2]int{{128, 10}, {64, 1000}} {
			c := newCrossEntropy(size[0], size[1], 0, 0)
			b.Run(fmt.Sprintf("%s/cross-entropy/%dx%d", set, size[0], size[1]), func(b *testing.B) {
				Use(set)
				for b.Loop() {
					runBackwards(c)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(c.Z)), "ns/element")
			})
		}
		z, y, loss, grad := normals(4096, 1), normals(4096, 2), make([]float32, 4096), make([]float32, 4096)
		b.Run(fmt.Sprintf("%s/logistic", set), func(b *testing.B) {
			Use(set)
			for b.Loop() {
				LogisticLoss(loss, z, y)
				LogisticGradient(grad, z, y, 0.1)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(z)), "ns/element")
		})
	}
}
