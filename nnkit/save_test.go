package nnkit

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/seed5607215b/nnkit/nnkit/internal/safetensors"
)

// savedActivations are all but Linear.
var savedActivations = []Activation{
	ReLU, Sigmoid, Tanh, Softmax, LogSoftmax, GELU, TanhGELU, SiLU, ELU, SELU, LeakyReLU, LeakyReLUSlope(0.25), Softplus, Softsign, Mish, HardSigmoid,
	HardSwish,
}

// savedModels have together every layer, every option and every activation of the vocabulary.
func savedModels() []*Model {
	var activations []Layer
	for _, a := range savedActivations {
		activations = append(activations, Dense(3, a))
	}
	for _, i := range []Initializer{
		GlorotNormal, HeUniform, HeNormal, LeCunNormal, LeCunUniform, Ones, Zeros, Orthogonal, Constant(0.1), Identity(2), RandomNormal(0.1), TruncatedNormal(0.2),
		RandomUniform(-0.1, 0.3), VarianceScaling(2, FanOut, UniformDistribution), VarianceScaling(2, FanIn, TruncatedNormalDistribution),
		VarianceScaling(2, FanAvg, NormalDistribution),
	} {
		activations = append(activations, Dense(3, KernelInitializer(i)))
	}
	return []*Model{
		Sequential(append([]Layer{Input(4), GaussianNoise(0.5), Dropout(0.25, Name("drop"))}, activations...)...),
		Sequential(Input(12, 12, 2),
			Conv2D(4, 3, ReLU, SamePadding, Strides(2, 1)), BatchNormalization(MovingMomentum(0.9), NormEpsilon(1e-5)),
			Residual(Conv2D(4, 1, KernelSize(3, 1), SamePadding, Name("inner")), Dense(4), PReLU()),
			Conv2D(4, 2, Groups(2), DilationRate(2), UseBias(false)), MaxPooling2D(2, Strides(1)), AveragePooling2D(2, SamePadding), GroupNormalization(2),
			Conv2DTranspose(3, 3, Strides(2), SamePadding), RMSNormalization(), Reshape(-1, 6), Flatten(), Dense(2, Linear)),
		Sequential(Input(6, 3), Conv1D(8, 3, CausalPadding, Strides(2)), MaxPooling1D(2, Strides(1), SamePadding), AveragePooling1D(1),
			GRU(8, ReturnSequences(), UseBias(false)), Bidirectional(LSTM(2, ReturnSequences()), LSTM(2, ReturnSequences(), GoBackwards()), Name("both")),
			SimpleRNN(4, ReLU, ReturnSequences()), GlobalAveragePooling1D(), Dense(1, Sigmoid, Name("out\"put"))),
		Sequential(Input(5), Embedding(9, 8, EmbeddingInitializer(GlorotNormal)), PositionalEncoding(), PositionEmbedding(),
			TransformerEncoder(2, 8, AttentionDropout(0.1)), MultiHeadAttention(2, 4, Causal(), UseBias(false)), LayerNormalization(), GlobalMaxPooling1D(), ActivationLayer(ELU)),
		Sequential(Input(4, 3), Dense(3, KernelRegularizer(L1(0.1)), BiasRegularizer(L2(0.1)), ActivityRegularizer(L1L2(0.1, 0.2)), Trainable(false)),
			GRU(3, RecurrentInitializer(GlorotNormal), BiasInitializer(Ones), RecurrentRegularizer(L2(0.1)), RecurrentConstraint(UnitNorm), ReturnSequences()),
			Dense(2, KernelConstraint(MaxNorm(3)), BiasConstraint(NonNeg)), Dense(2, KernelConstraint(MinMaxNorm(0.5, 2, 0.9)))),
		Sequential(Input(4), Sequential(Dense(5), Sequential(Dropout(0.5), Dense(3, ReLU, Name("deep")))), Dense(2)),
		Sequential(Input(4, 4, 1), GlobalMaxPooling2D()),
		Sequential(Input(4, 4, 1), GlobalAveragePooling2D()),
		branched(),
		nestedGraphs(),
	}
}

// nestedGraphs are graphs within a graph, one of them with several inputs and outputs, and within a Sequential.
func nestedGraphs() *Model {
	graph := func() *Model {
		in := Input(4)
		return Functional(Inputs(in), Outputs(Add(in, in.To(Dense(4, Tanh)))))
	}
	p, q := Input(4), Input(3).Named("second")
	inner := Functional(Inputs(p, q), Outputs(Concatenate(p, q).To(Dense(2)), Multiply(p, q.To(Dense(4)))))
	a, b := Input(4).Named("a"), Input(3)
	encoder := graph()
	out := inner.Call(a.To(encoder), b)
	return Functional(Inputs(a, b), Outputs(out[0].To(Sequential(Dense(4), graph())), Average(out[1], a.To(encoder))))
}

// maskedModels have masks, which ONNX has not.
func maskedModels() []*Model {
	return []*Model{
		Sequential(Input(5), Embedding(9, 4, MaskZero()), LSTM(3, ReturnSequences()), GlobalAveragePooling1D(), Dense(2)),
		Sequential(Input(5, 2), Masking(-1, Name("gaps")), GRU(3)),
	}
}

// What a model is comes back from a file with all its numbers, and all words but those of compiling are in the models above.
func TestLoadIsWhatWasSaved(t *testing.T) {
	written := map[string]bool{} // words
	note := func(source string) {
		for _, word := range strings.FieldsFunc(source, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			written[word] = true
		}
	}
	for i, m := range append(savedModels(), maskedModels()...) {
		if m.err != nil {
			t.Fatal(m.err)
		}
		path := filepath.Join(t.TempDir(), "model.safetensors")
		m.seed = 7
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		n, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		source, err := n.source()
		if want, _ := m.source(); err != nil || source != want {
			t.Errorf("model %d is %s and not %s", i+1, source, want)
		}
		if n.String() != m.String() || n.seed != 7 || n.targets != nil {
			t.Errorf("model %d is\n%s\nand not\n%s", i+1, n, m)
		}
		for j, p := range m.kept() {
			if q := n.kept()[j]; q.name != p.name || !slices.Equal(q.leaf.data, p.leaf.data) {
				t.Errorf("%s is not %s", q, p)
			}
		}
		note(source)
	}
	for _, o := range optimizers() {
		c := compilation{optimizer: o, loss: MeanSquaredError}
		source, err := c.source()
		if err != nil {
			t.Fatal(err)
		}
		note(source)
	}
	for _, c := range savedCompilations() {
		source, err := c.source()
		if err != nil {
			t.Fatal(err)
		}
		note(source)
		again, err := evaluate[compilation](source)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := again.source(); err != nil || text != source {
			t.Errorf("%s is %s, %v", source, text, err)
		}
	}
	defaults := []string{"Linear", "GlorotUniform", "ValidPadding"}
	for word, v := range vocabulary {
		_, loss := v.(Loss)
		_, metric := v.(Metric)
		switch {
		case loss || metric || slices.Contains(defaults, word):
			if source, err := sourceOf(v); err != nil || source != word {
				t.Errorf("%s is written %s, %v", word, source, err)
			}
		case !strings.HasPrefix(word, "Registered") && !written[word]:
			t.Errorf("no model has %s", word)
		}
	}
}

// A model that is part of another one is saved by itself, and one that was loaded keeps its weights as a part.
func TestPartsAreSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "part.safetensors")
	part := Sequential(Dense(3, ReLU), Dense(2))
	whole := Sequential(Input(4), part)
	if err := whole.Reset(3); err != nil {
		t.Fatal(err)
	}
	if err := part.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	again := Sequential(Input(4), loaded)
	if !slices.Equal(again.Parameters()[0].Data(), whole.Parameters()[0].Data()) || !slices.Equal(again.weights, whole.weights) {
		t.Error("the part's weights are not what they were")
	}
}

// savedCompilations have every loss and every metric that has settings.
func savedCompilations() []compilation {
	return []compilation{
		{Adam(), BinaryCrossEntropy.LabelSmoothing(0.1), []Metric{
			Precision(Threshold(0.25), ClassID(1)), Recall(Micro), F1Score(Weighted, Name("f")), AUC(PR, Macro), AUC(ClassID(0), Name("second")), TopKAccuracy(3),
			Huber(0.5), BinaryFocalCrossEntropy(2),
		}},
		{Adam(), Huber(0.5), nil},
		{Adam(), CategoricalFocalCrossEntropy(1.5), nil},
		{Adam(), Losses{"a": LossWeight(MeanSquaredError, 0.25), "b": Hinge}, []Metric{For("a", MeanAbsoluteError), For("b", Precision(Micro))}},
	}
}

func optimizers() []Optimizer {
	return []Optimizer{
		GradientDescent(LearningRate(0.1)), SGD(Momentum(0.9), Nesterov()), AdaGrad(InitialAccumulator(0.2)), RMSprop(Momentum(0.5), Rho(0.8)), RMSprop(),
		Adam(Beta1(0.8), Beta2(0.99), Epsilon(1e-6)), AdaDelta(WeightDecay(0.01)), RMSprop(Centered()), Adam(AMSGrad(), MovingAverage(0.9)),
		AdamW(GradientAccumulation(3)), NAdam(ClipValue(0.5)), Adamax(ClipNorm(0.5)), Lion(GlobalClipNorm(0.5)),
		SGD(LearningRate(ExponentialDecay(0.1, 5, 0.9, Staircase()))), SGD(LearningRate(InverseTimeDecay(0.1, 5, 0.9))),
		SGD(LearningRate(PolynomialDecay(0.1, 5, EndLearningRate(0.01), Power(2), Cycle()))), SGD(LearningRate(CosineDecay(0.1, 30, Alpha(0.1)))),
		SGD(LearningRate(CosineDecayRestarts(0.1, 5, TMul(1.5), MMul(0.9)))),
		Adam(ParameterGroup("*/bias", WeightDecay(0)), ParameterGroup("dense_1/*", RateFactor(0.25))),
		SGD(LearningRate(PiecewiseConstantDecay([]int{4, 9}, []float64{0.1, 0.05, 0.01}))), SGD(LearningRate(Warmup(5, CosineDecay(0.1, 30)))),
		SGD(LearningRate(Warmup(3, 0.05))), SGD(LearningRate(OneCycle(0.1, 60, PercentStart(0.2), DivFactor(10), FinalDivFactor(100)))),
	}
}

func dropoutModel(t *testing.T, o Optimizer) *Model {
	m := Sequential(Dense(6, ReLU), BatchNormalization(), Dropout(0.3), Dense(1, Sigmoid))
	if err := m.Compile(o, BinaryCrossEntropy, Accuracy, MeanSquaredError); err != nil {
		t.Fatal(err)
	}
	return m
}

// Fit after Load goes on to the bits of a training that never stopped.
func TestFitGoesOnAfterLoad(t *testing.T) {
	x, y := blobs(50, 3, 2)
	for _, o := range optimizers() {
		path := filepath.Join(t.TempDir(), "model.safetensors")
		whole, half := dropoutModel(t, o), dropoutModel(t, o)
		for _, m := range []*Model{whole, half} {
			if _, err := m.Fit(x, y, Epochs(3), Seed(5), Verbose(0), BatchSize(8)); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range []*Model{whole, half} {
			if err := m.Freeze("dense_1/bias"); err != nil {
				t.Fatal(err)
			}
		}
		if err := half.Save(path); err != nil {
			t.Fatal(err)
		}
		half, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if half.compiled.optimizer.String() != o.String() {
			t.Errorf("the optimizer is %s and not %s", half.compiled.optimizer, o)
		}
		var histories [2]*History
		for i, m := range []*Model{whole, half} {
			if histories[i], err = m.Fit(x, y, Epochs(4), Verbose(0), BatchSize(8)); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(whole.weights, half.weights) || histories[0].String() != histories[1].String() || !slices.Equal(whole.states[0].Data(), half.states[0].Data()) {
			t.Errorf("%s: the training did not go on as it would have", o)
		}
	}
}

// stopAt cancels a training in the middle of an epoch.
func stopAt(epoch, batch int) FitOption {
	return OnBatchEnd(func(t *Training) {
		if t.Epoch == epoch && t.Batch == batch {
			t.Fail(fmt.Errorf("stopped"))
		}
	})
}

func TestResume(t *testing.T) {
	x, y := blobs(60, 3, 2)
	falling := Adam(LearningRate(ExponentialDecay(0.01, 30, 0.5, Staircase()))) // after the fifth epoch
	for _, name := range []string{"run.safetensors", "run-{epoch}.safetensors"} {
		for every, optimizer := range map[int]Optimizer{1: Adam(), 2: falling} {
			options := func(m *Model, path string, more ...FitOption) (*History, error) {
				return m.Fit(x, y, append([]FitOption{
					Epochs(12), Seed(3), Verbose(0), BatchSize(8), ValidationSplit(0.2),
					Checkpoint(path, Resume(), SaveEvery(every)),
				}, more...)...)
			}
			whole := dropoutModel(t, optimizer)
			want, err := options(whole, filepath.Join(t.TempDir(), name))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), name)
			for _, epoch := range []int{1, 4, 11} {
				if _, err := options(dropoutModel(t, optimizer), path, stopAt(epoch, 3)); err == nil {
					t.Fatal("the training was not stopped")
				}
			}
			m := dropoutModel(t, optimizer)
			epochs := 0
			got, err := options(m, path, OnEpochEnd(func(*Training) { epochs++ }))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(m.weights, whole.weights) || got.String() != want.String() || m.epochs != 12 || epochs != 2 {
				t.Errorf("%s every %d: resumed for %d epochs, the training ended with\n%s\nand not with\n%s", name, every, epochs, got, want)
			}
			// Nothing is left to do.
			m = dropoutModel(t, optimizer)
			if got, err = options(m, path); err != nil || !slices.Equal(m.weights, whole.weights) || got.String() != want.String() {
				t.Errorf("a training that was complete is not what it was: %v", err)
			}
		}
	}
}

func TestCheckpointAfterATime(t *testing.T) {
	x, y := blobs(20, 3, 2)
	for after, want := range map[time.Duration][]string{
		time.Hour: {"m-3"}, time.Nanosecond: {"m-1", "m-2", "m-3"},
	} {
		folder := t.TempDir()
		if _, err := dropoutModel(t, Adam()).Fit(x, y, Epochs(3), Verbose(0), Checkpoint(filepath.Join(folder, "m-{epoch}"), SaveAfter(after))); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range files {
			got = append(got, f.Name())
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %v: %v, want %v", after, got, want)
		}
	}
}

func TestCheckpointOfTheBest(t *testing.T) {
	x, y := blobs(40, 3, 2)
	path := filepath.Join(t.TempDir(), "best.safetensors")
	m := dropoutModel(t, SGD(LearningRate(2)))
	c := Checkpoint(path, SaveBestOnly("val_accuracy"))
	var best []float32
	h, err := m.Fit(x, y, Epochs(15), Verbose(0), ValidationSplit(0.25), c, OnEpochEnd(func(t *Training) {
		if t.History.BestEpochBy("val_accuracy") == t.Epoch {
			best = slices.Clone(t.Model.weights)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	n, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(n.weights, best) || c.Path() != path {
		t.Errorf("the file is not of the best epoch, %d", h.BestEpochBy("val_accuracy"))
	}
}

func TestSavingErrors(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "m.safetensors")
	trained := compiled(t)
	x, y := blobs(20, 3, 2)
	if _, err := trained.Fit(x, y, Verbose(0)); err != nil {
		t.Fatal(err)
	}
	if err := trained.Save(path); err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(folder, "w.safetensors")
	if err := trained.SaveWeights(weights); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(folder, "text")
	if err := os.WriteFile(text, []byte("no model, but a text"), 0o600); err != nil {
		t.Fatal(err)
	}
	fit := func(m *Model, options ...FitOption) error {
		if err := m.Compile(Adam(), BinaryCrossEntropy); err != nil {
			t.Fatal(err)
		}
		_, err := m.Fit(x, y, append(options, Verbose(0))...)
		return err
	}
	load := func(path string) error {
		_, err := Load(path)
		return err
	}
	rateOf := func(int) float64 { return 0.1 }
	saved := func(o Optimizer) error {
		m := Sequential(Input(3), Dense(1))
		if err := m.Compile(o, MeanSquaredError); err != nil {
			return err
		}
		return m.Save(path)
	}
	type unknown struct{ lambdaLayer }
	own := Sequential(Input(3), &unknown{lambdaLayer{f: (*Tensor).Neg}}, Dense(1))
	for _, c := range []struct {
		err  error
		want string
	}{
		{Sequential(Dense(1)).Save(path), "Save: the model has no weights yet: begin it with nnkit.Input"},
		{Sequential(Dense(1)).LoadWeights(path), "LoadWeights: the model has no weights yet"},
		{own.Save(path), `unknown layer "unknown_1" (layer 1): a file cannot hold the type *nnkit.unknown by itself: call nnkit.Register(&unknown{})`},
		{Sequential(Input(3), Lambda("strange", (*Tensor).Neg)).Save(path), "give the layer to nnkit.Register"},
		{Sequential(Input(3), Dense(1, ActivationFunc("odd", (*Tensor).Neg))).Save(path), `the function of the activation "odd"`},
		{saved(SGD(LearningRate(ScheduleFunc("mine", rateOf)))), `the function of the schedule "mine": give it to nnkit.Register`},
		{saved(SGD(LearningRate(Warmup(3, ScheduleFunc("mine", rateOf))))), `the function of the schedule "mine"`},
		{saved(OptimizerFunc("Own", 0, func(*Step) {})), `the function of the optimizer "Own"`},
		{saved(Adam(ParameterGroup(func(string) bool { return true }))), `a file cannot hold the function of ParameterGroup 1 of Adam: write it as a pattern, "*/bias" for example`},
		{load(weights), "holds arrays and no model"},
		{load(text), "its header should have"},
		{load(filepath.Join(folder, "none")), "no such file"},
		{Register(3), "Register: value 1 is a int"},
		{Register(Dense(1)), "needs no registration"},
		{Register(Adam()), "needs no registration"},
		{
			Sequential(Input(3), Dense(5), Dense(1, Name("last"))).LoadWeights(weights),
			"does not fit the model: it lacks last/kernel (5, 1), last/bias (1); it has of another shape dense_1/kernel is (3, 4) and should be (3, 5), " +
				"dense_1/bias is (4) and should be (5); the model has no dense_2/kernel, dense_2/bias",
		},
		{fit(Sequential(Dense(1, Sigmoid)), Checkpoint("")), "the path is empty"},
		{fit(Sequential(Dense(1, Sigmoid)), Checkpoint("x", SaveEvery(0))), "SaveEvery(0)"},
		{fit(Sequential(Dense(1, Sigmoid)), Checkpoint("x", SaveBestOnly("val_loss"))), `SaveBestOnly("val_loss"): there is no such score, but loss`},
		{fit(Sequential(Dense(1, Sigmoid)), Checkpoint(filepath.Join(folder, "none", "x"))), "none does not exist: make it before"},
		{fit(Sequential(Dense(1, Sigmoid)), Checkpoint(path, Resume())), "it is of another model"},
		{fit(Sequential(Dense(4, ReLU), Dense(1, Sigmoid)), Checkpoint(path, Resume())), "it is of no Checkpoint"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%v\ndoes not say\n%s", c.err, c.want)
		}
	}
}

type scaledLayer struct {
	BaseLayer
	Factor float64
	gain   *Parameter
}

func (l *scaledLayer) Build(input []int) error {
	l.gain = l.AddParameter("gain", Ones, input...)
	return nil
}

func (l *scaledLayer) Forward(x *Tensor) *Tensor { return x.Mul(l.gain.Tensor()).Scale(l.Factor) }

func TestRegisteredThingsAreSaved(t *testing.T) {
	squared := LossFunc("squared", func(p, y *Tensor) *Tensor { return p.Sub(y).Square() })
	half := ActivationFunc("half", func(x *Tensor) *Tensor { return x.Scale(0.5) })
	rate := ScheduleFunc("falling", func(step int) float64 { return 0.1 / float64(1+step) })
	descent := OptimizerFunc("Descent", 1, func(s *Step) {
		for i, g := range s.Gradient {
			s.State[0][i] += g
			s.Weights[i] -= float32(s.Rate) * s.State[0][i]
		}
	}, LearningRate(Warmup(2, rate)), ClipValue(0.5))
	if err := Register(&scaledLayer{}, Lambda("negative", (*Tensor).Neg), half, squared, rate, descent); err != nil {
		t.Fatal(err)
	}
	m := Sequential(Input(3), &scaledLayer{Factor: 3}, Residual(Lambda("negative", (*Tensor).Neg)), Dense(2, half))
	if err := m.Compile(descent, squared, squared); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	n, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if n.String() != m.String() || n.layers[0].(*scaledLayer).Factor != 3 {
		t.Errorf("the model is\n%s\nand not\n%s", n, m)
	}
}

// Texts of a damaged file give errors.
func TestEvaluateErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "where a name or a number should be"},
		{"Sequential(", "where a name or a number should be"},
		{"Sequential(Dense(1)) x", "behind its end"},
		{"Sequential(Dense(1), ReLU)", "argument 2 of Sequential is a nnkit.relu and must be a nnkit.Layer"},
		{"Sequential(Dense())", "Dense has 0 arguments and wants 1"},
		{"Sequential(Dense(1.5))", "argument 1 of Dense is a float64 and must be a int"},
		{"Sequential(Denser(1))", "there is no Denser in this version"},
		{"Sequential(ReLU(1))", "ReLU takes no arguments"},
		{"Sequential(Dense)", "Dense wants arguments"},
		{"Dense(1)", "Dense makes a"},
		{"Sequential(\"x)", "literal not terminated"},
		{"Sequential(Dense(--1))", "is no number"},
		{strings.Repeat("Residual(", 100), "too deep"},
		{`Sequential(RegisteredLayer("nowhere"))`, "give a value of it to nnkit.Register before"},
	} {
		if _, err := evaluate[[]Layer](c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v does not say %q", c.text, err, c.want)
		}
	}
}

// savedBytes is a small trained model's file.
func savedBytes(t testing.TB) []byte {
	m := Sequential(Dense(2, ReLU), BatchNormalization(), Dense(1, Sigmoid))
	if err := m.Compile(Adam(), BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	x, y := blobs(10, 3, 2)
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if _, err := m.Fit(x, y, Verbose(0), Checkpoint(path)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A file that is cut off anywhere is an error.
func TestCutOffFiles(t *testing.T) {
	data := savedBytes(t)
	path := filepath.Join(t.TempDir(), "cut.safetensors")
	for n := range data {
		if err := os.WriteFile(path, data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil {
			t.Fatalf("the first %d of %d bytes are a model", n, len(data))
		}
	}
}

// No bytes make Load panic.
func FuzzLoad(f *testing.F) {
	data := savedBytes(f)
	f.Add(data)
	f.Add(bytes.Replace(data, []byte("Dense(2, ReLU)"), []byte("Dense(9, ReLU)"), 1))
	f.Add(bytes.Replace(data, []byte("Dense(2, ReLU)"), []byte("Dense(2000000)"), 1))
	for _, m := range []*Model{branched(), nestedGraphs(), maskedModels()[0]} {
		f.Add(bytesOf(f, m))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := safetensors.Parse(data)
		if err != nil {
			return
		}
		m, err := load(file)
		if err != nil {
			return
		}
		if file, err = m.file(nil); err == nil {
			_, err = load(file)
		}
		if err != nil {
			t.Fatalf("what was loaded is not saved and loaded again: %v", err)
		}
	})
}

// A process that saves again and again is killed at any moment: there is always a whole file.
func TestKilledWriterLeavesAWholeFile(t *testing.T) {
	if path := os.Getenv("NNKIT_TEST_WRITER"); path != "" {
		m := Sequential(Input(300), Dense(300), Dense(300))
		for i := 0; ; i++ {
			m.epochs = i
			m.draw()
			fill(m.parameters[0].Data(), float32(i))
			fill(m.parameters[2].Data(), float32(i))
			if err := m.Save(path); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			if i == 0 {
				fmt.Println("saved")
			}
		}
	}
	if testing.Short() { // emulated, it cannot start itself; how a file is replaced does not depend on the machine
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	several := 0
	for i := range 50 {
		writer := exec.Command(self, "-test.run=^TestKilledWriterLeavesAWholeFile$")
		writer.Env = append(os.Environ(), "NNKIT_TEST_WRITER="+path)
		out, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 5)); err != nil {
			t.Fatal("the writer has saved nothing:", err)
		}
		time.Sleep(time.Duration(i*397%1000) * 20 * time.Microsecond)
		_ = writer.Process.Kill()
		_ = writer.Wait()
		m, err := Load(path)
		if err != nil {
			t.Fatalf("after kill %d: %v", i+1, err)
		}
		for _, p := range []int{0, 2} {
			for _, v := range m.parameters[p].Data() {
				if v != float32(m.epochs) {
					t.Fatalf("after kill %d: the file is of save %d, but there is %v of another one", i+1, m.epochs, v)
				}
			}
		}
		if m.epochs > 0 {
			several++
		}
	}
	if several == 0 {
		t.Error("no writer came to its second save")
	}
}

// The mean of the last checkpoints is that of their numbers, of states too; what does not fit leaves the model as it is.
func TestAverageCheckpoints(t *testing.T) {
	x, y := blobs(40, 3, 2)
	pattern := filepath.Join(t.TempDir(), "run-{epoch}.safetensors")
	m := dropoutModel(t, Adam(LearningRate(0.1)))
	if _, err := m.Fit(x, y, Epochs(11), Verbose(0), Checkpoint(pattern)); err != nil {
		t.Fatal(err)
	}
	sums := make([][]float64, len(m.kept()))
	for _, epoch := range []string{"9", "10", "11"} {
		one, err := Load(strings.ReplaceAll(pattern, "{epoch}", epoch))
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range one.kept() {
			if sums[i] == nil {
				sums[i] = make([]float64, p.Len())
			}
			for k, v := range p.Data() {
				sums[i][k] += float64(v) / 3
			}
		}
	}
	if err := m.AverageCheckpoints(pattern, 3); err != nil {
		t.Fatal(err)
	}
	for i, p := range m.kept() {
		if e := far(p.Data(), sums[i], 1); e > 1e-6 {
			t.Errorf("%s is off by %.2g", p.Name(), e)
		}
	}
	before := slices.Clone(m.weights)
	other := Sequential(Input(3), Dense(2))
	for _, c := range []struct {
		err  error
		want string
	}{
		{m.AverageCheckpoints(pattern, 12), "AverageCheckpoints: there are 11 files of"},
		{m.AverageCheckpoints(pattern, 0), "AverageCheckpoints: the last 0 checkpoints: there must be at least 1"},
		{m.AverageCheckpoints("run.safetensors", 2), `AverageCheckpoints: the path "run.safetensors" has no {epoch} in its last part`},
		{other.AverageCheckpoints(pattern, 2), "run-10.safetensors does not fit the model: it has of another shape dense_1/kernel is (3, 6) and should be (3, 2)"},
		{Sequential(Dense(1)).AverageCheckpoints(pattern, 2), "AverageCheckpoints: the model has no weights yet"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%v\ndoes not say\n%s", c.err, c.want)
		}
	}
	if !slices.Equal(m.weights, before) {
		t.Error("what did not fit has changed the model")
	}
}

func TestPatternsMatch(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{"dense_1/bias", []string{"dense_1/bias"}, []string{"dense_1/bias2", "x/dense_1/bias"}},
		{"*/bias", []string{"dense_1/bias", "a/b/bias", "/bias"}, []string{"bias", "dense_1/bias/x"}},
		{"dense_1/*", []string{"dense_1/kernel", "dense_1/"}, []string{"dense_10/kernel"}},
		{"a*b*c", []string{"abc", "axbxc", "abbc"}, []string{"ac", "acb", "bac"}},
		{"ab*ba", []string{"abba", "abxba"}, []string{"aba"}},
		{"*", []string{"", "all"}, nil},
		{"**norm*", []string{"norm", "layer_norm/gamma"}, []string{"nor"}},
	} {
		for _, name := range c.yes {
			if !matches(c.pattern, name) {
				t.Errorf("%q does not match %q", c.pattern, name)
			}
		}
		for _, name := range c.no {
			if matches(c.pattern, name) {
				t.Errorf("%q matches %q", c.pattern, name)
			}
		}
	}
}

func bytesOf(t testing.TB, m *Model) []byte {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A file says what its model is, and whatever it says, it is a model or an error.
func TestTextsOfModels(t *testing.T) {
	const many = "a row would have"
	for _, c := range []struct{ text, want string }{
		{`Functional(Input(2), Call("a", Dense(2), 5), Outputs(1))`, "there is no value 5 among 1"},
		{`Functional(Input(2), Call("a", Dense(2), -1), Outputs(1))`, "there is no value -1 among 1"},
		{`Functional(Input(2), Again("a", 0), Outputs(1))`, `Again("a") has no Call before it`},
		{`Functional(Input(2), Call("a", Dense(2), 0))`, "Functional: there are no outputs"},
		{`Functional(Input(2), Call("a", Dense(2), 0), Input(2), Outputs(1))`, "an Input is behind a Call"},
		{`Functional(Input(2), Call("a", Dense(2), 0, 0), Outputs(1))`, `the layer "a" has 2 inputs`},
		{`Functional(Input(2), Call("a", Dense(2)), Outputs(1))`, `the layer "a" has 0 inputs`},
		{`Functional(Input(2), Call("a", Add(), 0), Outputs(1))`, "a: it joins several symbols and is given 1"},
		{`Functional(Input(2), Call("a/b", Dense(2), 0), Outputs(1))`, "a name must not be empty nor contain a slash"},
		{`Functional(Input(2), Call("a", Dense(2), 0), Call("a", Dense(2), 1), Outputs(2))`, `two layers are named "a"`},
		{`Functional(Input(2), Call("a", Sequential(Input(3), Dense(2)), 0), Outputs(1))`, "the model within is for rows of shape (3)"},
		{`Functional(Dense(2))`, "Functional has a *nnkit.denseLayer"},
		{`Functional(Input(60000000), Call("a", Concatenate(), 0, 0), Outputs(1))`, many},
		{`Sequential(Input(4, 4, 1), Conv2DTranspose(1, 1, Strides(60000, 50000)))`, many},
		{`Sequential(Input(4, 4, 1), Conv2DTranspose(1, 1, Strides(9000000000000000)))`, "it must be at most"},
		{`Sequential(Input(6000000, 1), Dense(20))`, many},
		{`Sequential(Input(3), Sequential(Reshape(3, 1), Residual(Dense(90))))`, "more numbers than there are in the file"},
		{`Sequential(Input(2), ` + strings.Repeat("Sequential(", 60) + "Dense(2)" + strings.Repeat(")", 61), "too deep"},
		{`Input(3)`, "Input makes a *nnkit.Symbol"},
		{`Sequential(Dense(3))`, "does not begin with the shape of its input"},
	} {
		f := &safetensors.File{Metadata: map[string]string{modelKey: c.text}, Tensors: []safetensors.Tensor{safetensors.Float32("x", []int{24}, make([]float32, 24))}}
		if _, err := load(f); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s is %v, which does not say %q", c.text, err, c.want)
		}
	}
}

// FuzzModelText takes arbitrary texts as the model of a file, and as how it is compiled. No text makes more of a model than
// the file has numbers for.
func FuzzModelText(f *testing.F) {
	const compiled = "Compile(Adam(), MeanSquaredError)"
	for _, text := range []string{
		`Sequential(Input(3), Dense(4, ReLU), Dense(1))`, `Functional(Input(2), Call("a", Dense(2), 0), Again("a", 1), Outputs(2))`,
		`Sequential(Input(4, 4, 1), Conv2DTranspose(1, 1, Strides(60000, 50000)))`, `Sequential(Input(5, 3), LSTM(2), Dropout(0.5), RepeatVector(900000000))`,
		`Sequential(Input(4), Embedding(1000000, 1000000))`, `Sequential(Input(3), Sequential(Reshape(3, 1), Residual(Dense(1))))`,
		`Sequential(Input(4, 2), MultiHeadAttention(3, 2), UpSampling2D(1000))`, `Sequential(Input(-1), Dense(1e99))`, "Sequential(\"a\", `b`, 0x1p-3)",
	} {
		f.Add(text, compiled)
	}
	for _, c := range savedCompilations() {
		text, err := c.source()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(`Sequential(Input(3), Dense(1))`, text)
	}
	f.Fuzz(func(t *testing.T, model, compile string) {
		f := &safetensors.File{
			Metadata: map[string]string{modelKey: model, compileKey: compile, progressKey: `{"seed":1}`},
			Tensors:  []safetensors.Tensor{safetensors.Float32("x", []int{64}, make([]float32, 64))},
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := load(f)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
			t.Fatalf("%s (%s) takes %d bytes, and gives %v", model, compile, got, err)
		}
		if err != nil {
			return
		}
		if _, err := m.source(); err != nil {
			t.Errorf("%s cannot be written: %v", model, err)
		}
	})
}
