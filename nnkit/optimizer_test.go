package nnkit

import (
	"encoding/json"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// optimizerReference is what testdata/optimizers.py has written; its first lines say how to write it again.
type optimizerReference struct {
	Start      []float64
	Gradients  [][]float64
	Optimizers []struct {
		Name string
		Path [][]float64
	}
	Schedules []struct {
		Text  string
		Steps []int
		Rates []float64
	}
	Network struct {
		X, Y             []float64
		Start, Gradients [][]float64
		Losses           []float64
		End              [][]float64
	}
}

func readOptimizerReference(t *testing.T) (r optimizerReference) {
	t.Helper()
	text, err := os.ReadFile("testdata/optimizers.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMoreOptimizersAgreeWithTheReference(t *testing.T) {
	r := readOptimizerReference(t)
	tiny, decay, centred := Epsilon(1e-12), WeightDecay(0.3), Epsilon(1e-4)
	rate := func(r float64) RateOption { return LearningRate(r) }
	ours := map[string]Optimizer{
		"AdaDelta(0.5)":                          AdaDelta(rate(0.5)),
		"RMSprop(0.01, centered)":                RMSprop(rate(0.01), Centered(), centred),
		"RMSprop(0.01, centered, momentum 0.7)":  RMSprop(rate(0.01), Centered(), Momentum(0.7), centred),
		"Adam(0.02, AMSGrad)":                    Adam(rate(0.02), AMSGrad(), tiny),
		"AdamW(0.02)":                            AdamW(rate(0.02), tiny),
		"AdamW(0.02, decay 0.3)":                 AdamW(rate(0.02), decay, tiny),
		"NAdam(0.02)":                            NAdam(rate(0.02), tiny),
		"Adamax(0.02)":                           Adamax(rate(0.02), tiny),
		"Lion(0.02)":                             Lion(rate(0.02)),
		"GradientDescent(0.05, decay 0.3)":       GradientDescent(rate(0.05), decay),
		"SGD(0.05, momentum 0.9, decay 0.3)":     SGD(rate(0.05), Momentum(0.9), decay),
		"AdaGrad(0.1, decay 0.3)":                AdaGrad(rate(0.1), tiny, decay),
		"AdaDelta(0.5, decay 0.3)":               AdaDelta(rate(0.5), decay),
		"RMSprop(0.01, decay 0.3)":               RMSprop(rate(0.01), tiny, decay),
		"RMSprop(0.01, momentum 0.7, decay 0.3)": RMSprop(rate(0.01), Momentum(0.7), tiny, decay),
		"NAdam(0.02, decay 0.3)":                 NAdam(rate(0.02), tiny, decay),
		"Adamax(0.02, decay 0.3)":                Adamax(rate(0.02), tiny, decay),
		"Lion(0.02, decay 0.3)":                  Lion(rate(0.02), decay),
	}
	if len(r.Optimizers) != len(ours) {
		t.Errorf("the reference has %d optimizers, want %d", len(r.Optimizers), len(ours))
	}
	for _, o := range r.Optimizers {
		if ours[o.Name] == nil {
			t.Errorf("%s is not tested", o.Name)
			continue
		}
		follow(t, o.Name, ours[o.Name], appendNarrow(nil, r.Start), r.Gradients, o.Path)
	}
}

// The formula of SGD with momentum, written as a user would, takes the steps of the built-in one, also with all that an
// optimizer can do beside its formula.
func TestOptimizerFunc(t *testing.T) {
	own := func(options ...OptimizerOption) Optimizer {
		return OptimizerFunc("heavy ball", 1, func(s *Step) {
			v, rate := s.State[0], float32(s.Rate)
			for i, g := range s.Gradient {
				v[i] = float32(0.9*v[i]) - float32(rate*g)
				s.Weights[i] += v[i]
			}
		}, options...)
	}
	x, y := blobs(90, 6, 2)
	for name, options := range map[string][]OptimizerOption{
		"alone": {},
		"with everything": {
			LearningRate(CosineDecay(0.1, 20)), WeightDecay(0.1), GlobalClipNorm(0.1), GradientAccumulation(2), MovingAverage(0.9),
			ParameterGroup(func(name string) bool { return strings.HasSuffix(name, "/bias") }, RateFactor(0.5), WeightDecay(0)),
		},
	} {
		fit := func(o Optimizer) *Model {
			m := Sequential(Dense(8, ReLU), Dense(1, Sigmoid))
			if err := m.Compile(o, BinaryCrossEntropy); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Fit(x, y, Epochs(5), Verbose(0)); err != nil {
				t.Fatal(err)
			}
			return m
		}
		builtIn := []SGDOption{LearningRate(0.001), Momentum(0.9)}
		for _, o := range options {
			builtIn = append(builtIn, o.(SGDOption))
		}
		a, b := fit(own(options...)), fit(SGD(builtIn...))
		for i, v := range a.weights {
			if math.Abs(float64(v-b.weights[i])) > 1e-6 {
				t.Fatalf("%s: weight %d is %v, that of SGD %v", name, i, v, b.weights[i])
			}
		}
	}
}

func TestClipping(t *testing.T) {
	g := []float64{3, -4, 0.5}
	for _, test := range []struct {
		option ClipOption
		want   []float64
	}{
		{ClipValue(1), []float64{1, -1, 0.5}},
		{ClipNorm(1), []float64{3 / math.Sqrt(25.25), -4 / math.Sqrt(25.25), 0.5 / math.Sqrt(25.25)}},
		{GlobalClipNorm(1), []float64{3 / math.Sqrt(25.25), -4 / math.Sqrt(25.25), 0.5 / math.Sqrt(25.25)}},
		{ClipNorm(100), g},
		{GlobalClipNorm(100), g},
	} {
		down := make([]float64, len(g))
		for i, v := range test.want {
			down[i] = -v
		}
		o := GradientDescent(LearningRate(1), test.option)
		follow(t, o.String(), o, make([]float32, 3), [][]float64{g}, [][]float64{down})
	}
	// Of two parameters ClipNorm shortens one, GlobalClipNorm both.
	for _, test := range []struct {
		option ClipOption
		want   [2]float32
	}{{ClipNorm(2), [2]float32{-2, -1}}, {GlobalClipNorm(2), [2]float32{-2 * 3 / float32(math.Sqrt(10)), -2 / float32(math.Sqrt(10))}}} {
		m := Sequential(Input(1), Dense(1))
		if err := m.Compile(GradientDescent(LearningRate(1), test.option), MeanSquaredError); err != nil {
			t.Fatal(err)
		}
		s := m.compiled.optimizer.start(len(m.weights))
		if err := s.arrange(m.parameters); err != nil {
			t.Fatal(err)
		}
		m.parameters[0].gradient[0], m.parameters[1].gradient[0] = 3, 1
		if err := s.step(m, 1); err != nil {
			t.Fatal(err)
		}
		for i, p := range m.parameters {
			if got := p.Data()[0]; math.Abs(float64(got-test.want[i])) > 1e-6 {
				t.Errorf("%v: %s is %v, want %v", test.option.settings()[0].name, p.Name(), got, test.want[i])
			}
		}
	}
}

// Four batches gathered are one of four times the rows, and a smaller last one counts by its rows.
func TestGradientAccumulation(t *testing.T) {
	x, y := blobs(40, 6, 2)
	for _, rows := range []int{40, 37} {
		fit := func(batch int, options ...SGDOption) *Model {
			m := Sequential(Dense(8, Tanh, KernelRegularizer(L2(0.01))), Dense(1, Sigmoid))
			if err := m.Compile(SGD(append(options, LearningRate(0.1), Momentum(0.9))...), BinaryCrossEntropy); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Fit(x[:rows], y[:rows], Epochs(8), BatchSize(batch), Verbose(0), Shuffle(false)); err != nil {
				t.Fatal(err)
			}
			return m
		}
		a, b := fit(10, GradientAccumulation(4)), fit(rows)
		moved := false
		c := Sequential(Input(6), Dense(8, Tanh), Dense(1, Sigmoid))
		c.draw()
		for i, v := range a.weights {
			if math.Abs(float64(v-b.weights[i])) > 1e-6 {
				t.Fatalf("%d rows: weight %d is %v, in one batch %v", rows, i, v, b.weights[i])
			}
			moved = moved || math.Abs(float64(v-c.weights[i])) > 0.05
		}
		if !moved {
			t.Error("nothing was trained")
		}
	}
}

// The average of a weight that goes 1, 2, 3 … is worked out by hand; training goes on from the weights themselves.
func TestMovingAverage(t *testing.T) {
	m, s := loose(t, GradientDescent(LearningRate(1), MovingAverage(0.5)), []float32{0})
	mean := 0.0
	for step := 1; step <= 5; step++ {
		s.average.hide(m.weights)
		m.gradients[0] = -1
		if err := s.step(m, 1); err != nil {
			t.Fatal(err)
		}
		if mean = 0.5*mean + 0.5*float64(step); step == 1 {
			mean = 1
		}
		if m.weights[0] != float32(step) {
			t.Fatalf("the weight is %v after %d steps of 1", m.weights[0], step)
		}
		s.average.show(m.weights)
		s.average.show(m.weights)
		if m.weights[0] != float32(mean) {
			t.Fatalf("the average is %v after %d steps, want %v", m.weights[0], step, mean)
		}
	}
	// What somebody has put in the place of the averages is trained on.
	m.weights[0] = 100
	s.average.hide(m.weights)
	m.gradients[0] = -1
	if err := s.step(m, 1); err != nil {
		t.Fatal(err)
	}
	s.average.show(m.weights)
	if m.weights[0] != 101 {
		t.Errorf("the average is %v, want that of new weights, 101", m.weights[0])
	}
}

// The validation sees the averages, and so does who evaluates the model afterwards.
func TestMovingAverageIsEvaluated(t *testing.T) {
	x, y := blobs(64, 3, 2)
	m := Sequential(Dense(4, ReLU), Dense(1, Sigmoid))
	if err := m.Compile(Adam(LearningRate(0.05), MovingAverage(0.9)), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	h, err := m.Fit(x, y, Epochs(3), ValidationData(x, y), Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Evaluate(x, y)
	if err != nil || s.Value("loss") != h.Last("val_loss") {
		t.Errorf("the loss is %v, %v; the last val_loss was %v", s.Value("loss"), err, h.Last("val_loss"))
	}
	if slices.Equal(m.weights, m.step.average.other) {
		t.Error("the averages are the weights")
	}
}

// eachOptimizer are all of them, with and without what they can do beside their formulas.
func eachOptimizer() []Optimizer {
	groups := ParameterGroup(func(name string) bool { return strings.HasSuffix(name, "/bias") }, WeightDecay(0), RateFactor(0.5))
	return []Optimizer{
		GradientDescent(), SGD(Momentum(0.9), Nesterov()), AdaGrad(), AdaDelta(), RMSprop(), RMSprop(Momentum(0.5), Centered()),
		Adam(), Adam(AMSGrad()), AdamW(), NAdam(), Adamax(), Lion(),
		OptimizerFunc("own", 2, func(s *Step) {
			for i, g := range s.Gradient {
				s.State[1][i] += g
				s.Weights[i] -= float32(float32(s.Rate) * s.State[1][i])
			}
		}),
		Adam(LearningRate(Warmup(4, CosineDecayRestarts(0.01, 10))), GlobalClipNorm(0.1), MovingAverage(0.9), groups),
		SGD(ClipNorm(0.1), GradientAccumulation(3), WeightDecay(0.1), groups),
		NAdam(ClipValue(0.01), LearningRate(OneCycle(0.01, 100))),
	}
}

// Two calls of Fit are one, to the bit, for every optimizer.
func TestResumingIsTheSame(t *testing.T) {
	x, y := blobs(50, 6, 2)
	for _, o := range eachOptimizer() {
		fit := func(epochs ...int) []float32 {
			m := Sequential(Dense(8, ReLU, KernelConstraint(MaxNorm(1))), Dense(1, Sigmoid, KernelRegularizer(L1(0.01))))
			if err := m.Compile(o, BinaryCrossEntropy); err != nil {
				t.Fatal(err)
			}
			for _, n := range epochs {
				if _, err := m.Fit(x, y, Epochs(n), BatchSize(16), Verbose(0), ValidationSplit(0.1)); err != nil {
					t.Fatal(err)
				}
			}
			return m.weights
		}
		if !slices.Equal(fit(5), fit(2, 3)) {
			t.Errorf("%v: five epochs are not two and three", o)
		}
	}
}

func TestEveryOptimizerAllocatesNothing(t *testing.T) {
	for _, o := range eachOptimizer() {
		f := startFit(t, 32, o, BinaryCrossEntropy, 8,
			Dense(10, ReLU, KernelRegularizer(L1L2(0.01, 0.01)), KernelConstraint(MaxNorm(2)), BiasConstraint(NonNeg), ActivityRegularizer(L2(0.01))),
			Dense(1, Sigmoid, BiasRegularizer(L2(0.1))))
		if n := testing.AllocsPerRun(10, func() {
			if err := f.batch(f.order); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v: a step allocates %v times", o, n)
		}
	}
}

func TestParameterGroups(t *testing.T) {
	x, y := blobs(64, 3, 2)
	frozen := ParameterGroup(func(name string) bool { return name == "dense_1/kernel" }, RateFactor(0))
	m := Sequential(Input(3), Dense(4, ReLU), Dense(1, Sigmoid))
	if err := m.Compile(Adam(LearningRate(0.01), frozen), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	before := values(m)
	if _, err := m.Fit(x, y, Epochs(2), Verbose(0)); err != nil {
		t.Fatal(err)
	}
	for i, p := range m.Parameters() {
		if same := slices.Equal(p.Data(), before[i]); same != (i == 0) {
			t.Errorf("%s has stayed: %v", p.Name(), same)
		}
	}
	if err := m.Compile(Adam(ParameterGroup(func(string) bool { return false })), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	h, err := m.Fit(x, y, Verbose(0))
	if h != nil || err == nil || !strings.Contains(err.Error(), `Fit: Adam: ParameterGroup 1 matches no parameter`) {
		t.Errorf("a group without parameters gives %v", err)
	}
}

// values returns copies of a model's parameters.
func values(m *Model) (list [][]float32) {
	for _, p := range m.Parameters() {
		list = append(list, slices.Clone(p.Data()))
	}
	return list
}

// What is frozen stays, to the bit, what is not moves, and so do all after Unfreeze.
func TestFreeze(t *testing.T) {
	x, y := blobs(64, 3, 2)
	m := Sequential(Dense(4, Tanh, Trainable(false)), BatchNormalization(Name("norm")), Dense(4, ReLU), Dense(1, Sigmoid))
	if err := m.Freeze(); err == nil || !strings.Contains(err.Error(), "has no parameters yet") {
		t.Errorf("freezing what there is not gives %v", err)
	}
	if err := m.Compile(AdamW(LearningRate(0.01)), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	fit := func(want ...string) {
		t.Helper()
		before, states := [][]float32(nil), [][]float32(nil)
		if m.parameters == nil {
			if err := m.build([][]int{{3}}); err != nil {
				t.Fatal(err)
			}
		}
		before = values(m)
		for _, p := range m.States() {
			states = append(states, slices.Clone(p.Data()))
		}
		_, err := m.Fit(x, y, Epochs(2), Verbose(0))
		if len(want) == 0 {
			if err == nil || !strings.Contains(err.Error(), "all parameters are frozen") {
				t.Errorf("a model that is all frozen gives %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var moved []string
		for i, p := range m.Parameters() {
			if !slices.Equal(p.Data(), before[i]) {
				moved = append(moved, p.Name())
			} else if slices.ContainsFunc(p.Gradient(), func(g float32) bool { return g != 0 }) {
				t.Errorf("%s is frozen and has a gradient", p.Name())
			}
		}
		if !slices.Equal(moved, want) {
			t.Errorf("training has moved %v, want %v", moved, want)
		}
		if still := slices.Equal(m.States()[0].Data(), states[0]); still == slices.Contains(want, "norm/gamma") {
			t.Errorf("the moving averages have stayed: %v, while %v was trained", still, want)
		}
	}
	fit("norm/gamma", "norm/beta", "dense_2/kernel", "dense_2/bias", "dense_3/kernel", "dense_3/bias")
	if err := m.Freeze("norm", "dense_2/bias"); err != nil {
		t.Fatal(err)
	}
	fit("dense_2/kernel", "dense_3/kernel", "dense_3/bias")
	if err := m.Freeze(); err != nil {
		t.Fatal(err)
	}
	fit()
	if err := m.Unfreeze("dense_1"); err != nil {
		t.Fatal(err)
	}
	fit("dense_1/kernel", "dense_1/bias")
	if err := m.Freeze("dense_9"); err == nil || !strings.Contains(err.Error(), `Freeze("dense_9"): there is no such layer nor parameter: the layers are dense_1, norm, dense_2, dense_3`) {
		t.Errorf("freezing what there is not gives %v", err)
	}
}

// A layer that is frozen has no gradient computed, whatever it is: the others' are the same to the bit.
func TestFrozenLayersOfAllKinds(t *testing.T) {
	for name, layers := range map[string]func() []Layer{
		"dense": func() []Layer { return []Layer{Input(12), Reshape(4, 3), Dense(3), Flatten(), Dense(1)} },
		"conv":  func() []Layer { return []Layer{Input(12), Reshape(4, 3), Conv1D(3, 2), Flatten(), Dense(1)} },
		"lstm":  func() []Layer { return []Layer{Input(12), Reshape(4, 3), LSTM(3), Dense(1)} },
		"gru":   func() []Layer { return []Layer{Input(12), Reshape(4, 3), GRU(3), Dense(1)} },
		"norm":  func() []Layer { return []Layer{Input(12), LayerNormalization(), Dense(1)} },
		"attention": func() []Layer {
			return []Layer{Input(12), Reshape(4, 3), TransformerEncoder(1, 6), Flatten(), Dense(1)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			x, y := blobs(20, 12, 2)
			run := func(freeze func(i int, p *Parameter) bool) []*Parameter {
				m := Sequential(layers()...)
				if err := m.Compile(Adam(), MeanSquaredError); err != nil {
					t.Fatal(err)
				}
				for i, p := range m.Parameters() {
					p.SetTrainable(!freeze(i, p))
				}
				if _, err := m.Fit(x, y, FullBatch(), Verbose(0)); err != nil {
					t.Fatal(err)
				}
				return m.Parameters()
			}
			all := run(func(int, *Parameter) bool { return false })
			for frozen := range all[:len(all)-2] {
				for i, p := range run(func(i int, _ *Parameter) bool { return i == frozen }) {
					want := all[i].Gradient()
					if i == frozen {
						want = make([]float32, p.Len())
					}
					if !slices.Equal(p.Gradient(), want) {
						t.Errorf("with %s frozen the gradient of %s is %v, want %v", all[frozen].Name(), p.Name(), p.Gradient(), want)
					}
				}
			}
		})
	}
}

// Every optimizer, with all that belongs to it and to layers, has the same bits by every set of kernels and on any number of
// cores; the first layer is large enough to be split.
func TestOptimizersAreTheSameEverywhere(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer simd.Use(simd.Active())
	x, y := blobs(24, 150, 2)
	for _, o := range eachOptimizer() {
		want := ""
		for _, set := range simd.Sets() {
			simd.Use(set)
			for _, cores := range []int{1, 3} {
				runtime.GOMAXPROCS(cores)
				m := Sequential(
					Dense(250, ReLU, KernelRegularizer(L1L2(0.001, 0.002)), KernelConstraint(MaxNorm(1)), ActivityRegularizer(L1(0.001))),
					Dense(1, Sigmoid, BiasConstraint(NonNeg)))
				if err := m.Compile(o, BinaryCrossEntropy); err != nil {
					t.Fatal(err)
				}
				h, err := m.Fit(x, y, Epochs(2), BatchSize(8), ValidationSplit(0.25), Verbose(0))
				if err != nil {
					t.Fatal(err)
				}
				got := hash(t, h)
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("%v with %s on %d cores: the hash is %s, before it was %s", o, set, cores, got, want)
				}
			}
		}
	}
}
