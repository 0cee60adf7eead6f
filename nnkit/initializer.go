package nnkit

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Initializer draws the first values of a parameter. Those of kernels, for [KernelInitializer], are [GlorotUniform] and
// [GlorotNormal], [HeUniform] and [HeNormal], [LeCunUniform] and [LeCunNormal], all of them a [VarianceScaling], and
// [RandomNormal], [TruncatedNormal], [RandomUniform], [Orthogonal] and [Identity]; [Zeros], [Ones] and [Constant] are for
// others. Every one draws by the model's seed.
type Initializer interface {
	// String returns the name, "glorot_uniform" for example.
	String() string

	fill(w []float32, in, out int, s random.Stream)
}

// checkInitializer says what is wrong with an initializer's numbers.
func checkInitializer(i Initializer) error {
	if i, ok := i.(interface{ check() error }); ok {
		return i.check()
	}
	return nil
}

// fitsShape says whether an initializer can draw a parameter of a shape.
func fitsShape(i Initializer, shape []int) error {
	if _, ok := i.(identity); ok && len(shape) != 2 {
		return fmt.Errorf("%s is for matrices, but the parameter has the shape %s", i, shapeText(shape))
	}
	return checkInitializer(i)
}

// The initializers that scale with a kernel's numbers of inputs and outputs; in and out are these. The normal ones are cut
// at two standard deviations and then widened to the variance named, as in Keras.
var (
	// GlorotUniform is uniform between ±√(6/(in+out)), Keras' default and ours, whatever the activation. X. Glorot and
	// Y. Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010.
	GlorotUniform Initializer = scaling{"glorot_uniform", 1, FanAvg, UniformDistribution}
	// GlorotNormal is normal with variance 2/(in+out). From the same paper.
	GlorotNormal Initializer = scaling{"glorot_normal", 1, FanAvg, TruncatedNormalDistribution}
	// HeUniform is uniform between ±√(6/in), which suits ReLU in deep networks. K. He, X. Zhang, S. Ren and J. Sun,
	// Delving deep into rectifiers, ICCV 2015.
	HeUniform Initializer = scaling{"he_uniform", 2, FanIn, UniformDistribution}
	// HeNormal is normal with variance 2/in. From the same paper.
	HeNormal Initializer = scaling{"he_normal", 2, FanIn, TruncatedNormalDistribution}
	// LeCunUniform is uniform between ±√(3/in), which suits SELU. Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller, Efficient
	// BackProp, 1998.
	LeCunUniform Initializer = scaling{"lecun_uniform", 1, FanIn, UniformDistribution}
	// LeCunNormal is normal with variance 1/in. From the same paper.
	LeCunNormal Initializer = scaling{"lecun_normal", 1, FanIn, TruncatedNormalDistribution}
)

// Fan is by which of a kernel's numbers a [VarianceScaling] divides.
type Fan int

// The numbers.
const (
	FanIn  Fan = iota // inputs
	FanOut            // outputs
	FanAvg            // the mean of both
)

// Distribution is how a [VarianceScaling] draws.
type Distribution int

// The distributions.
const (
	UniformDistribution         Distribution = iota // between ±√(3·variance)
	TruncatedNormalDistribution                     // normal, cut at two standard deviations, and widened to the variance
	NormalDistribution                              // normal; Keras' "untruncated_normal"
)

// VarianceScaling draws numbers of mean 0 and variance scale/fan.
func VarianceScaling(scale float64, fan Fan, d Distribution) Initializer {
	return scaling{"variance_scaling", scale, fan, d}
}

type scaling struct {
	name  string
	scale float64
	fan   Fan
	d     Distribution
}

func (s scaling) String() string { return s.name }

func (s scaling) source() string {
	fan := [...]string{FanIn: "FanIn", FanOut: "FanOut", FanAvg: "FanAvg"}[s.fan]
	d := [...]string{"UniformDistribution", "TruncatedNormalDistribution", "NormalDistribution"}[s.d]
	return fmt.Sprintf("VarianceScaling(%v, %s, %s)", s.scale, fan, d)
}

func (s scaling) check() error {
	if s.fan < FanIn || s.fan > FanAvg || s.d < UniformDistribution || s.d > NormalDistribution {
		return fmt.Errorf("VarianceScaling(%v, %d, %d): the fan is FanIn, FanOut or FanAvg, the distribution UniformDistribution, "+
			"TruncatedNormalDistribution or NormalDistribution", s.scale, s.fan, s.d)
	}
	return checkSettings("VarianceScaling", setting{"scale", s.scale, positive})
}

func (s scaling) fill(w []float32, in, out int, stream random.Stream) {
	fan := float64(in+out) / 2
	switch s.fan {
	case FanIn:
		fan = float64(in)
	case FanOut:
		fan = float64(out)
	}
	variance := s.scale / fan
	switch s.d {
	case UniformDistribution:
		limit := math.Sqrt(3 * variance)
		drawUniform(w, -limit, limit, stream)
	case TruncatedNormalDistribution:
		// The normal distribution cut at ±2 has this standard deviation.
		const cut = 0.87962566103423978
		drawTruncated(w, math.Sqrt(variance)/cut, stream)
	default:
		drawNormal(w, math.Sqrt(variance), stream)
	}
}

func drawUniform(w []float32, low, high float64, s random.Stream) {
	middle, half := (low+high)/2, (high-low)/2
	for i := range w {
		w[i] = float32(middle + float64(half*(2*s.Uniform(i)-1)))
	}
}

func drawNormal(w []float32, deviation float64, s random.Stream) {
	for i := range w {
		w[i] = float32(deviation * s.Normal(i))
	}
}

func drawTruncated(w []float32, deviation float64, s random.Stream) {
	const below = 0.022750131948179195 // what a cut at ±2 leaves out on each side
	for i := range w {
		p := below + float64((1-2*below)*s.Uniform(i))
		w[i] = float32(deviation * random.Quantile(p))
	}
}

// RandomNormal draws normal numbers of mean 0; Keras' default of the standard deviation is 0.05.
func RandomNormal(stddev float64) Initializer {
	return &drawn{
		"random_normal", fmt.Sprintf("RandomNormal(%v)", stddev), checkSettings("RandomNormal", setting{"stddev", stddev, positive}),
		func(w []float32, s random.Stream) { drawNormal(w, stddev, s) },
	}
}

// TruncatedNormal draws normal numbers of mean 0 and leaves out those beyond two standard deviations; stddev is that before
// the cut, for which Keras' default is 0.05.
func TruncatedNormal(stddev float64) Initializer {
	return &drawn{
		"truncated_normal", fmt.Sprintf("TruncatedNormal(%v)", stddev), checkSettings("TruncatedNormal", setting{"stddev", stddev, positive}),
		func(w []float32, s random.Stream) { drawTruncated(w, stddev, s) },
	}
}

// RandomUniform draws numbers between two; Keras' defaults are ±0.05.
func RandomUniform(low, high float64) Initializer {
	d := &drawn{
		"random_uniform", fmt.Sprintf("RandomUniform(%v, %v)", low, high), nil,
		func(w []float32, s random.Stream) { drawUniform(w, low, high, s) },
	}
	if !(low < high) || math.IsInf(high-low, 0) {
		d.err = fmt.Errorf("RandomUniform(%v, %v): the first number must be the smaller", low, high)
	}
	return d
}

// drawn draws every number in the same way.
type drawn struct {
	name string
	call string
	err  error
	draw func(w []float32, s random.Stream)
}

func (d *drawn) String() string { return d.name }

func (d *drawn) source() string { return d.call }

func (d *drawn) check() error { return d.err }

func (d *drawn) fill(w []float32, _, _ int, s random.Stream) { d.draw(w, s) }

var (
	// Zeros is how biases begin.
	Zeros Initializer = constant{"zeros", 0}
	// Ones is how the gains of a normalisation begin.
	Ones Initializer = constant{"ones", 1}
)

// Constant makes every number the same.
func Constant(value float64) Initializer { return constant{"constant", float32(value)} }

type constant struct {
	name  string
	value float32
}

func (c constant) String() string { return c.name }

func (c constant) source() string { return fmt.Sprintf("Constant(%v)", c.value) }

func (c constant) fill(w []float32, _, _ int, _ random.Stream) { fill(w, c.value) }

// Identity is gain on the diagonal of a matrix and 0 elsewhere: a layer that begins by letting through what it gets. Q. V.
// Le, N. Jaitly and G. E. Hinton, A simple way to initialize recurrent networks of rectified linear units, 2015.
func Identity(gain float64) Initializer { return identity{float32(gain)} }

type identity struct{ gain float32 }

func (identity) String() string { return "identity" }

func (d identity) source() string { return fmt.Sprintf("Identity(%v)", d.gain) }

func (d identity) fill(w []float32, in, out int, _ random.Stream) {
	clear(w)
	for i := range min(in, out) {
		w[i*out+i] = d.gain
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

func (f forgetOne) String() string { return f.others.String() + ", the forget gate's ones" }

func (f forgetOne) fill(w []float32, in, out int, s random.Stream) {
	f.others.fill(w, in, out, s)
	fill(w[f.units:2*f.units], 1)
}
