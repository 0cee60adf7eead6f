package nnkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// captured returns what f writes to standard output.
func captured(t *testing.T, f func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	var text bytes.Buffer
	var wait sync.WaitGroup
	wait.Go(func() { io.Copy(&text, r) })
	defer func() { os.Stdout = stdout }()
	f()
	w.Close()
	wait.Wait()
	return text.String()
}

func compiled(t *testing.T, metrics ...Metric) *Model {
	t.Helper()
	m := Sequential(Dense(4, ReLU), Dense(1, Sigmoid))
	if err := m.Compile(Adam(), BinaryCrossEntropy, metrics...); err != nil {
		t.Fatal(err)
	}
	return m
}

// recorder writes down the events, and what it saw at each.
type recorder struct{ events []string }

func (r *recorder) note(event string, t *Training) {
	r.events = append(r.events, fmt.Sprintf("%s %d.%d %v", event, t.Epoch, t.Batch, t.Scores.Names()))
}
func (r *recorder) TrainBegin(t *Training) { r.note("train begin", t) }
func (r *recorder) EpochBegin(t *Training) { r.note("epoch begin", t) }
func (r *recorder) BatchBegin(t *Training) { r.note("batch begin", t) }
func (r *recorder) BatchEnd(t *Training)   { r.note("batch end", t) }
func (r *recorder) EpochEnd(t *Training)   { r.note("epoch end", t) }
func (r *recorder) TrainEnd(t *Training)   { r.note("train end", t) }

func TestCallbackEvents(t *testing.T) {
	x, y := blobs(10, 3, 2)
	r := &recorder{}
	if _, err := compiled(t, Accuracy).Fit(x, y, Epochs(2), BatchSize(5), ValidationSplit(0.2), Callbacks(r), Verbose(0)); err != nil {
		t.Fatal(err)
	}
	var want []string
	add := func(event string, epoch, batch int, names string) {
		want = append(want, fmt.Sprintf("%s %d.%d [%s]", event, epoch, batch, names))
	}
	const training, all = "loss accuracy", "loss accuracy val_loss val_accuracy"
	add("train begin", 0, 0, training)
	for epoch := 1; epoch <= 2; epoch++ {
		add("epoch begin", epoch, 0, training)
		for batch := 1; batch <= 2; batch++ {
			add("batch begin", epoch, batch, training)
			add("batch end", epoch, batch, training)
		}
		add("epoch end", epoch, 2, all)
	}
	add("train end", 2, 2, all)
	if !slices.Equal(r.events, want) {
		t.Errorf("the events were\n%s\nwant\n%s", strings.Join(r.events, "\n"), strings.Join(want, "\n"))
	}
}

func TestCallbackStops(t *testing.T) {
	x, y := blobs(64, 3, 2)
	h, err := compiled(t).Fit(x, y, Epochs(9), Verbose(0), OnEpochEnd(func(s *Training) {
		if s.Epoch == 3 {
			s.Stop("enough")
		}
	}))
	if err != nil || h.Epochs() != 3 || h.Stopped() != "enough" {
		t.Errorf("stopped after %d epochs because %q, %v; want 3, enough, nil", h.Epochs(), h.Stopped(), err)
	}
	if !strings.HasSuffix(h.String(), "stopped after epoch 3: enough") || !strings.Contains(h.HTML(), "stopped after epoch 3: enough") {
		t.Errorf("the table does not say why it ends:\n%s", h)
	}

	failure := errors.New("the disk is full")
	h, err = compiled(t).Fit(x, y, Epochs(9), Verbose(0), OnBatchEnd(func(s *Training) {
		if s.Epoch == 2 {
			s.Fail(failure)
		}
	}))
	if !errors.Is(err, failure) || h.Epochs() != 1 {
		t.Errorf("failed with %v after %d epochs, want %v after 1", err, h.Epochs(), failure)
	}
}

func TestLearningRateCanBeChanged(t *testing.T) {
	x, y := blobs(64, 3, 2)
	m := compiled(t)
	var rates []float64
	_, err := m.Fit(x, y, Epochs(3), Verbose(0), OnEpochEnd(func(s *Training) {
		rates = append(rates, s.LearningRate())
		s.SetLearningRate(s.LearningRate() / 2)
	}))
	if err != nil || !slices.Equal(rates, []float64{0.001, 0.0005, 0.00025}) {
		t.Errorf("the rates were %v, %v", rates, err)
	}
	_, err = m.Fit(x, y, Verbose(0), OnBatchEnd(func(s *Training) { s.SetLearningRate(-1) }))
	if err == nil || !strings.Contains(err.Error(), "the learning rate -1 must be a number above 0") {
		t.Errorf("a negative rate gives %v", err)
	}
}

type quiet struct{ BaseCallback }

func (*quiet) ShowsProgress() {}

func TestProgressLines(t *testing.T) {
	x, y := blobs(64, 3, 2)
	fit := func(options ...FitOption) string {
		return captured(t, func() {
			if _, err := compiled(t, Accuracy).Fit(x, y, append(options, Epochs(10), ValidationSplit(0.25))...); err != nil {
				t.Error(err)
			}
		})
	}
	lines := strings.Split(strings.TrimSuffix(fit(), "\n"), "\n")
	if len(lines) != 10 || !strings.HasPrefix(lines[0], "epoch  1/10 · loss ") || !strings.HasPrefix(lines[9], "epoch 10/10 · loss ") ||
		!strings.Contains(lines[0], " · accuracy 0.") || !strings.Contains(lines[0], " · val_accuracy 0.") {
		t.Errorf("the lines are\n%s", strings.Join(lines, "\n"))
	}
	for name, text := range map[string]string{
		"Verbose(0)":        fit(Verbose(0)),
		"a display":         fit(&quiet{}),
		"a display, listed": fit(Callbacks(&quiet{})),
	} {
		if text != "" {
			t.Errorf("with %s Fit prints %q", name, text)
		}
	}
	if fit(&quiet{}, Verbose(1)) == "" {
		t.Error("with Verbose(1) Fit prints nothing")
	}
}

func TestContextEndsFit(t *testing.T) {
	x, y := blobs(64, 3, 2)
	m := compiled(t)
	reason := errors.New("the user went home")
	ctx, cancel := context.WithCancelCause(context.Background())
	before := time.Now()
	h, err := m.Fit(x, y, Epochs(1_000_000), Context(ctx), Verbose(0), OnBatchEnd(func(s *Training) {
		if s.Epoch == 4 && s.Batch == 1 {
			cancel(reason)
		}
	}))
	if !errors.Is(err, reason) || h == nil || h.Epochs() != 3 {
		t.Fatalf("the error is %v", err)
	}
	if want := "Fit: the user went home in epoch 4 of 1000000: the weights and the history so far are kept, and Fit again goes on from them"; err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}
	if time.Since(before) > 10*time.Second {
		t.Error("it took long to end")
	}
	// A context that is done already trains nothing; the next Fit works.
	if h, err = m.Fit(x, y, Context(ctx), Verbose(0)); !errors.Is(err, reason) || h.Epochs() != 0 {
		t.Errorf("the error is %v", err)
	}
	if h, err = m.Fit(x, y, Verbose(0)); err != nil || h.Epochs() != 1 {
		t.Errorf("the next Fit returns %v", err)
	}
}

func TestInterruptEndsFit(t *testing.T) {
	x, y := blobs(64, 3, 2)
	m := compiled(t)
	sent := false
	h, err := m.Fit(x, y, Epochs(10_000_000), Verbose(0), OnBatchEnd(func(*Training) {
		if !sent {
			sent = true
			if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
				t.Error(err)
			}
		}
	}))
	if !errors.Is(err, ErrInterrupted) || h == nil {
		t.Fatalf("the error is %v", err)
	}
	if !strings.HasPrefix(err.Error(), "Fit: interrupted in epoch ") {
		t.Errorf("the error is %q", err)
	}
	for _, p := range m.Parameters() {
		for _, v := range p.Data() {
			if v-v != 0 {
				t.Fatalf("a weight is %v", v)
			}
		}
	}

	// Afterwards the signal goes where it went before.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, os.Interrupt)
	defer signal.Stop(heard)
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-heard:
	case <-time.After(10 * time.Second):
		t.Error("the signal is lost")
	}
	if _, err := m.Fit(x, y, Verbose(0)); err != nil {
		t.Errorf("the next Fit returns %v", err)
	}
}

func TestRunawayIsStopped(t *testing.T) {
	m := Sequential(Dense(4, ReLU), Dense(1))
	if err := m.Compile(GradientDescent(LearningRate(1e20)), MeanSquaredError); err != nil {
		t.Fatal(err)
	}
	x, y := blobs(64, 3, 2)
	h, err := m.Fit(x, y, Epochs(50), Verbose(0))
	if err == nil || h == nil || !strings.Contains(err.Error(), "use a smaller learning rate (it is 1e+20), clip the gradients") {
		t.Errorf("the error is %v", err)
	}
}

func TestFitWithinFit(t *testing.T) {
	x, y := blobs(64, 3, 2)
	m := compiled(t)
	var inner, reset error
	var p *Tensor
	_, err := m.Fit(x, y, Verbose(0), OnEpochEnd(func(s *Training) {
		_, inner = s.Model.Fit(x, y)
		reset = s.Model.Reset(1)
		p, _ = s.Model.Predict(x) // looking is allowed
	}))
	if err != nil || p == nil {
		t.Error(p, err)
	}
	for _, err := range []error{inner, reset} {
		if err == nil {
			t.Error("a second Fit, or a Reset, begins within the first")
		}
	}
}

func TestPanicInCallbackLeavesModelUsable(t *testing.T) {
	x, y := blobs(64, 3, 2)
	m := compiled(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is swallowed")
			}
		}()
		m.Fit(x, y, Verbose(0), OnEpochEnd(func(*Training) { panic("oh") }))
	}()
	if _, err := m.Fit(x, y, Verbose(0)); err != nil {
		t.Error(err)
	}
}

// Metrics are means over rows, though the last batch is short: 7 rows in batches of 5.
func TestMetricsAreExact(t *testing.T) {
	x := []float64{1, 2, 3, 4, 5, 6, 7}
	y := []float64{0, 0, 0, 0, 0, 7, 14}
	m := Sequential(Input(1), Dense(1, UseBias(false)))
	if err := m.Compile(GradientDescent(LearningRate(1e-30)), MeanSquaredError, MeanAbsoluteError, Accuracy); err != nil {
		t.Fatal(err)
	}
	m.Parameters()[0].Data()[0] = 1 // predicts x, and stays
	h, err := m.Fit(x, y, BatchSize(5), ValidationData(x, y), Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"loss":                (1 + 4 + 9 + 16 + 25 + 1 + 49) / 7.,
		"mean_absolute_error": (1 + 2 + 3 + 4 + 5 + 1 + 7) / 7.,
		"accuracy":            2. / 7,
	} {
		for _, prefix := range []string{"", "val_"} {
			if got := h.Last(prefix + name); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s is %v, want %v", prefix+name, got, want)
			}
		}
	}
	if got, want := fmt.Sprint(h.Names()), "[loss mean_absolute_error accuracy val_loss val_mean_absolute_error val_accuracy]"; got != want {
		t.Errorf("the names are %s, want %s", got, want)
	}
}

// A loss as a metric beside another loss must not take the other's sums for its own.
func TestLossAsMetric(t *testing.T) {
	m := Sequential(Input(2), Dense(3, Softmax))
	if err := m.Compile(Adam(), CategoricalCrossEntropy, BinaryCrossEntropy, MeanSquaredError); err != nil {
		t.Fatal(err)
	}
	x, y := [][]float64{{1, 2}, {-1, 0.5}}, [][]float64{{0, 1, 0}, {1, 0, 0}}
	p, err := m.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Evaluate(x, y)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range s.All() {
		if name == "loss" {
			name = "categorical_crossentropy"
		}
		want := 0.0
		for r, row := range p.Rows() {
			var wide []float64
			for _, v := range row {
				wide = append(wide, float64(v))
			}
			want += naiveLoss(name, wide, y[r]) / 2
		}
		if math.Abs(value-want) > 1e-6 {
			t.Errorf("%s is %v, want %v", name, value, want)
		}
	}
}

func TestValidationRowsAreTheLast(t *testing.T) {
	// Nothing can be learned: y is 0 in the first rows and 1 in the last two, and all x are alike.
	x, y := make([]float64, 10), []int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1}
	h, err := compiled(t, Accuracy).Fit(x, y, ValidationSplit(0.2), Epochs(300), Verbose(0))
	if err != nil {
		t.Fatal(err)
	}
	if h.Last("accuracy") != 1 || h.Last("val_accuracy") != 0 {
		t.Errorf("accuracy %v, val_accuracy %v", h.Last("accuracy"), h.Last("val_accuracy"))
	}
}

func TestPredictFromManyGoroutines(t *testing.T) {
	x, y := blobs(300, 3, 2)
	m := compiled(t)
	if _, err := m.Fit(x, y, Verbose(0)); err != nil {
		t.Fatal(err)
	}
	want, err := m.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			for n := 1; n < 300; n += 7 + g {
				p, err := m.Predict(x[:n])
				if err != nil || !slices.Equal(p.Data(), want.Data()[:n]) {
					t.Errorf("%d rows are predicted otherwise at the same time (%v)", n, err)
				}
				if _, err := m.Evaluate(x[:n], y[:n]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}
