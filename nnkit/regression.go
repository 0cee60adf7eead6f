package nnkit

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Losses for numbers, each averaged over the outputs. y has a number for each output.
var (
	// MeanSquaredError is (p-y)²: for numbers, with [Linear] at the output.
	MeanSquaredError Loss = &placeLoss{name: "mean_squared_error", call: "MeanSquaredError", compute: squaredError}
	// MeanAbsoluteError is |p-y|. It forgives outliers, and as a metric it has the unit of y.
	MeanAbsoluteError Loss = &placeLoss{name: "mean_absolute_error", call: "MeanAbsoluteError", compute: absoluteError}
	// MeanAbsolutePercentageError is 100·|p-y|/|y|, with 1e-7 for a smaller |y|.
	MeanAbsolutePercentageError Loss = &placeLoss{
		name: "mean_absolute_percentage_error", call: "MeanAbsolutePercentageError", compute: percentageError,
	}
	// MeanSquaredLogarithmicError is (log(1+p) - log(1+y))²: for numbers of many orders of magnitude. y must not be
	// negative; a p below 1e-7 counts as 1e-7, and has no gradient.
	MeanSquaredLogarithmicError Loss = &placeLoss{
		name: "mean_squared_logarithmic_error", call: "MeanSquaredLogarithmicError", compute: logarithmicError, truth: notNegativeTruth,
	}
	// LogCosh is log(cosh(p-y)): near 0 half the square, far away |p-y| - log 2.
	LogCosh Loss = &placeLoss{name: "log_cosh", call: "LogCosh", compute: logCosh}
	// Poisson is p - y·log(p+1e-7): for counts y, of which p is the expected one and must not be negative: with
	// [Softplus] at the output.
	Poisson Loss = &placeLoss{name: "poisson", call: "Poisson", compute: poisson, refused: wantsRate, truth: notNegativeTruth}
)

// Huber is (p-y)²/2 where |p-y| is at most delta, and delta·(|p-y| - delta/2) beyond, averaged over the outputs: outliers
// pull no harder than delta. 1 is usual. P. J. Huber, Robust estimation of a location parameter, 1964.
func Huber(delta float64) Loss {
	f := &placeLoss{name: "huber", call: fmt.Sprintf("Huber(%v)", delta), compute: huber, setting: float32(delta)}
	if !(f.setting > 0) || math.IsInf(float64(f.setting), 0) {
		f.invalid = "delta must be a number above 0"
	}
	return f
}

func notNegativeTruth(call, name string, y *Tensor) error {
	return within(name, y, 0, math.MaxFloat32, call)
}

func wantsRate(call string, o output) error {
	if o.activation == Linear || o.activation == Tanh {
		return fmt.Errorf("%s wants outputs that are never negative, but %s ends in %s: write Dense(%d, nnkit.Softplus)",
			call, o.where, o.activation, o.width)
	}
	return nil
}

func squaredError(s span) {
	simd.Subtract(s.value, s.p, s.y)
	if s.slope != nil {
		simd.Scale(s.slope, s.value, 2)
	}
	simd.Square(s.value, s.value)
	s.average()
}

func absoluteError(s span) {
	simd.Subtract(s.value, s.p, s.y)
	if s.slope != nil {
		simd.Sign(s.slope, s.value)
	}
	simd.Abs(s.value, s.value)
	s.average()
}

func percentageError(s span) {
	simd.Abs(s.spare, s.y)
	simd.Clip(s.spare, s.spare, probabilityFloor, math.MaxFloat32)
	simd.Subtract(s.value, s.p, s.y)
	if s.slope != nil {
		simd.Sign(s.slope, s.value)
		simd.Scale(s.slope, s.slope, 100)
		simd.Divide(s.slope, s.slope, s.spare)
	}
	simd.Abs(s.value, s.value)
	simd.Scale(s.value, s.value, 100)
	simd.Divide(s.value, s.value, s.spare)
	s.average()
}

func logarithmicError(s span) {
	onePlus(s.spare, s.y)
	simd.Log(s.spare, s.spare)
	onePlus(s.value, s.p)
	if s.slope != nil {
		copy(s.slope, s.value)
	}
	simd.Log(s.value, s.value)
	simd.Subtract(s.value, s.value, s.spare)
	if s.slope != nil {
		simd.Divide(s.slope, s.value, s.slope)
		simd.Scale(s.slope, s.slope, 2)
		simd.ClipGradient(s.slope, s.p, probabilityFloor, math.MaxFloat32)
	}
	simd.Square(s.value, s.value)
	s.average()
}

func onePlus(dst, x []float32) {
	simd.Clip(dst, x, probabilityFloor, math.MaxFloat32)
	simd.Shift(dst, dst, 1)
}

// huber is c·(d - c/2) for the difference d and its part c within ±delta, which is the slope.
func huber(s span) {
	simd.Subtract(s.value, s.p, s.y)
	simd.Clip(s.spare, s.value, -s.setting, s.setting)
	if s.slope != nil {
		copy(s.slope, s.spare)
	}
	simd.AddScaled(s.value, s.spare, -0.5)
	simd.Multiply(s.value, s.value, s.spare)
	s.average()
}

// logCosh is log(1+exp(2d)) - d - log 2 for the difference d.
func logCosh(s span) {
	simd.Subtract(s.spare, s.p, s.y)
	if s.slope != nil {
		simd.Tanh(s.slope, s.spare)
	}
	simd.Scale(s.spare, s.spare, 2)
	fill(s.value, 0.5)
	simd.LogisticLoss(s.value, s.spare, s.value)
	simd.Shift(s.value, s.value, -math.Ln2)
	s.average()
}

func poisson(s span) {
	simd.Shift(s.value, s.p, probabilityFloor)
	if s.slope != nil { // 1 - y/p
		simd.Divide(s.slope, s.y, s.value)
		simd.Scale(s.slope, s.slope, -1)
		simd.Shift(s.slope, s.slope, 1)
	}
	simd.Log(s.value, s.value)
	simd.Multiply(s.value, s.value, s.y)
	simd.Subtract(s.value, s.p, s.value)
	s.average()
}

// CosineSimilarity is the cosine of the angle between the outputs of a place and its truth, 1 where they point the same
// way. As a loss it is that negated, as in Keras, so that training brings them together; as a metric it is the cosine.
var CosineSimilarity Loss = cosineSimilarity{&placeLoss{name: "cosine_similarity", call: "CosineSimilarity", compute: oppositeCosine}}

type cosineSimilarity struct{ *placeLoss }

func (cosineSimilarity) larger() bool { return true }

func (l cosineSimilarity) newMeter(int) meter { return &lossMeter{loss: l, sign: -1} }

// oppositeCosine is -p·y/(|p|·|y|). A vector of length 0 has the length 1e-7, as in Keras, and similarity 0.
func oppositeCosine(s span) {
	const least = 1e-14 // of a square
	for i := range s.losses {
		p, y := s.p[i*s.width:][:s.width], s.y[i*s.width:][:s.width]
		var pp, yy, py float64
		for k, v := range p {
			pp += float64(float64(v) * float64(v))
			yy += float64(float64(y[k]) * float64(y[k]))
			py += float64(float64(v) * float64(y[k]))
		}
		pp, yy = max(pp, least), max(yy, least)
		scale := 1 / (math.Sqrt(pp) * math.Sqrt(yy))
		s.losses[i] = -py * scale
		if s.slope == nil {
			continue
		}
		// -(y - p·(p·y)/(p·p))/(|p|·|y|), times width, since the slopes are averaged.
		along := py / pp
		for k, v := range p {
			s.slope[i*s.width+k] = float32(-float64(s.width) * scale * (float64(y[k]) - float64(along*float64(v))))
		}
	}
}
