package nnkit

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// convolve is a convolution as naive as can be; pads are before the image.
func (a array) convolve(w array, c Convolution, out [2]int, pads [2]int) array {
	groups := max(1, c.Groups)
	filters := w.shape[3]
	each, per := filters/groups, a.shape[3]/groups
	return arrayFrom([]int{a.shape[0], out[0], out[1], filters}, func(i []int) float64 {
		sum := 0.0
		for p := range w.shape[0] {
			for q := range w.shape[1] {
				y := i[1]*max(1, c.Strides[0]) + p*max(1, c.Dilation[0]) - pads[0]
				x := i[2]*max(1, c.Strides[1]) + q*max(1, c.Dilation[1]) - pads[1]
				if y < 0 || y >= a.shape[1] || x < 0 || x >= a.shape[2] {
					continue
				}
				for k := range per {
					sum += a.at([]int{i[0], y, x, i[3]/each*per + k}) * w.at([]int{p, q, k, i[3]})
				}
			}
		}
		return sum
	})
}

func convolutionCases() []operationCase {
	var cases []operationCase
	for _, c := range []struct {
		x, w []int
		c    Convolution
		out  [2]int
		pads [2]int
	}{
		{[]int{2, 5, 6, 1}, []int{3, 3, 1, 2}, Convolution{}, [2]int{3, 4}, [2]int{}},
		{[]int{2, 5, 6, 3}, []int{3, 3, 3, 4}, Convolution{Padding: SamePadding}, [2]int{5, 6}, [2]int{1, 1}},
		{[]int{1, 6, 5, 2}, []int{2, 3, 2, 3}, Convolution{Padding: SamePadding, Strides: [2]int{2, 2}}, [2]int{3, 3}, [2]int{0, 1}},
		{[]int{2, 7, 7, 2}, []int{3, 2, 2, 3}, Convolution{Dilation: [2]int{2, 3}, Strides: [2]int{1, 2}}, [2]int{3, 2}, [2]int{}},
		{[]int{2, 4, 4, 4}, []int{3, 3, 2, 6}, Convolution{Groups: 2, Padding: SamePadding}, [2]int{4, 4}, [2]int{1, 1}},
		{[]int{1, 3, 3, 4}, []int{1, 1, 1, 4}, Convolution{Groups: 4}, [2]int{3, 3}, [2]int{}},
	} {
		bias := []int{c.w[3]}
		cases = append(cases, operationCase{
			fmt.Sprint("Conv2D ", c.c),
			[][]int{c.x, c.w, bias},
			func(x []*Tensor) *Tensor { return x[0].Conv2D(x[1], x[2], c.c) },
			func(x []array) array {
				return x[0].convolve(x[1], c.c, c.out, c.pads).with(x[2], func(a, b float64) float64 { return a + b })
			}, "",
		})
	}
	causal := Convolution{Padding: CausalPadding, Dilation: [2]int{1, 2}}
	cases = append(cases, operationCase{
		"Conv1D, causal",
		[][]int{{2, 7, 3}, {2, 3, 4}},
		func(x []*Tensor) *Tensor { return x[0].Conv1D(x[1], nil, causal) },
		func(x []array) array {
			y := x[0].reshaped(2, 1, 7, 3).convolve(x[1].reshaped(1, 2, 3, 4), causal, [2]int{1, 7}, [2]int{0, 2})
			return y.reshaped(2, 7, 4)
		}, "",
	})
	for _, p := range []struct {
		x    []int
		p    Pooling
		out  [2]int
		pads [2]int
	}{
		{[]int{2, 4, 6, 3}, Pooling{Size: [2]int{2, 2}}, [2]int{2, 3}, [2]int{}},
		{[]int{1, 5, 5, 2}, Pooling{Size: [2]int{3, 2}, Strides: [2]int{1, 2}}, [2]int{3, 2}, [2]int{}},
		{[]int{1, 5, 4, 17}, Pooling{Size: [2]int{2, 3}, Strides: [2]int{2, 2}, Padding: SamePadding}, [2]int{3, 2}, [2]int{0, 0}},
	} {
		pool := func(a array, f func(numbers []float64) float64) array {
			return arrayFrom([]int{a.shape[0], p.out[0], p.out[1], a.shape[3]}, func(i []int) float64 {
				var numbers []float64
				for u := range p.p.Size[0] {
					for v := range p.p.Size[1] {
						stride := p.p.Strides
						if stride == [2]int{} {
							stride = p.p.Size
						}
						y, x := i[1]*stride[0]+u-p.pads[0], i[2]*stride[1]+v-p.pads[1]
						if y >= 0 && y < a.shape[1] && x >= 0 && x < a.shape[2] {
							numbers = append(numbers, a.at([]int{i[0], y, x, i[3]}))
						}
					}
				}
				return f(numbers)
			})
		}
		cases = append(cases, operationCase{
			fmt.Sprint("MaxPool2D ", p.p),
			[][]int{p.x},
			func(x []*Tensor) *Tensor { return x[0].MaxPool2D(p.p) },
			func(x []array) array { return pool(x[0], slices.Max[[]float64]) }, "distinct",
		}, operationCase{
			fmt.Sprint("AveragePool2D ", p.p),
			[][]int{p.x},
			func(x []*Tensor) *Tensor { return x[0].AveragePool2D(p.p) },
			func(x []array) array {
				return pool(x[0], func(numbers []float64) float64 {
					sum := 0.0
					for _, v := range numbers {
						sum += v
					}
					return sum / float64(len(numbers))
				})
			}, "",
		})
	}
	return cases
}

// Parameters alone, before anything on a tape, can be computed with, and get their gradient.
func TestParametersAlone(t *testing.T) {
	p := newParameter("p", Ones, 3)
	copy(p.Data(), []float32{0.5, -1, 2})
	tape := NewTape()
	for step := range 3 { // the tape has other nodes in these places later
		tape.Reset()
		x := tape.Watch(Vector(1, 2, 3))
		if step == 1 {
			x = x.Add(x)
		}
		gain := p.Tensor().Exp().Add(p.Tensor().Square())
		if err := tape.Backward(x.Mul(gain).Sum()); err != nil {
			t.Fatal(err)
		}
		for i, got := range p.Gradient() {
			v := float64(p.Data()[i])
			want := float64(i+1) * (math.Exp(v) + 2*v)
			if step == 1 {
				want *= 2
			}
			if math.Abs(float64(got)-want) > 1e-5*math.Abs(want) {
				t.Errorf("step %d: gradient %d is %v, want %v", step, i, got, want)
			}
		}
	}
}

// A tensor that has been kept too long is told.
func TestTensorOfAnEarlierStep(t *testing.T) {
	tape := NewTape()
	x := tape.Watch(Vector(1, 2, 3))
	old := x.Exp().Exp().Exp()
	tape.Reset()
	x = tape.Watch(Vector(1, 2, 3))
	defer func() {
		want := "Add: a tensor is of an earlier step of its tape: compute it anew, or Clone it to keep it"
		if err, ok := recover().(error); !ok || err.Error() != want {
			t.Errorf("the panic is %v, want %s", err, want)
		}
	}()
	x.Add(old)
}
