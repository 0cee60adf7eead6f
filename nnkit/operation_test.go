package nnkit

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// array is a tensor in float64, and its functions are as naive as can be: they judge the operations.
type array struct {
	shape []int
	data  []float64
}

func arrayOf(x *Tensor) array {
	a := array{x.Shape(), make([]float64, x.Len())}
	for i, v := range x.Data() {
		a.data[i] = float64(v)
	}
	return a
}

// indices walks over all indices of a shape.
func indices(shape []int, visit func(index []int)) {
	index := make([]int, len(shape))
	for range sizeOf(shape) {
		visit(index)
		step(index, shape)
	}
}

func (a array) at(index []int) float64 {
	n := 0
	for i, v := range index {
		n = n*a.shape[i] + v
	}
	return a.data[n]
}

func arrayFrom(shape []int, value func(index []int) float64) array {
	a := array{slices.Clone(shape), nil}
	indices(shape, func(index []int) { a.data = append(a.data, value(index)) })
	return a
}

func (a array) each(f func(float64) float64) array {
	return arrayFrom(a.shape, func(i []int) float64 { return f(a.at(i)) })
}

// stretched reads a at an index of a larger shape.
func (a array) stretched(index []int) float64 {
	own := slices.Clone(index[len(index)-len(a.shape):])
	for i := range own {
		if a.shape[i] == 1 {
			own[i] = 0
		}
	}
	return a.at(own)
}

func (a array) with(b array, f func(x, y float64) float64) array {
	shape := appendBroadcast(nil, "test", a.shape, b.shape)
	return arrayFrom(shape, func(i []int) float64 { return f(a.stretched(i), b.stretched(i)) })
}

func (a array) softmax() array {
	return arrayFrom(a.shape, func(i []int) float64 {
		sum := 0.0
		j := slices.Clone(i)
		for j[len(j)-1] = range a.shape[len(j)-1] {
			sum += math.Exp(a.at(j))
		}
		return math.Exp(a.at(i)) / sum
	})
}

func (a array) matMul(b array) array {
	shape := slices.Clone(a.shape)
	shape[len(shape)-1] = b.shape[len(b.shape)-1]
	return arrayFrom(shape, func(i []int) float64 {
		sum := 0.0
		left, right := slices.Clone(i), slices.Clone(i[len(i)-len(b.shape):])
		for k := range a.shape[len(a.shape)-1] {
			left[len(left)-1], right[len(right)-2] = k, k
			sum += a.at(left) * b.at(right)
		}
		return sum
	})
}

func (a array) sumAxis(axis int) array {
	shape := slices.Delete(slices.Clone(a.shape), axis, axis+1)
	return arrayFrom(shape, func(i []int) float64 {
		sum := 0.0
		for k := range a.shape[axis] {
			sum += a.at(slices.Insert(slices.Clone(i), axis, k))
		}
		return sum
	})
}

func (a array) swap(p, q int) array {
	shape := slices.Clone(a.shape)
	shape[p], shape[q] = shape[q], shape[p]
	return arrayFrom(shape, func(i []int) float64 {
		j := slices.Clone(i)
		j[p], j[q] = j[q], j[p]
		return a.at(j)
	})
}

func (a array) reshaped(shape ...int) array { return array{shape, a.data} }

func (a array) sum() array {
	s := 0.0
	for _, v := range a.data {
		s += v
	}
	return array{nil, []float64{s}}
}

// operationCase is an operation beside its reference.
type operationCase struct {
	name   string
	shapes [][]int
	of     func(x []*Tensor) *Tensor
	want   func(x []array) array
	domain string // of the inputs: "" for any, "positive", "away" from 0, "distinct"
}

func elementwiseCases() []operationCase {
	var cases []operationCase
	for _, u := range []struct {
		name   string
		of     func(x *Tensor) *Tensor
		want   func(v float64) float64
		domain string
	}{
		{"Exp", (*Tensor).Exp, math.Exp, ""},
		{"Log", (*Tensor).Log, math.Log, "positive"},
		{"Sigmoid", (*Tensor).Sigmoid, func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }, ""},
		{"Tanh", (*Tensor).Tanh, math.Tanh, ""},
		{"Erf", (*Tensor).Erf, math.Erf, ""},
		{"Sin", (*Tensor).Sin, math.Sin, ""},
		{"Cos", (*Tensor).Cos, math.Cos, ""},
		{"Square", (*Tensor).Square, func(v float64) float64 { return v * v }, ""},
		{"Sqrt", (*Tensor).Sqrt, math.Sqrt, "positive"},
		{"Abs", (*Tensor).Abs, math.Abs, "away"},
		{"ReLU", (*Tensor).ReLU, func(v float64) float64 { return max(v, 0) }, "away"},
		{"Rsqrt", (*Tensor).Rsqrt, func(v float64) float64 { return 1 / math.Sqrt(v) }, "positive"},
		{"Log1p", (*Tensor).Log1p, math.Log1p, "positive"},
		{"Expm1", (*Tensor).Expm1, math.Expm1, ""},
		{"Clip", func(x *Tensor) *Tensor { return x.Clip(-0.05, 0.05) }, func(v float64) float64 { return min(max(v, -0.05), 0.05) }, "away"},
		{"GELU", (*Tensor).GELU, func(v float64) float64 { return v * (1 + math.Erf(v/math.Sqrt2)) / 2 }, ""},
		{"TanhGELU", (*Tensor).TanhGELU, func(v float64) float64 {
			return v / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
		}, ""},
		{"SiLU", (*Tensor).SiLU, func(v float64) float64 { return v / (1 + math.Exp(-v)) }, ""},
		{"Softplus", (*Tensor).Softplus, func(v float64) float64 { return math.Log1p(math.Exp(v)) }, ""},
		{"Softsign", (*Tensor).Softsign, func(v float64) float64 { return v / (1 + math.Abs(v)) }, "away"},
		{"Mish", (*Tensor).Mish, func(v float64) float64 { return v * math.Tanh(math.Log1p(math.Exp(v))) }, ""},
		{"HardSigmoid", (*Tensor).HardSigmoid, func(v float64) float64 { return min(max(v+3, 0), 6) / 6 }, ""},
		{"HardSwish", (*Tensor).HardSwish, func(v float64) float64 { return v * min(max(v+3, 0), 6) / 6 }, ""},
		{"ELU", func(x *Tensor) *Tensor { return x.ELU(0.5) }, func(v float64) float64 { return max(v, 0) + 0.5*math.Expm1(min(v, 0)) }, "away"},
		{"SELU", (*Tensor).SELU, func(v float64) float64 {
			return 1.0507009873554805 * (max(v, 0) + 1.6732632423543772*math.Expm1(min(v, 0)))
		}, "away"},
		{"LeakyReLU", func(x *Tensor) *Tensor { return x.LeakyReLU(0.2) }, func(v float64) float64 { return max(v, 0) + 0.2*min(v, 0) }, "away"},
		{"Neg", (*Tensor).Neg, func(v float64) float64 { return -v }, ""},
		{"Scale", func(x *Tensor) *Tensor { return x.Scale(2.5) }, func(v float64) float64 { return 2.5 * v }, ""},
		{"Shift", func(x *Tensor) *Tensor { return x.Shift(-1.5) }, func(v float64) float64 { return v - 1.5 }, ""},
	} {
		for _, shape := range [][]int{{}, {1}, {7}, {3, 17}, {2, 3, 33}, {0, 4}} {
			cases = append(cases, operationCase{
				u.name,
				[][]int{shape},
				func(x []*Tensor) *Tensor { return u.of(x[0]) },
				func(x []array) array { return x[0].each(u.want) }, u.domain,
			})
		}
	}
	for _, b := range []struct {
		name   string
		of     func(x, y *Tensor) *Tensor
		want   func(x, y float64) float64
		domain string
	}{
		{"Add", (*Tensor).Add, func(x, y float64) float64 { return x + y }, ""},
		{"Sub", (*Tensor).Sub, func(x, y float64) float64 { return x - y }, ""},
		{"Mul", (*Tensor).Mul, func(x, y float64) float64 { return x * y }, ""},
		{"Div", (*Tensor).Div, func(x, y float64) float64 { return x / y }, "positive"},
		{"Maximum", (*Tensor).Maximum, math.Max, "distinct"},
		{"Minimum", (*Tensor).Minimum, math.Min, "distinct"},
	} {
		for _, shapes := range [][][]int{
			{{5}, {5}},
			{{3, 4}, {3, 4}},
			{{3, 4}, {4}},
			{{4}, {3, 4}},
			{{3, 4}, {3, 1}},
			{{3, 1}, {1, 4}},
			{{3, 4}, {}},
			{{}, {3, 4}},
			{{2, 3, 4}, {3, 1}},
			{{2, 1, 4}, {3, 1}},
			{{2, 3, 4, 5}, {3, 1, 5}},
			{{1}, {300}},
			{{2, 300}, {2, 1}},
			{{0, 3}, {3}},
			{{2, 2, 1, 3}, {2, 1, 2, 1, 1}},
		} {
			cases = append(cases, operationCase{
				fmt.Sprintf("%s %v", b.name, shapes), shapes,
				func(x []*Tensor) *Tensor { return b.of(x[0], x[1]) },
				func(x []array) array { return x[0].with(x[1], b.want) }, b.domain,
			})
		}
	}
	return cases
}

func operationCases() []operationCase {
	cases := slices.Concat(elementwiseCases(), convolutionCases(), recurrentCases(), normalizationCases())
	one := func(name string, shape []int, of func(x *Tensor) *Tensor, want func(x array) array) {
		cases = append(cases, operationCase{
			name,
			[][]int{shape},
			func(x []*Tensor) *Tensor { return of(x[0]) }, func(x []array) array { return want(x[0]) }, "",
		})
	}
	for _, shape := range [][]int{{4}, {3, 10}, {2, 3, 5}} {
		one("Softmax", shape, (*Tensor).Softmax, array.softmax)
		one("LogSoftmax", shape, (*Tensor).LogSoftmax, func(x array) array { return x.softmax().each(math.Log) })
		one("Sum", shape, (*Tensor).Sum, array.sum)
		one("Mean", shape, (*Tensor).Mean, func(x array) array {
			return x.sum().each(func(v float64) float64 { return v / float64(len(x.data)) })
		})
		for axis := range shape {
			one("SumAxis", shape, func(x *Tensor) *Tensor { return x.SumAxis(axis) }, func(x array) array { return x.sumAxis(axis) })
			one("MeanAxis", shape, func(x *Tensor) *Tensor { return x.MeanAxis(axis - len(shape)) }, func(x array) array {
				return x.sumAxis(axis).each(func(v float64) float64 { return v / float64(shape[axis]) })
			})
			one("Transpose", shape, func(x *Tensor) *Tensor { return x.Transpose(0, axis) }, func(x array) array { return x.swap(0, axis) })
		}
	}
	one("Transpose", []int{2, 3, 4, 5}, func(x *Tensor) *Tensor { return x.Transpose(3, 1) }, func(x array) array { return x.swap(1, 3) })
	one("Reshape", []int{4, 6}, func(x *Tensor) *Tensor { return x.Reshape(2, -1, 3) }, func(x array) array { return x.reshaped(2, 4, 3) })
	one("Flatten", []int{4, 2, 3}, (*Tensor).Flatten, func(x array) array { return x.reshaped(4, 6) })
	one("Slice", []int{5, 3}, func(x *Tensor) *Tensor { return x.Slice(1, 4) }, func(x array) array {
		return arrayFrom([]int{3, 3}, func(i []int) float64 { return x.at([]int{i[0] + 1, i[1]}) })
	})
	for _, shapes := range [][][]int{
		{{3, 4}, {4, 5}}, {{1, 1}, {1, 1}}, {{2, 3, 4}, {4, 5}}, {{2, 3, 4}, {2, 4, 5}}, {{2, 2, 3, 4}, {2, 2, 4, 1}}, {{0, 4}, {4, 2}}, {{9, 20}, {20, 17}},
	} {
		cases = append(cases, operationCase{
			fmt.Sprint("MatMul ", shapes), shapes,
			func(x []*Tensor) *Tensor { return x[0].MatMul(x[1]) }, func(x []array) array { return x[0].matMul(x[1]) }, "",
		})
	}
	for axis := range 3 {
		shapes := [][]int{{2, 3, 4}, {2, 3, 4}, {2, 3, 4}, {2, 3, 4}}
		shapes[1][axis], shapes[3][axis] = 5, 1
		cases = append(cases, operationCase{
			"Concat", shapes,
			func(x []*Tensor) *Tensor { return Concat(axis, x...) },
			func(x []array) array {
				shape := slices.Clone(x[0].shape)
				shape[axis] += x[1].shape[axis] + x[2].shape[axis] + x[3].shape[axis]
				return arrayFrom(shape, func(i []int) float64 {
					i = slices.Clone(i)
					for _, a := range x {
						if i[axis] < a.shape[axis] {
							return a.at(i)
						}
						i[axis] -= a.shape[axis]
					}
					panic("outside")
				})
			}, "",
		})
	}
	for _, bias := range []bool{true, false} {
		shapes := [][]int{{6, 5}, {5, 4}, {4}}
		if !bias {
			shapes = shapes[:2]
		}
		cases = append(cases, operationCase{
			"Linear", shapes,
			func(x []*Tensor) *Tensor {
				if bias {
					return x[0].Linear(x[1], x[2])
				}
				return x[0].Linear(x[1], nil)
			},
			func(x []array) array {
				y := x[0].matMul(x[1])
				if bias {
					y = y.with(x[2], func(a, b float64) float64 { return a + b })
				}
				return y
			}, "",
		})
	}
	return cases
}

// Every operation against its float64 reference, and its gradients against central differences of that: with inputs
// that are watched, with inputs that are a ReLU's (whose gradient an operation may apply itself) and with inputs that are
// used a second time (whose gradient is a sum).
func TestOperations(t *testing.T) {
	s := random.Stream{Seed: 21}
	drawn := 0
	for _, c := range operationCases() {
		for _, rectify := range []bool{false, true} {
			if rectify && c.domain != "" && c.domain != "distinct" {
				continue
			}
			for _, twice := range []bool{false, true} {
				name := fmt.Sprintf("%s %v, ReLU %v, twice %v", c.name, c.shapes, rectify, twice)
				tape := NewTape()
				var inputs, used []*Tensor
				var wants []array
				for _, shape := range c.shapes {
					x := zeros(shape)
					for i := range x.data {
						drawn++
						v := s.Normal(drawn)
						switch {
						case c.domain == "positive":
							v = 0.5 + math.Abs(v)
						case c.domain == "distinct": // however rectified
							v = float64(drawn*37%10007)/5000 + 0.1
						case c.domain == "away" || rectify:
							v += math.Copysign(0.1, v)
						}
						x.data[i] = float32(v)
					}
					wants = append(wants, arrayOf(x))
					x = tape.Watch(x)
					inputs = append(inputs, x)
					if rectify {
						x = x.ReLU()
					}
					used = append(used, x)
				}
				y := c.of(used)
				reference := func() (value array, total float64) {
					in := slices.Clone(wants)
					if rectify {
						for i, a := range in {
							in[i] = a.each(func(v float64) float64 { return max(v, 0) })
						}
					}
					value = c.want(in)
					for i, v := range value.data {
						total += v * weight(i)
					}
					if twice {
						for _, a := range in {
							for i, v := range a.data {
								total += v * v * weight(i+1)
							}
						}
					}
					return value, total
				}
				want, _ := reference()
				if !slices.Equal(y.Shape(), want.shape) {
					t.Errorf("%s: the shape is %v, want %v", name, y.Shape(), want.shape)
					continue
				}
				for i, v := range y.Data() {
					if d := math.Abs(float64(v) - want.data[i]); d > 2e-6*max(1, math.Abs(want.data[i])) {
						t.Errorf("%s: number %d is %v, want %v", name, i, v, want.data[i])
						break
					}
				}
				loss := y.Mul(weights(y, 0)).Sum()
				if twice {
					for _, x := range used {
						loss = loss.Add(x.Square().Mul(weights(x, 1)).Sum())
					}
				}
				if err := tape.Backward(loss); err != nil {
					t.Fatal(name, err)
				}
				for k, x := range inputs {
					g := tape.Gradient(x)
					for i, got := range g.Data() {
						const h = 1e-5
						at := wants[k].data
						v := at[i]
						at[i] = v + h
						_, up := reference()
						at[i] = v - h
						_, down := reference()
						at[i] = v
						want := (up - down) / (2 * h)
						if math.Abs(float64(got)-want) > 1e-5*max(1, math.Abs(want)) {
							t.Errorf("%s: gradient %d of input %d is %v, want %v", name, i, k, got, want)
							break
						}
					}
				}
			}
		}
	}
}

// weight makes a sum of an operation's numbers in which each has its own part.
func weight(i int) float64 { return 0.5 + 0.25*float64(i%5) }

func weights(like *Tensor, from int) *Tensor {
	w := zeros(like.shape)
	for i := range w.data {
		w.data[i] = float32(weight(i + from))
	}
	return w
}

// What does not fit together is told in one sentence.
func TestOperationErrors(t *testing.T) {
	a, b := zeros([]int{2, 3}), zeros([]int{4, 5})
	one, other := NewTape(), NewTape()
	for _, test := range []struct {
		run  func()
		want string
	}{
		{func() { a.Add(b) }, "Add: the shapes (2, 3) and (4, 5) do not fit: aligned at their ends, sizes must be equal or 1, and 2 meets 4"},
		{func() { a.MatMul(b) }, "MatMul: the shapes (2, 3) and (4, 5) do not fit: the last size of the left one, 3, must be the number of rows of the right one, 4"},
		{func() { zeros([]int{2, 2, 3}).MatMul(zeros([]int{3, 3, 1})) }, "MatMul: the shapes (2, 2, 3) and (3, 3, 1) do not fit: the dimensions in front of the last two must be equal, or the right one a matrix"},
		{func() { Scalar(1).MatMul(a) }, "MatMul: the shapes () and (2, 3) do not fit: a single number is multiplied by Mul or Scale"},
		{func() { a.Reshape(4, 2) }, "Reshape: the shape (2, 3) has 6 numbers and (4, 2) would have 8: sizes must multiply to as many"},
		{func() { a.Reshape(-1, 4) }, "Reshape: 6 numbers of shape (2, 3) cannot be laid out as (-1, 4)"},
		{func() { a.Reshape(-1, -1) }, "Reshape: the shape (-1, -1) has more than one open size or a negative one"},
		{func() { a.Slice(1, 3) }, "Slice: there are no rows 1 to 3 in the shape (2, 3)"},
		{func() { a.SumAxis(2) }, "SumAxis: there is no dimension 2 in the shape (2, 3)"},
		{func() { Scalar(1).Softmax() }, "Softmax: the tensor is a single number and has no last dimension"},
		{func() { Concat(1, a, b) }, "Concat: tensor 2 has the shape (4, 5) and the first (2, 3): all sizes but that of dimension 1 must be equal"},
		{func() { Concat(0) }, "Concat: there are no tensors"},
		{func() { a.Linear(b, nil) }, "Linear: x has the shape (2, 3), but the weights are of 4 inputs: the last size of x must be 4"},
		{func() { a.Linear(zeros([]int{3, 2}), zeros([]int{3})) }, "Linear: the bias has the shape (3), but there are 2 outputs: it must be (2)"},
		{func() { a.Linear(zeros([]int{3}), nil) }, "Linear: the weights have the shape (3): they must be a matrix of inputs by outputs"},
		{func() { one.Watch(a).Add(other.Watch(a)) }, "Add: its tensors are on two tapes: put them on one by Tape.Watch, or Clone what is a constant"},
	} {
		func() {
			defer func() {
				err, ok := recover().(error)
				var e *OperationError
				if !ok || !errors.As(err, &e) || err.Error() != test.want {
					t.Errorf("the panic is\n\t%v\nwant\n\t%s", err, test.want)
				}
			}()
			test.run()
		}()
	}
	x := one.Watch(zeros([]int{2}))
	for _, test := range []struct {
		y    *Tensor
		want string
	}{
		{a, "Backward: the tensor is not on this tape: compute it from one that Tape.Watch has returned"},
		{x.Exp(), "Backward: the tensor has the shape (2), but a gradient is that of a single number: take its Sum or its Mean"},
	} {
		if err := one.Backward(test.y); err == nil || err.Error() != test.want {
			t.Errorf("the error is\n\t%v\nwant\n\t%s", err, test.want)
		}
	}
}

// A tape's steps of the same shapes, and smaller ones, allocate nothing after the first.
func TestTapeAllocatesNothing(t *testing.T) {
	tape := NewTape()
	x, w := weights(zeros([]int{20, 30}), 0), newParameter("w", GlorotUniform, 30, 8)
	w.draw(1, 0)
	run := func(rows int) {
		tape.Reset()
		in := tape.leaf(x.data[:rows*30], rows, 30)
		in.wanted = true
		h := in.Tensor.Linear(w.Tensor(), nil).ReLU()
		h = h.Mul(h.Sigmoid()).Add(h.MeanAxis(0)).Sub(h.MeanAxis(1).Reshape(rows, 1))
		h = Concat(1, h, h.Square()).Transpose(0, 1).Softmax()
		if err := tape.Backward(h.Log().Slice(1, 5).Sum()); err != nil {
			t.Fatal(err)
		}
	}
	run(20)
	held := tape.Bytes()
	if n := testing.AllocsPerRun(5, func() { run(20); run(7) }); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
	if tape.Bytes() != held {
		t.Errorf("the tape held %d bytes after the first step and %d after others", held, tape.Bytes())
	}
}

func ExampleTape() {
	tape := NewTape()
	x := tape.Watch(Vector(1, 2, 3))
	y := x.Square().Sum()
	if err := tape.Backward(y); err != nil {
		fmt.Println(err)
	}
	fmt.Println(y.Item())
	fmt.Println(tape.Gradient(x))
	// Output:
	// 14
	// Tensor (3)
	//   2  4  6
}
