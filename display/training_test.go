package display

import (
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

// exampleModel is 8-10-8-1 with weights drawn.
func exampleModel() *nnkit.Model {
	return nnkit.Sequential(
		nnkit.Input(8),
		nnkit.Dense(10, nnkit.ReLU),
		nnkit.Dense(8, nnkit.ReLU),
		nnkit.Dense(1, nnkit.Sigmoid),
	)
}

func TestWeights(t *testing.T) {
	f := Weights(exampleModel())
	d := checkSVG(t, f.SVG())
	for _, want := range []string{"dense_1 kernel", "dense_1 bias", "dense_2 kernel", "dense_2 bias", "dense_3 kernel", "dense_3 bias"} {
		if !d.has(want) {
			t.Errorf("no panel %q in %q", want, d.texts)
		}
	}
	if len(f.Plots()) != 6 {
		t.Errorf("%d plots, want 6", len(f.Plots()))
	}
}

func TestWeightsNameWhatIsNotFinite(t *testing.T) {
	m := exampleModel()
	w := m.Parameters()[0].Data()
	w[0], w[1] = float32(math.NaN()), float32(math.Inf(1))
	if got := Weights(m).String(); !strings.Contains(got, "left out: 1 NaN, 1 Inf") {
		t.Errorf("says %q", got)
	}
}

func TestWeightsOfNoModel(t *testing.T) {
	for _, m := range []*nnkit.Model{nil, nnkit.Sequential(nnkit.Dense(1))} {
		if got := Weights(m).SVG(); !strings.Contains(got, "the model has no weights yet") {
			t.Errorf("shows %s", got)
		}
	}
}

func TestGradients(t *testing.T) {
	m := nnkit.Sequential(nnkit.Input(1), nnkit.Dense(1))
	if err := m.Compile(nnkit.SGD(), nnkit.MeanSquaredError); err != nil {
		t.Fatal(err)
	}
	m.Parameters()[0].Data()[0] = 3
	if _, err := m.Fit([][]float64{{2}}, []float64{0}, nnkit.Epochs(1), nnkit.Verbose(0)); err != nil {
		t.Fatal(err)
	}
	// (3·2+0-0)² has the gradients 2·6·2 and 2·6.
	if got, want := Gradients(m).String(), "dense_1 kernel: one value, 24; dense_1 bias: one value, 12"; !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func ExampleWeights() {
	model := nnkit.Sequential(nnkit.Input(2), nnkit.Dense(1))
	model.Parameters()[0].Data()[0] = 0.5
	model.Parameters()[0].Data()[1] = -0.5
	fmt.Println(Weights(model))
	// Output: histograms of 2 sets of values: dense_1 kernel: n 2, mean 0 ± 0.5; dense_1 bias: one value, 0
}

// fitExample trains the example on invented rows under a callback whose screen is recorded.
func fitExample(t *testing.T, epochs int, options ...nnkit.FitOption) (*nnkit.History, *record, error) {
	t.Helper()
	live := Live()
	rec := &record{clock: newClock()}
	live.run.open = func() screen { return rec }
	clinic := data.Clinic(1)
	scale, err := data.Standardize(clinic.X)
	if err != nil {
		t.Fatal(err)
	}
	x, err := scale.Apply(clinic.X)
	if err != nil {
		t.Fatal(err)
	}
	m := exampleModel()
	if err := m.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
		t.Fatal(err)
	}
	options = append(options, nnkit.Epochs(epochs), nnkit.ValidationSplit(0.2), live)
	h, err := m.Fit(x, clinic.Y, options...)
	return h, rec, err
}

func TestLiveInFit(t *testing.T) {
	h, rec, err := fitExample(t, 10)
	if err != nil {
		t.Fatal(err)
	}
	last := rec.shown[len(rec.shown)-1]
	for _, want := range []string{"done, epoch 10 of 10", "val accuracy", "data:image/svg+xml"} {
		if !strings.Contains(last, want) {
			t.Errorf("the last picture lacks %q", want)
		}
	}
	bundle := h.MIMEBundle()
	svg, _ := bundle["image/svg+xml"].(string)
	d := checkSVG(t, svg)
	for _, want := range []string{"loss", "accuracy", "validation"} {
		if !d.has(want) {
			t.Errorf("the history's picture lacks %q", want)
		}
	}
	if bundle["text/html"] != nil {
		t.Error("a table stands before the curve")
	}
	if text, _ := bundle["text/plain"].(string); !strings.Contains(text, "val_loss") {
		t.Errorf("text/plain is %q", text)
	}
	if f := Curve(h); !strings.Contains(f.String(), fmt.Sprintf("epoch %d", h.BestEpoch())) {
		t.Errorf("%s, but the best epoch is %d", f, h.BestEpoch())
	}
}

func TestLiveInFitThatEndsEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	_, rec, err := fitExample(t, 10, nnkit.Context(ctx), nnkit.OnEpochEnd(func(t *nnkit.Training) {
		if t.Epoch == 3 {
			cancel()
		}
	}))
	if err == nil {
		t.Error("no error from a cancelled Fit")
	}
	if last := rec.shown[len(rec.shown)-1]; !strings.Contains(last, "interrupted, epoch 4 of 10, batch 1 of") {
		t.Errorf("the last picture is %.500s", last)
	}
	_, rec, err = fitExample(t, 10, nnkit.OnEpochEnd(func(t *nnkit.Training) {
		if t.Epoch == 2 {
			t.Stop("enough")
		}
	}))
	if err != nil {
		t.Error(err)
	}
	if last := rec.shown[len(rec.shown)-1]; !strings.Contains(last, "stopped, epoch 2 of 10") {
		t.Errorf("the last picture is %.500s", last)
	}
}

// timed measures how long Fit waits for Live. The batches after which no picture is due are counted only, since the clock would
// take longer than they do.
type timed struct {
	*LiveCallback
	spent time.Duration
	undue int
}

func (c *timed) BatchEnd(t *nnkit.Training) {
	if !c.run.due.Load() {
		c.undue++
		c.LiveCallback.BatchEnd(t)
		return
	}
	start := time.Now()
	c.LiveCallback.BatchEnd(t)
	c.spent += time.Since(start)
}

func (c *timed) EpochEnd(t *nnkit.Training) {
	start := time.Now()
	c.LiveCallback.EpochEnd(t)
	c.spent += time.Since(start)
}

// sending is a screen that does with pictures what the way to a kernel costs the program.
type sending struct {
	notebookScreen
	encoder  *gob.Encoder
	pictures int
}

func (e *sending) show(page, text string, _ moment) {
	e.pictures++
	_ = e.encoder.Encode(&protocol.DisplayData{ // nothing fails to write to nowhere
		Data: map[protocol.MIMEType]any{protocol.MIMETextHTML: page, protocol.MIMETextPlain: text}, DisplayID: e.id,
	})
}

// What Live costs training at the rates of two networks that nnkit/bench times, W1 and W2: the share of the time of a Fit that it
// spends in Live's hands. Whole runs with and without differ by more than that from noise alone. Each op is a batch.
func BenchmarkLiveInFit(b *testing.B) {
	for _, w := range []struct {
		name          string
		inputs, batch int
		loss          nnkit.Loss
		layers        func() []nnkit.Layer
	}{
		{"W1", 8, 32, nnkit.BinaryCrossEntropy, func() []nnkit.Layer {
			return []nnkit.Layer{nnkit.Dense(10, nnkit.ReLU), nnkit.Dense(8, nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid)}
		}},
		{"W2", 784, 128, nnkit.SparseCategoricalCrossEntropy, func() []nnkit.Layer {
			return []nnkit.Layer{nnkit.Dense(512, nnkit.ReLU), nnkit.Dense(512, nnkit.ReLU), nnkit.Dense(10, nnkit.Softmax)}
		}},
	} {
		const batches = 100 // in an epoch
		x, y := make([][]float64, batches*w.batch), make([]int, batches*w.batch)
		for i := range x {
			x[i] = normal(w.inputs, float64(i%2), 1)
			y[i] = i % 2
		}
		for _, with := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/live=%v", w.name, with), func(b *testing.B) {
				m := nnkit.Sequential(w.layers()...)
				if err := m.Compile(nnkit.Adam(), w.loss, nnkit.Accuracy); err != nil {
					b.Fatal(err)
				}
				live := &timed{LiveCallback: Live()}
				sent := &sending{encoder: gob.NewEncoder(io.Discard)}
				live.run.open = func() screen { return sent }
				options := []nnkit.FitOption{nnkit.Epochs((b.N + batches - 1) / batches), nnkit.BatchSize(w.batch), nnkit.Verbose(0)}
				if with {
					options = append(options, live)
				}
				start := time.Now()
				if _, err := m.Fit(x, y, options...); err != nil {
					b.Fatal(err)
				}
				if with {
					all := time.Since(start)
					const calls = 1_000_000
					state := &nnkit.Training{Epoch: 1, Batch: 1}
					live.run.due.Store(false)
					start = time.Now()
					for range calls {
						live.LiveCallback.BatchEnd(state)
					}
					live.spent += time.Duration(float64(live.undue) / calls * float64(time.Since(start)))
					b.ReportMetric(100*live.spent.Seconds()/all.Seconds(), "%-of-Fit")
					b.ReportMetric(float64(sent.pictures)/all.Seconds(), "pictures/s")
				}
			})
		}
	}
}

func ExampleModel() {
	fmt.Println(Model(exampleModel()))
	// Output: architecture: 3 layers, 187 parameters
}

// The weights of a run, epoch by epoch.
func ExampleWatch() {
	clinic := data.Clinic(1)
	model := exampleModel()
	if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy); err != nil {
		fmt.Println(err)
		return
	}
	watch := Watch()
	if _, err := model.Fit(clinic.X, clinic.Y, nnkit.Epochs(5), nnkit.Verbose(0), watch); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(watch.Ridges().Plots()), "parameters,", len(watch.UpdateRatios().Plots()), "plot of their ratios")
	// Output: 6 parameters, 1 plot of their ratios
}

func ExampleLive() {
	clinic := data.Clinic(1)
	model := exampleModel()
	if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
		fmt.Println(err)
		return
	}
	history, err := model.Fit(clinic.X, clinic.Y, nnkit.Epochs(10), nnkit.ValidationSplit(0.2), Live(Title("First network")))
	if err != nil {
		fmt.Println(err)
		return
	}
	Curve(history).Show()
}

// A history of thousands of epochs is still a drawing, and no larger than one of hundreds.
func TestHistoryOfManyEpochs(t *testing.T) {
	x, y := make([][]float64, 4), make([]float64, 4)
	for i := range x {
		x[i], y[i] = []float64{float64(i)}, float64(i%2)
	}
	model := nnkit.Sequential(nnkit.Dense(1, nnkit.Sigmoid))
	if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
		t.Fatal(err)
	}
	history, err := model.Fit(x, y, nnkit.Epochs(3000), nnkit.Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	svg, _ := history.MIMEBundle()["image/svg+xml"].(string)
	if len(svg) < 1000 || len(svg) > 50_000 {
		t.Errorf("%d bytes of SVG", len(svg))
	}
	checkSVG(t, svg)
}

// Long series keep their extremes, their ends and their gaps.
func TestByEpoch(t *testing.T) {
	values := normal(10_000, 0, 1)
	values[1234], values[5678], values[7000] = 99, -99, math.NaN()
	xys := byEpoch(values)
	if n := len(xys); n > 3*extremesOf || xys[n-1].X != 10_000 {
		t.Errorf("%d points, the last at %g", n, xys[n-1].X)
	}
	want := map[float64]float64{1235: 99, 5679: -99, 7001: math.NaN()}
	for i, xy := range xys {
		if i > 0 && xy.X <= xys[i-1].X {
			t.Fatalf("point %d lies at %g after %g", i, xy.X, xys[i-1].X)
		}
		if v, ok := want[xy.X]; ok && (xy.Y == v || math.IsNaN(v) && math.IsNaN(xy.Y)) {
			delete(want, xy.X)
		}
	}
	if len(want) > 0 {
		t.Errorf("lost %v", want)
	}
}

func TestModel(t *testing.T) {
	f := Model(exampleModel())
	if want := "architecture: 3 layers, 187 parameters"; f.String() != want {
		t.Errorf("says %q, want %q", f, want)
	}
	d := checkSVG(t, f.SVG())
	for _, want := range []string{"dense_1", "dense, relu", "dense, sigmoid", "10", "90", "9"} {
		if !d.has(want) {
			t.Errorf("no text %q in %q", want, d.texts)
		}
	}
}

// line is a model of two features whose class is 1 where their sum is above 1.
func line() *nnkit.Model {
	m := nnkit.Sequential(nnkit.Input(2), nnkit.Dense(1, nnkit.Sigmoid))
	copy(m.Parameters()[0].Data(), []float32{9, 9})
	m.Parameters()[1].Data()[0] = -9
	return m
}

func ExampleDecisionBoundary() {
	corners := [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}}
	fmt.Println(DecisionBoundary(line(), corners, []float64{0, 0, 0, 1}))
	// Output: decision boundary among 4 points of 2 classes; 4 of 4 points on the right side, 100.0 %
}

func TestDecisionBoundary(t *testing.T) {
	points := [][]float64{{0, 0}, {1, 1}}
	for _, c := range []struct {
		figure *Figure
		want   string
	}{
		{DecisionBoundary(line(), points, []int{1, 1}), "1 of 2 points on the right side"},
		{DecisionBoundary(nil, points, []int{0, 1}), "there is no model"},
		{DecisionBoundary(line(), points, []float64{0, 0.5}), "the label of point 1 is 0.5; labels are whole numbers from 0 on"},
		{DecisionBoundary(line(), points, []float64{0}), "2 points stand against 1 label"},
		{DecisionBoundary(exampleModel(), points, []int{0, 1}), "8"},
	} {
		if s := c.figure.String(); !strings.Contains(s, c.want) {
			t.Errorf("says %q, want %q in it", s, c.want)
		}
	}
}

func TestConfusionMatrix(t *testing.T) {
	matrix, err := nnkit.ConfusionMatrix([][]float32{{0.9, 0.1}, {0.2, 0.8}, {0.3, 0.7}}, []int{0, 1, 0}, "cat", "dog")
	if err != nil {
		t.Fatal(err)
	}
	f := ConfusionMatrix(matrix)
	if want := "confusion matrix of 2 classes, accuracy 66.7 %, 2 of 3"; f.String() != want {
		t.Errorf("says %q, want %q", f, want)
	}
	if d := checkSVG(t, f.SVG()); !d.has("cat") || !d.has("dog") {
		t.Errorf("texts %q", d.texts)
	}
	if d := checkSVG(t, ConfusionMatrix(matrix, Classes("Katze", "Hund")).SVG()); !d.has("Katze") || d.has("cat") {
		t.Errorf("texts %q", d.texts)
	}
	if f := ConfusionMatrix(nil); !strings.Contains(f.String(), "there is no confusion matrix") {
		t.Errorf("says %q", f)
	}
}

func TestWatch(t *testing.T) {
	watch := Watch()
	if f := watch.Ridges(); !strings.Contains(f.String(), "there are no values") {
		t.Errorf("before a Fit: %q", f)
	}
	var before, after []float32 // the kernel of the first layer around the last step of the last epoch
	spy := nnkit.OnEpochEnd(func(t *nnkit.Training) { after = append(after[:0], t.Model.Parameters()[0].Data()...) })
	steps := nnkit.OnBatchEnd(func(t *nnkit.Training) {
		if t.Batch == t.Batches-1 {
			before = append(before[:0], t.Model.Parameters()[0].Data()...)
		}
	})
	if _, _, err := fitExample(t, 4, watch, spy, steps); err != nil {
		t.Fatal(err)
	}
	var step, size float64
	for i := range before {
		step += math.Pow(float64(after[i])-float64(before[i]), 2)
		size += math.Pow(float64(before[i]), 2)
	}
	got := watch.ratios.Series("dense_1/kernel")
	if want := math.Sqrt(step / size); len(got) != 4 || math.Abs(got[3]-want) > 1e-12 {
		t.Errorf("ratios %g, want 4, the last %g", got, want)
	}
	checkSVG(t, watch.UpdateRatios().SVG())
	for _, f := range []*Figure{watch.Ridges(), watch.GradientRidges()} {
		if d := checkSVG(t, f.SVG()); !d.has("dense_1 kernel") || !d.has("epoch 4") || len(f.Plots()) != 6 {
			t.Errorf("%d plots with %q", len(f.Plots()), d.texts)
		}
	}
	if watch.Ridges().String() == watch.GradientRidges().String() {
		t.Error("the gradients are the weights")
	}
}

func TestRateTest(t *testing.T) {
	clinic := data.Clinic(1)
	m := exampleModel()
	if err := m.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	rates, err := m.FindLearningRate(clinic.X, clinic.Y)
	if err != nil {
		t.Fatal(err)
	}
	f := RateTest(rates)
	if want := "suggested learning rate " + short(rates.Suggestion()); !strings.Contains(f.String(), want) {
		t.Errorf("says %q, want %q", f, want)
	}
	checkSVG(t, f.SVG())
	bundle := rates.MIMEBundle()
	if svg, _ := bundle["image/svg+xml"].(string); svg != f.SVG() || bundle["text/plain"] != rates.String() || bundle["text/html"] != nil {
		t.Errorf("as the last expression of a cell it shows %.300v", bundle)
	}
	if f := RateTest(nil); !strings.Contains(f.String(), "there is no learning-rate test") {
		t.Errorf("says %q", f)
	}
}

func TestDeadReLUs(t *testing.T) {
	m := nnkit.Sequential(nnkit.Input(6, 6, 1), nnkit.Conv2D(3, 3, nnkit.ReLU), nnkit.Flatten(), nnkit.Dense(4, nnkit.ReLU, nnkit.Name("hidden")), nnkit.Dense(1))
	pixels := make([]float32, 5*36)
	for i, v := range normal(len(pixels), 0, 1) {
		pixels[i] = float32(v)
	}
	x, err := nnkit.NewTensor(pixels, 5, 6, 6, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Parameters() {
		switch p.Name() {
		case "conv2d_1/bias":
			copy(p.Data(), []float32{100, -1000, 100})
		case "hidden/kernel": // of a unit as large as its place, less two
			for i := range p.Data() {
				p.Data()[i] = float32(i%4 - 2)
			}
		}
	}
	f := DeadReLUs(m, x)
	if want := "dead units: 4 of 7 units active for none of 5 examples"; f.String() != want {
		t.Errorf("says %q, want %q", f, want)
	}
	if d := checkSVG(t, f.SVG()); !d.has("conv2d_1") || !d.has("33.3 %  (1 of 3)") || !d.has("75.0 %  (3 of 4)") {
		t.Errorf("texts %q", d.texts)
	}
	for want, f := range map[string]*Figure{
		"there is no model":                DeadReLUs(nil, x),
		"no layer has the activation ReLU": DeadReLUs(nnkit.Sequential(nnkit.Input(2), nnkit.Dense(1)), x),
		"nothing to draw: Activations: x":  DeadReLUs(m, [][]float64{{1, 2}}),
	} {
		if !strings.Contains(f.String(), want) {
			t.Errorf("says %q, want %q", f, want)
		}
	}
}

func TestLayerMaps(t *testing.T) {
	m := nnkit.Sequential(nnkit.Input(6, 6, 2), nnkit.Conv2D(3, 3, nnkit.ReLU), nnkit.Flatten(), nnkit.Dense(1))
	kernel := m.Parameters()[0]
	for i := range kernel.Data() {
		kernel.Data()[i] = float32(i)
	}
	f := LayerFilters(m, "conv2d_1")
	if want := "6 filters, from 0 to 53"; f.String() != want {
		t.Errorf("says %q, want %q", f, want)
	}
	if d := checkSVG(t, f.SVG()); !d.has("0 · 0") || !d.has("2 · 1") {
		t.Errorf("texts %q", d.texts)
	}
	x := make([]float32, 2*6*6*2)
	x[0] = 1 // of the first image, whose first place is in the window of the first answer only
	images, err := nnkit.NewTensor(x, 2, 6, 6, 2)
	if err != nil {
		t.Fatal(err)
	}
	f = LayerActivations(m, images, "conv2d_1")
	if want := "3 activation maps, from 0 to 2"; f.String() != want { // the kernel's first row on channel 0: 0, 1, 2
		t.Errorf("says %q, want %q", f, want)
	}
	for want, f := range map[string]*Figure{
		`there is no two-dimensional convolution "dense_1", but "conv2d_1"`: LayerFilters(m, "dense_1"),
		`layer "dense_1" puts out 1 for each of 2 rows`:                     LayerActivations(m, images, "dense_1"),
		`nothing to draw: Activations: `:                                    LayerActivations(m, images, "conv9"),
		`there is no model`:                                                 LayerFilters(nil, "a"),
	} {
		if !strings.Contains(f.String(), want) {
			t.Errorf("says %q, want %q", f, want)
		}
	}
}
