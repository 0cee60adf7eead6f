package nnkit

import (
	"math"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Each initializer has the mean and the variance, and keeps to the bounds, that its formula has.
func TestInitializersHaveTheirMoments(t *testing.T) {
	const in, out = 400, 200
	truncated := 0.87962566103423978 * 0.87962566103423978
	for _, test := range []struct {
		initializer      Initializer
		mean, variance   float64
		smallest, bounds float64
	}{
		{GlorotUniform, 0, 2. / 600, -math.Sqrt(6. / 600), math.Sqrt(6. / 600)},
		{GlorotNormal, 0, 2. / 600, -2 * math.Sqrt(2./600/truncated), 2 * math.Sqrt(2./600/truncated)},
		{HeUniform, 0, 2. / 400, -math.Sqrt(6. / 400), math.Sqrt(6. / 400)},
		{HeNormal, 0, 2. / 400, -2 * math.Sqrt(2./400/truncated), 2 * math.Sqrt(2./400/truncated)},
		{LeCunUniform, 0, 1. / 400, -math.Sqrt(3. / 400), math.Sqrt(3. / 400)},
		{LeCunNormal, 0, 1. / 400, -2 * math.Sqrt(1./400/truncated), 2 * math.Sqrt(1./400/truncated)},
		{VarianceScaling(3, FanOut, NormalDistribution), 0, 3. / 200, math.Inf(-1), math.Inf(1)},
		{RandomNormal(0.05), 0, 0.0025, math.Inf(-1), math.Inf(1)},
		{TruncatedNormal(0.05), 0, 0.0025 * truncated, -0.1, 0.1},
		{RandomUniform(1, 3), 2, 4. / 12, 1, 3},
		{Constant(0.1), 0.1, 0, 0.1, 0.1},
		{Ones, 1, 0, 1, 1},
		{Identity(2), 2. / 400, 4./400 - 4./400/400, 0, 2},
	} {
		w := make([]float32, in*out)
		test.initializer.fill(w, in, out, random.Stream{Seed: 3})
		mean, squares := 0.0, 0.0
		for _, v := range w {
			if v := float64(v); v < test.smallest-1e-6 || v > test.bounds+1e-6 {
				t.Fatalf("%v draws %v, which is not between %v and %v", test.initializer, v, test.smallest, test.bounds)
			}
			mean += float64(v) / in / out
			squares += float64(v) * float64(v) / in / out
		}
		deviation := math.Sqrt(test.variance)
		if variance := squares - mean*mean; math.Abs(variance-test.variance) > 0.02*test.variance+1e-8 || math.Abs(mean-test.mean) > 0.015*deviation+1e-7 {
			t.Errorf("%v has the mean %v and the variance %v, want %v and %v", test.initializer, mean, variance, test.mean, test.variance)
		}
	}
}

func TestInitializerOptions(t *testing.T) {
	m := Sequential(Input(3, 2), LSTM(2, KernelInitializer(Zeros), RecurrentInitializer(Constant(0.5)), BiasInitializer(Constant(0.25))),
		Dense(2, KernelInitializer(Identity(3)), BiasInitializer(Ones)))
	want := map[string][]float32{
		"lstm_1/recurrent_kernel": {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5},
		"lstm_1/bias":             {0.25, 0.25, 1, 1, 0.25, 0.25, 0.25, 0.25},
		"lstm_1/kernel":           make([]float32, 16),
		"dense_1/kernel":          {3, 0, 0, 3},
		"dense_1/bias":            {1, 1},
	}
	for _, p := range m.Parameters() {
		for i, v := range p.Data() {
			if v != want[p.Name()][i] {
				t.Errorf("%s begins as %v, want %v", p.Name(), p.Data(), want[p.Name()])
				break
			}
		}
	}
}
