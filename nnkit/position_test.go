package nnkit

import (
	"math"
	"testing"
)

func TestPositionalEncoding(t *testing.T) {
	const steps, features = 500, 7
	m := Sequential(Input(steps, features), PositionalEncoding())
	y, err := m.Predict(zeros([]int{1, steps, features}))
	if err != nil {
		t.Fatal(err)
	}
	for s := range steps {
		for i := range features {
			angle := float64(s) / math.Pow(10000, float64(i/2*2)/features)
			want := math.Sin(angle)
			if i%2 == 1 {
				want = math.Cos(angle)
			}
			if got := float64(y.At(0, s, i)); math.Abs(got-want) > 1e-7 {
				t.Fatalf("step %d, feature %d: the code is %v, want %v", s, i, got, want)
			}
		}
	}
	if err := Sequential(Input(3), PositionalEncoding()).Compile(Adam(), MeanSquaredError); err == nil {
		t.Error("plain numbers are taken for a sequence")
	}
	trained := Sequential(Input(4, 3), PositionEmbedding()).Parameters()
	if len(trained) != 1 || trained[0].Len() != 12 {
		t.Errorf("the trained vectors are %v", trained)
	}
}
