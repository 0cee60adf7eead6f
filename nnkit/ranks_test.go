package nnkit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// channels are ranks that are goroutines of this process. A rank that ends takes the others with it.
type channels struct {
	rank int
	to   [][]chan []byte // from a rank to another
	over chan struct{}
	sent *int // bytes
}

var errOver = errors.New("a rank has ended")

func (c *channels) Rank() int { return c.rank }
func (c *channels) Size() int { return len(c.to) }

func (c *channels) Exchange(to int, message []byte, from int, received []byte) error {
	*c.sent += len(message)
	select {
	case c.to[c.rank][to] <- slices.Clone(message):
	case <-c.over:
		return errOver
	}
	select {
	case m := <-c.to[from][c.rank]:
		if copy(received, m) != len(m) || len(m) != len(received) {
			return fmt.Errorf("%d bytes came, and %d were awaited", len(m), len(received))
		}
		return nil
	case <-c.over:
		return errOver
	}
}

func (c *channels) Gather(message, all []byte) error {
	for r := range c.to {
		if err := c.Exchange(r, message, r, all[r*len(message):][:len(message)]); err != nil {
			return err
		}
	}
	return nil
}

// onRanks calls a function on so many ranks at once.
func onRanks(n int, f func(ranks *channels) error) []error {
	to := make([][]chan []byte, n)
	for i := range to {
		for range n {
			to[i] = append(to[i], make(chan []byte, 4))
		}
	}
	over := make(chan struct{})
	errs := make([]error, n)
	var wait sync.WaitGroup
	var once sync.Once
	for r := range n {
		wait.Go(func() {
			sent := 0
			if errs[r] = f(&channels{r, to, over, &sent}); errs[r] != nil {
				once.Do(func() { close(over) })
			}
		})
	}
	wait.Wait()
	return errs
}

// sharedCase is a training that ranks share.
type sharedCase struct {
	name   string
	layers func() []Layer
	loss   Objective
	data   func() (x, y any)
}

var sharedCases = []sharedCase{
	{"dense", func() []Layer { return []Layer{Dense(20, ReLU, KernelRegularizer(L2(0.01))), Dense(3, Softmax)} }, SparseCategoricalCrossEntropy, blobData(3)},
	{"batch norm", func() []Layer {
		return []Layer{Dense(20), BatchNormalization(), ActivationLayer(ReLU), Dropout(0.3), Dense(3, Softmax)}
	}, SparseCategoricalCrossEntropy, blobData(3)},
	{"images", func() []Layer {
		return []Layer{
			Conv2D(5, 3, SamePadding), BatchNormalization(), ActivationLayer(SiLU), MaxPooling2D(2), Conv2D(4, 3, ReLU), Dropout(0.3),
			Flatten(), Dense(3, Softmax),
		}
	}, SparseCategoricalCrossEntropy, stripeData},
	{"portions", func() []Layer {
		return []Layer{Conv2D(5, 3, SamePadding, ReLU), MaxPooling2D(2), Flatten(), GaussianNoise(0.1), Dense(3, Softmax)}
	}, SparseCategoricalCrossEntropy, stripeData},
	{"sequences", func() []Layer {
		return []Layer{LSTM(6, ReturnSequences()), TransformerEncoder(2, 8, AttentionDropout(0.2)), GlobalAveragePooling1D(), Dense(3, Softmax)}
	}, SparseCategoricalCrossEntropy, sequenceData},
	{"masked", func() []Layer {
		return []Layer{Masking(0), Dense(6), BatchNormalization(), GRU(5, ReturnSequences()), Dense(3, Softmax)}
	}, SparseCategoricalCrossEntropy, func() (any, any) {
		x, _ := sequenceData()
		y := zeros([]int{60, 6, 1})
		for i := range y.data {
			y.data[i] = float32(i % 3)
		}
		return x, y
	}},
	{"own loss", func() []Layer { return []Layer{Dense(5, Tanh, ActivityRegularizer(L2(0.01))), Dense(1)} }, LossFunc("own", func(p, y *Tensor) *Tensor {
		return p.Sub(y).Square().Mean()
	}), func() (any, any) {
		x, y := blobs(60, 8, 4)
		return x, y
	}},
}

func blobData(classes int) func() (x, y any) {
	return func() (any, any) {
		x, y := blobs(60, 8, classes)
		return x, y
	}
}

func stripeData() (x, y any) {
	images, directions := stripes(60)
	return images, directions
}

func sequenceData() (x, y any) {
	sequences := weights(zeros([]int{60, 6, 4}), 0)
	first := make([]int, 60)
	for i := range first {
		first[i] = i % 3
		sequences.data[i*24] = float32(i%3) - 1
		if i%4 == 0 { // shorter ones
			clear(sequences.data[i*24+12:][:12])
		}
	}
	return sequences, first
}

func (c sharedCase) metrics() []Metric {
	if c.name == "own loss" {
		return []Metric{RootMeanSquaredError, R2Score, MetricFunc("far", func(p, y *Tensor) *Tensor { return p.Sub(y).Abs() })}
	}
	return []Metric{Accuracy, AUC(), F1Score(), TopKAccuracy(2), SparseCategoricalCrossEntropy}
}

// fit trains, and returns a hash of all weights, states and scores, and of predictions.
func (c sharedCase) fit(options ...FitOption) (string, error) {
	m := Sequential(c.layers()...)
	if err := m.Compile(Adam(LearningRate(0.01)), c.loss, c.metrics()...); err != nil {
		return "", err
	}
	x, y := c.data()
	h, err := m.Fit(x, y, append([]FitOption{Epochs(3), BatchSize(20), ValidationSplit(0.25), Seed(4), Verbose(0)}, options...)...)
	if err != nil {
		return "", err
	}
	p, err := m.Predict(x)
	if err != nil {
		return "", err
	}
	text := []string{m.hash(), fmt.Sprintf("%x", checksum(rawBytes(p.data)))}
	for _, name := range h.Names() {
		text = append(text, fmt.Sprint(name, " ", h.Series(name)))
	}
	return strings.Join(text, " "), nil
}

// However many ranks share a training, it has the bits of one process with the same shards.
func TestRanksDoNotShow(t *testing.T) {
	for _, c := range sharedCases {
		t.Run(c.name, func(t *testing.T) {
			for _, shards := range []int{8, 5} {
				want, err := c.fit(Shards(shards))
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(strings.ToLower(want), "nan") {
					t.Error(want)
				}
				for _, size := range []int{1, 2, 3, 4, 5, 8} {
					if size > shards {
						continue
					}
					got := make([]string, size)
					for r, err := range onRanks(size, func(ranks *channels) (err error) {
						got[ranks.rank], err = c.fit(Shards(shards), Distribute(ranks))
						return err
					}) {
						if err != nil {
							t.Fatalf("%d shards, rank %d of %d: %v", shards, r, size, err)
						}
						if got[r] != want {
							t.Fatalf("%d shards, rank %d of %d:\n%s\nby one process:\n%s", shards, r, size, got[r], want)
						}
					}
				}
			}
		})
	}
}

// Shards change the rounding and nothing else.
func TestShardsAreTheBatch(t *testing.T) {
	for _, c := range sharedCases {
		t.Run(c.name, func(t *testing.T) {
			x, y := c.data()
			var want []float32
			loss := 0.0
			for _, options := range [][]FitOption{{}, {Shards(1)}, {Shards(2)}, {Shards(7)}, {Shards(100)}} {
				m := Sequential(c.layers()...)
				if err := m.Compile(SGD(LearningRate(0.1)), c.loss, c.metrics()...); err != nil {
					t.Fatal(err)
				}
				h, err := m.Fit(x, y, append(options, Epochs(2), BatchSize(20), Verbose(0), Shuffle(false))...)
				if err != nil {
					t.Fatal(err)
				}
				states := slices.Clone(m.weights)
				for _, p := range m.states {
					states = append(states, p.Data()...)
				}
				if want == nil {
					want, loss = states, h.Series("loss")[1]
				}
				if got := h.Series("loss")[1]; !(math.Abs(got-loss) < 1e-5*loss) {
					t.Errorf("%d options: the loss is %v, without shards %v", len(options), got, loss)
				}
				for i, v := range states {
					if !(math.Abs(float64(v-want[i])) < 2e-4) {
						t.Fatalf("%d options: number %d of weights and states is %v, without shards %v", len(options), i, v, want[i])
					}
				}
			}
		})
	}
}

// Without anything to add a step in shards allocates nothing, like any other.
func TestShardsAllocateNothing(t *testing.T) {
	for _, c := range sharedCases[:2] {
		x, y := c.data()
		m := Sequential(c.layers()...)
		f := fitOf(t, m, 60, Adam(), c.loss, x, y, Accuracy)
		f.s.shards = 4
		if err := f.share(); err != nil {
			t.Fatal(err)
		}
		defer f.sharding.close()
		for range 3 {
			if err := f.batch(f.order); err != nil {
				t.Fatal(err)
			}
		}
		if allocations := testing.AllocsPerRun(10, func() {
			if err := f.batch(f.order); err != nil {
				t.Fatal(err)
			}
		}); allocations > 0 {
			t.Errorf("%s: a step allocates %v times", c.name, allocations)
		}
	}
}

// What one rank comes to all come to.
func TestRanksAgree(t *testing.T) {
	c := sharedCases[1]
	cause := errors.New("enough")
	at := func(rank, batch int, do func(t *Training)) FitOption {
		return OnBatchEnd(func(t *Training) {
			if t.Rank() == rank && t.Batch == batch {
				do(t)
			}
		})
	}
	for _, test := range []struct {
		name    string
		options func(rank int) []FitOption
		want    [2]string // of ranks 0 and 1
	}{
		{"stop", func(int) []FitOption {
			return []FitOption{at(1, 2, func(t *Training) { t.Stop("it is late") })}
		}, [2]string{"stopped: it is late in epoch 1, batch 2", "stopped: it is late in epoch 1, batch 2"}},
		{"fail", func(int) []FitOption {
			return []FitOption{at(1, 2, func(t *Training) { t.Fail(errors.New("the disk is full")) })}
		}, [2]string{"Fit: rank 1: the disk is full", "Fit: the disk is full"}},
		{"interrupt", func(rank int) []FitOption {
			ctx, cancel := context.WithCancelCause(context.Background())
			return []FitOption{Context(ctx), at(1, 2, func(*Training) { cancel(cause) })}
		}, [2]string{"Fit: interrupted in epoch 1 of 3", "Fit: enough in epoch 1 of 3"}},
		{"seed", func(rank int) []FitOption { return []FitOption{Seed(rank)} }, [2]string{"rank 1 has another seed than rank 0", "rank 1 has another seed"}},
		{"data", func(rank int) []FitOption { return []FitOption{ValidationSplit(0.25 + 0.1*float64(rank))} }, [2]string{"rank 1 has another training data", "training data"}},
		{"ranks", func(int) []FitOption { return []FitOption{Shards(1)} }, [2]string{"nnkit.Shards(2)", "nnkit.Shards(2)"}},
		{"weights", func(int) []FitOption {
			return []FitOption{at(1, 1, func(t *Training) { t.Model.Parameters()[0].Data()[0]++ })}
		}, [2]string{"rank 1 has another state of the model after epoch 1", "rank 1 has another state of the model after epoch 1"}},
		{"rate", func(int) []FitOption {
			return []FitOption{at(0, 1, func(t *Training) { t.SetLearningRate(0.5) }), OnEpochEnd(func(t *Training) {
				t.Fail(fmt.Errorf("the rate is %v", t.LearningRate()))
			})}
		}, [2]string{"the rate is 0.5", "the rate is 0.5"}},
		{"NaN", func(int) []FitOption {
			return []FitOption{OnBatchEnd(func(t *Training) { t.SetLearningRate(1e30) })}
		}, [2]string{"the loss is no longer a number", "the loss is no longer a number"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := make([]string, 2)
			onRanks(2, func(ranks *channels) error {
				m := Sequential(c.layers()...)
				if err := m.Compile(Adam(LearningRate(0.01)), c.loss); err != nil {
					return err
				}
				x, y := c.data()
				last := ""
				options := append([]FitOption{Epochs(3), BatchSize(20), Seed(4), Verbose(0), Distribute(ranks), OnBatchEnd(func(t *Training) {
					last = fmt.Sprintf("in epoch %d, batch %d", t.Epoch, t.Batch)
				})}, test.options(ranks.rank)...)
				h, err := m.Fit(x, y, options...)
				if err != nil {
					got[ranks.rank] = err.Error()
				} else {
					got[ranks.rank] = "stopped: " + h.Stopped() + " " + last
				}
				return nil
			})
			for r := range got {
				if !strings.Contains(got[r], test.want[r]) {
					t.Errorf("rank %d: %q, want %q", r, got[r], test.want[r])
				}
			}
		})
	}
}

// Rank 0 alone saves, and all go on from what it has saved.
func TestRanksResume(t *testing.T) {
	c := sharedCases[1]
	want, err := c.fit(Shards(8))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run.safetensors")
	stop := errors.New("stop")
	for attempt, size := range []int{3, 2} {
		got := make([]string, size)
		errs := onRanks(size, func(ranks *channels) (err error) {
			options := []FitOption{Distribute(ranks), Checkpoint(path, Resume())}
			if attempt == 0 {
				options = append(options, OnBatchEnd(func(t *Training) {
					if t.Epoch == 2 && t.Batch == 2 {
						t.Fail(stop)
					}
				}))
			}
			got[ranks.rank], err = c.fit(options...)
			return err
		})
		for r, err := range errs {
			if attempt == 0 && !errors.Is(err, stop) {
				t.Errorf("rank %d: %v", r, err)
			}
			if attempt == 1 && (err != nil || got[r] != want) {
				t.Errorf("rank %d: %v\n%s\nwithout a break:\n%s", r, err, got[r], want)
			}
		}
	}
}
