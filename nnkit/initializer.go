package nnkit

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Initializer draws the first values of a parameter: [GlorotUniform], [GlorotNormal], [HeUniform] or [HeNormal] for
// kernels, [Zeros] or [Ones] for others.
type Initializer interface {
	// String returns the name, "glorot_uniform" for example.
	String() string

	fill(w []float32, in, out int, s random.Stream)
}

// The initializers; in and out are a kernel's numbers of inputs and of units. The normal ones are cut at two standard
// deviations and then widened to the variance named, as in Keras.
var (
	// GlorotUniform is uniform between ±√(6/(in+out)), Keras' default and ours, whatever the activation. X. Glorot and
	// Y. Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010.
	GlorotUniform Initializer = scaling{"glorot_uniform", true, false}
	// GlorotNormal is normal with variance 2/(in+out). From the same paper.
	GlorotNormal Initializer = scaling{"glorot_normal", true, true}
	// HeUniform is uniform between ±√(6/in), which suits ReLU in deep networks. K. He, X. Zhang, S. Ren and J. Sun,
	// Delving deep into rectifiers, ICCV 2015.
	HeUniform Initializer = scaling{"he_uniform", false, false}
	// HeNormal is normal with variance 2/in. From the same paper.
	HeNormal Initializer = scaling{"he_normal", false, true}
)

var (
	// Zeros is how biases begin.
	Zeros Initializer = constant{"zeros", 0}
	// Ones is how the gains of a normalisation begin.
	Ones Initializer = constant{"ones", 1}
)

type constant struct {
	name  string
	value float32
}

func (c constant) String() string { return c.name }

func (c constant) fill(w []float32, _, _ int, _ random.Stream) { fill(w, c.value) }

// scaling is Keras' VarianceScaling.
type scaling struct {
	name   string
	glorot bool // scale by the mean of in and out, else by in with twice the variance
	normal bool
}

func (s scaling) String() string { return s.name }

func (s scaling) fill(w []float32, in, out int, stream random.Stream) {
	variance := 2 / float64(in+out)
	if !s.glorot {
		variance = 2 / float64(in)
	}
	if s.normal {
		// The normal distribution cut at ±2 has this standard deviation, and leaves out this much on each side.
		const cut, below = 0.87962566103423978, 0.022750131948179195
		sigma := math.Sqrt(variance) / cut
		for i := range w {
			p := below + float64((1-2*below)*stream.Uniform(i))
			w[i] = float32(sigma * random.Quantile(p))
		}
		return
	}
	limit := math.Sqrt(3 * variance)
	for i := range w {
		w[i] = float32(limit * (2*stream.Uniform(i) - 1))
	}
}

// uniform is between ±limit.
type uniform struct{ limit float64 }

func (u uniform) String() string { return fmt.Sprintf("uniform, ±%v", u.limit) }

func (u uniform) fill(w []float32, _, _ int, s random.Stream) {
	for i := range w {
		w[i] = float32(u.limit * (2*s.Uniform(i) - 1))
	}
}

// Orthogonal draws a matrix whose rows, or columns if there are fewer, are at right angles and of length 1: how the
// recurrent kernels of recurrent layers begin. A. M. Saxe, J. L. McClelland and S. Ganguli, Exact solutions to the
// nonlinear dynamics of learning in deep linear neural networks, ICLR 2014.
var Orthogonal Initializer = orthogonal{}

type orthogonal struct{}

func (orthogonal) String() string { return "orthogonal" }

func (orthogonal) fill(w []float32, in, out int, s random.Stream) {
	// Gram and Schmidt, each vector twice, since once loses digits.
	lines, length := in, out
	if in > out {
		lines, length = out, in
	}
	q := make([]float64, lines*length)
	for i := range lines {
		v := q[i*length : (i+1)*length]
		for j := range v {
			v[j] = s.Normal(i*length + j)
		}
		for range 2 {
			for k := range i {
				u := q[k*length : (k+1)*length]
				d := dot64(u, v)
				for j := range v {
					v[j] -= float64(d * u[j])
				}
			}
		}
		scale := 1 / math.Sqrt(dot64(v, v))
		for j := range v {
			v[j] *= scale
			if in <= out {
				w[i*out+j] = float32(v[j])
			} else {
				w[j*out+i] = float32(v[j])
			}
		}
	}
}

// dot64 rounds each product, so that no machine fuses it with the sum.
func dot64(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

func (forgetOne) String() string { return "zeros, the forget gate's ones" }

func (f forgetOne) fill(w []float32, _, _ int, _ random.Stream) {
	clear(w)
	fill(w[f.units:2*f.units], 1)
}
