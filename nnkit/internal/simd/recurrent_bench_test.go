package simd

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/nnkit/internal/parallel"
)

// An LSTM and a GRU of 128 units over 50 steps of 32 features in batches of 32, by themselves and as a step of training:
// the last state through a dense layer of 10 to the cross-entropy, Adam.
//
// The best time counts, beside that of a loop of multiply-adds in the same run.
func BenchmarkRecurrent(b *testing.B) {
	const rounds = 5000
	defer Use(Active())
	defer parallel.SetLimit(0)
	for _, set := range sets[:max(1, len(sets)-1)] {
		for _, name := range []string{"lstm", "gru"} {
			shape := Recurrent{Cell: cells[name], Batch: 32, Time: 50, Features: 32, Units: 128, Training: true}
			s := newSequence(shape, false, true, false)
			columns := s.columns()
			state := s.Batch * s.Time * columns * s.Units // multiply-adds
			inputs := s.Batch * s.Time * columns * s.Features
			d := newTraining(s)
			for cores := 1; cores <= 2; cores++ {
				for _, part := range []struct {
					name  string
					adds  int
					again bool // the pass back needs a pass before it
					run   func()
				}{
					{"forward", state + inputs, false, func() { parallel.Run(s.Blocks(), &s.Recurrent) }},
					{"backward", state, true, func() { parallel.Run(s.gradient.Blocks(), &s.gradient) }},
					{"weights", state + inputs, false, func() { parallel.Run(s.weights.Blocks(), &s.weights) }},
					{"training", 3*state + 2*inputs, false, d.step},
				} {
					b.Run(fmt.Sprintf("%s/%s/%s/cores=%d", set, name, part.name, cores), func(b *testing.B) {
						Use(set)
						parallel.SetLimit(cores)
						s.reset()
						s.forward()
						best, peak := time.Hour, time.Hour // of one core
						for b.Loop() {
							if part.again {
								s.reset()
								s.forward()
							}
							began := time.Now()
							part.run()
							best = min(best, time.Since(began))
							began = time.Now()
							Peak(rounds)
							peak = min(peak, time.Since(began))
						}
						each := float64(best.Nanoseconds())
						limit := float64(part.adds) / (24 * rounds * float64(set.lanes)) * float64(peak.Nanoseconds())
						b.ReportMetric(each/1e6, "ms-best")
						b.ReportMetric(100*limit/each/float64(cores), "%peak")
						b.ReportMetric(0, "ns/op") // that of Peak is in it
					})
				}
			}
		}
	}
}

// training is a step of training with a recurrent layer.
type training struct {
	*sequence
	w, dw, bias, dbias, z, truth []float32
	moments                      [][2][]float32
}

func newTraining(s *sequence) *training {
	const classes = 10
	d := &training{
		sequence: s,
		w:        normals(s.Units*classes, 1), dw: make([]float32, s.Units*classes),
		bias: normals(classes, 2), dbias: make([]float32, classes),
		z: make([]float32, s.Batch*classes), truth: make([]float32, s.Batch*classes),
	}
	for i := range s.Batch {
		d.truth[i*classes+i%classes] = 1
	}
	for _, w := range d.parameters() {
		d.moments = append(d.moments, [2][]float32{make([]float32, len(w[0])), make([]float32, len(w[0]))})
	}
	return d
}

func (d *training) parameters() [5][2][]float32 {
	return [5][2][]float32{
		{d.Kernel, d.weights.DKernel},
		{d.RecurrentKernel, d.weights.DRecurrentKernel},
		{d.Bias, d.weights.DBias},
		{d.w, d.dw},
		{d.bias, d.dbias},
	}
}

func (d *training) step() {
	const classes = 10
	clear(d.H)
	clear(d.C)
	parallel.Run(d.Blocks(), &d.Recurrent)
	up := Product{
		M: d.Batch, N: classes, K: d.Units, A: RowMajor(d.H, d.Units), B: RowMajor(d.w, classes),
		C: d.z, Stride: classes, Start: d.bias,
	}
	up.Part(0, up.M, 0, up.N)
	Softmax(d.z, d.z, d.Batch, classes)
	Subtract(d.z, d.z, d.truth)
	Scale(d.z, d.z, 1/float32(d.Batch))
	dw := Product{
		M: d.Units, N: classes, K: d.Batch, A: RowMajor(d.H, d.Units).Transposed(), B: RowMajor(d.z, classes),
		C: d.dw, Stride: classes,
	}
	dw.Part(0, dw.M, 0, dw.N)
	ColumnSums(d.dbias, d.z, d.Batch, classes)
	down := Product{
		M: d.Batch, N: d.Units, K: classes, A: RowMajor(d.z, classes), B: RowMajor(d.w, classes).Transposed(),
		C: d.gradient.DH, Stride: d.Units,
	}
	down.Part(0, down.M, 0, down.N)
	clear(d.gradient.DC)
	parallel.Run(d.gradient.Blocks(), &d.gradient)
	parallel.Run(d.weights.Blocks(), &d.weights)
	for i, p := range d.parameters() {
		Adam(p[0], p[1], d.moments[i][0], d.moments[i][1], &AdamStep{0.001, 0.9, 0.1, 0.999, 0.001, 1e-7, 1})
	}
}
