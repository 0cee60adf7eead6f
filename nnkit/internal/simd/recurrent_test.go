package simd

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

var cells = map[string]Cell{"tanh": TanhCell, "relu": ReLUCell, "lstm": LSTMCell, "gru": GRUCell}

// sequence is a recurrent layer with all its arrays and gradients.
type sequence struct {
	Recurrent
	gradient RecurrentGradient
	weights  RecurrentWeights
	states   [4][]float32 // what H, C, DH and DC begin with
}

// newSequence fills a layer with random numbers. The state's arrays, which the passes change, are filled by reset.
func newSequence(shape Recurrent, outputs, bias, inputs bool) *sequence {
	s := &sequence{Recurrent: shape}
	columns, steps := s.columns(), s.Batch*s.Time
	s.X, s.Kernel, s.RecurrentKernel = normals(steps*s.Features, 1), normals(s.Features*columns, 2), normals(s.Units*columns, 3)
	for _, w := range [][]float32{s.Kernel, s.RecurrentKernel} {
		Scale(w, w, 0.3)
	}
	s.H, s.C = make([]float32, s.Batch*s.Units), make([]float32, s.Batch*s.Units)
	s.Workspace = make([]float32, s.WorkspaceSize())
	s.gradient = RecurrentGradient{Recurrent: &s.Recurrent, DH: make([]float32, len(s.H)), DC: make([]float32, len(s.C))}
	s.weights = RecurrentWeights{Recurrent: &s.Recurrent, DKernel: make([]float32, len(s.Kernel)), DRecurrentKernel: make([]float32, len(s.RecurrentKernel))}
	if outputs {
		s.Y, s.gradient.DY = make([]float32, steps*s.Units), normals(steps*s.Units, 4)
	}
	if bias {
		s.Bias = normals(columns, 5)
		if s.Cell == GRUCell {
			s.Bias = normals(2*columns, 5)
		}
		s.weights.DBias = make([]float32, len(s.Bias))
	}
	if inputs {
		s.gradient.DX = make([]float32, len(s.X))
	}
	for i := range s.states {
		s.states[i] = normals(len(s.H), 6+i)
	}
	s.reset()
	return s
}

func (s *sequence) reset() {
	for i, x := range [][]float32{s.H, s.C, s.gradient.DH, s.gradient.DC} {
		copy(x, s.states[i])
	}
	for i := range s.Workspace { // nothing may depend on what was there
		s.Workspace[i] = float32(math.NaN())
	}
}

func (s *sequence) forward() { runBackwards(&s.Recurrent) }

func (s *sequence) backward() {
	runBackwards(&s.gradient)
	runBackwards(&s.weights)
}

// results are all arrays that the passes write.
func (s *sequence) results() map[string][]float32 {
	return map[string][]float32{
		"Y": s.Y, "H": s.H, "C": s.C, "DX": s.gradient.DX, "DH": s.gradient.DH, "DC": s.gradient.DC,
		"DKernel": s.weights.DKernel, "DRecurrentKernel": s.weights.DRecurrentKernel, "DBias": s.weights.DBias,
	}
}

// someMask leaves out a third of the steps, the first and the last of some rows among them.
func someMask(n int) []bool {
	mask := make([]bool, n)
	for i := range mask {
		mask[i] = random.Stream{Seed: 3}.Int(i, 3) > 0
	}
	return mask
}

// reference is a layer in float64, by the formulas of the papers.
type reference struct {
	Recurrent
	x, kernel, recurrent, bias, h, c, y []float64
}

func doubles(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// newReference takes over a layer before its pass.
func newReference(s *sequence) *reference {
	return &reference{s.Recurrent, doubles(s.X), doubles(s.Kernel), doubles(s.RecurrentKernel), doubles(s.Bias), doubles(s.H), doubles(s.C), make([]float64, len(s.Y))}
}

// forward returns the last state; the first one is left as it is.
func (r *reference) forward() (h, c []float64) {
	h, c = slices.Clone(r.h), slices.Clone(r.c)
	u, columns := r.Units, r.columns()
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for row := range r.Batch {
		for s := range r.Time {
			t := s
			if r.Reversed {
				t = r.Time - 1 - s
			}
			at := row*r.Time + t
			state := slices.Clone(h[row*u : (row+1)*u])
			if r.Mask == nil || r.Mask[at] {
				in, rec := make([]float64, columns), make([]float64, columns)
				for j := range columns {
					if len(r.bias) > 0 {
						in[j] = r.bias[j]
						if r.Cell == GRUCell {
							rec[j] = r.bias[columns+j]
						}
					}
					for k := range r.Features {
						in[j] += r.x[at*r.Features+k] * r.kernel[k*columns+j]
					}
					for k := range u {
						rec[j] += state[k] * r.recurrent[k*columns+j]
					}
				}
				for j := range u {
					new := &h[row*u+j]
					switch r.Cell {
					case TanhCell:
						*new = math.Tanh(in[j] + rec[j])
					case ReLUCell:
						*new = max(0, in[j]+rec[j])
					case LSTMCell:
						cell := &c[row*u+j]
						*cell = sigmoid(in[u+j]+rec[u+j])**cell + sigmoid(in[j]+rec[j])*math.Tanh(in[2*u+j]+rec[2*u+j])
						*new = sigmoid(in[3*u+j]+rec[3*u+j]) * math.Tanh(*cell)
					case GRUCell:
						z, r := sigmoid(in[j]+rec[j]), sigmoid(in[u+j]+rec[u+j])
						*new = z*state[j] + (1-z)*math.Tanh(in[2*u+j]+r*rec[2*u+j])
					}
				}
			}
			if r.Y != nil {
				copy(r.y[at*u:], h[row*u:(row+1)*u])
			}
		}
	}
	return h, c
}

// Values and all gradients against the reference in float64 and its central differences, with every option.
func TestRecurrentGradient(t *testing.T) {
	defer Use(Active())
	for name, cell := range cells {
		next := 1
		if testing.Short() {
			next = 7
		}
		for option := 0; option < 64; option += next {
			has := func(bit int) bool { return option>>bit&1 == 1 }
			shape := Recurrent{Cell: cell, Batch: 3, Time: 4, Features: 3, Units: 5, Reversed: has(0), Training: true}
			if has(1) {
				shape.Mask = someMask(12)
			}
			if has(2) {
				shape.Units, shape.Features, shape.Time = 17, 1, 2
			}
			s := newSequence(shape, has(3), has(4), has(5))
			ref := newReference(s)
			dy, dh, dc := doubles(s.gradient.DY), doubles(s.gradient.DH), doubles(s.gradient.DC)
			Use(sets[option%len(sets)])
			s.forward()
			y, h, c := slices.Clone(s.Y), slices.Clone(s.H), slices.Clone(s.C)
			s.backward()
			wantH, wantC := ref.forward()
			compare := func(what string, got []float32, want []float64) {
				for i, w := range want {
					if e := math.Abs(float64(got[i]) - w); !(e <= 2e-5*(1+math.Abs(w))) {
						t.Fatalf("%s, option %06b, %s: number %d of %s is %v, want %v", name, option, Active(), i, what, got[i], w)
					}
				}
			}
			compare("H", h, wantH)
			compare("C", c, wantC)
			compare("Y", y, ref.y)
			loss := func() (sum float64) {
				h, c := ref.forward()
				for i := range h {
					sum += h[i] * dh[i]
					if cell == LSTMCell {
						sum += c[i] * dc[i]
					}
				}
				for i, d := range dy {
					sum += d * ref.y[i]
				}
				return sum
			}
			check := func(what string, got []float32, x []float64) {
				if got == nil {
					return
				}
				want := make([]float64, len(x))
				for i := range x {
					const step = 1e-6
					before := x[i]
					x[i] = before + step
					up := loss()
					x[i] = before - step
					want[i] = (up - loss()) / (2 * step)
					x[i] = before
				}
				compare(what, got, want)
			}
			check("DX", s.gradient.DX, ref.x)
			check("DH", s.gradient.DH, ref.h)
			if cell == LSTMCell {
				check("DC", s.gradient.DC, ref.c)
			}
			check("DKernel", s.weights.DKernel, ref.kernel)
			check("DRecurrentKernel", s.weights.DRecurrentKernel, ref.recurrent)
			check("DBias", s.weights.DBias, ref.bias)
		}
	}
}

// All sets give the same bits, for shapes that fill the tiles in part or not at all and batches of several blocks, and a
// batch gives what its rows give one by one.
func TestRecurrentSameBits(t *testing.T) {
	defer Use(Active())
	for name, cell := range cells {
		for _, size := range [][4]int{{0, 3, 2, 2}, {2, 0, 3, 2}, {1, 1, 1, 1}, {2, 3, 0, 4}, {5, 3, 7, 9}, {37, 6, 20, 33}, {33, 5, 70, 64}, {16, 2, 3, 300}} {
			for _, mask := range []bool{false, true} {
				shape := Recurrent{Cell: cell, Batch: size[0], Time: size[1], Features: size[2], Units: size[3], Training: true, Reversed: mask}
				if mask {
					shape.Mask = someMask(size[0] * size[1])
				}
				var want map[string][]float32
				for _, set := range slices.Backward(sets) {
					Use(set)
					s := newSequence(shape, true, true, true)
					s.forward()
					s.backward()
					if want == nil {
						want = s.results()
					}
					s.compare(t, fmt.Sprintf("%s of %s, %v", name, set, size), want)
				}
				one := newSequence(shape, true, true, true)
				rows := one.Recurrent
				one.Batch = 1
				one.Workspace = make([]float32, one.WorkspaceSize())
				for row := range rows.Batch {
					at := func(x []float32) []float32 { return x[row*len(x)/rows.Batch : (row+1)*len(x)/rows.Batch] }
					s := *one
					s.X, s.H, s.C, s.Y = at(rows.X), at(rows.H), at(rows.C), at(rows.Y)
					if mask {
						s.Mask = rows.Mask[row*rows.Time : (row+1)*rows.Time]
					}
					s.gradient = RecurrentGradient{&s.Recurrent, at(one.gradient.DY), at(one.gradient.DH), at(one.gradient.DC), at(one.gradient.DX)}
					s.forward()
					runBackwards(&s.gradient)
				}
				for _, weights := range []string{"DKernel", "DRecurrentKernel", "DBias"} { // of all rows together
					copy(one.results()[weights], want[weights])
				}
				one.compare(t, fmt.Sprintf("%s, %v row by row", name, size), want)
			}
		}
	}
}

func (s *sequence) compare(t *testing.T, what string, want map[string][]float32) {
	t.Helper()
	for name, got := range s.results() {
		for i, v := range want[name] {
			if !sameBits(got[i], v) {
				t.Fatalf("%s: number %d of %s is %v, want %v", what, i, name, got[i], v)
			}
		}
	}
}

// Without training the values are the same.
func TestRecurrentPredicts(t *testing.T) {
	for name, cell := range cells {
		shape := Recurrent{Cell: cell, Batch: 20, Time: 7, Features: 9, Units: 30}
		alone := newSequence(shape, true, true, false)
		shape.Training = true
		trained := newSequence(shape, true, true, false)
		alone.forward()
		trained.forward()
		alone.compare(t, name, map[string][]float32{"Y": trained.Y, "H": trained.H, "C": trained.C})
		if most := (shape.Batch*shape.Time + 2) * (4*shape.Units + 31); alone.WorkspaceSize() > most {
			t.Errorf("%s: the workspace has %d numbers, more than the gates' %d", name, alone.WorkspaceSize(), most)
		}
	}
}

// A row that is masked to its end has the state of its last step, as if it ended there; NaN behind it does not count.
func TestRecurrentMask(t *testing.T) {
	for name, cell := range cells {
		const whole, used = 9, 5
		long := newSequence(Recurrent{Cell: cell, Batch: 1, Time: whole, Features: 4, Units: 6, Mask: make([]bool, whole)}, true, true, false)
		short := newSequence(Recurrent{Cell: cell, Batch: 1, Time: used, Features: 4, Units: 6}, true, true, false)
		for i := range whole {
			long.Mask[i] = i < used
			if i >= used {
				long.X[4*i] = float32(math.NaN())
			}
		}
		copy(short.X, long.X)
		long.forward()
		short.forward()
		long.compare(t, name, map[string][]float32{"Y": short.Y, "H": short.H, "C": short.C})
		for i, v := range long.H {
			if last := long.Y[(whole-1)*6+i]; last != v {
				t.Errorf("%s: the last output is %v, the state %v", name, last, v)
			}
		}
	}
}

func TestRecurrentAllocatesNothing(t *testing.T) {
	s := newSequence(Recurrent{Cell: LSTMCell, Batch: 33, Time: 4, Features: 20, Units: 40, Training: true}, true, true, true)
	if n := testing.AllocsPerRun(20, func() {
		s.forward()
		s.backward()
	}); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
}
