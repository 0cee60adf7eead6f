package mpi

import (
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"hash"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/nnkit"
)

var (
	long     = flag.Bool("long", false, "all numbers of ranks for each model, and ten deaths at random moments")
	asRank   = flag.String("as-rank", "", "be a rank that trains the model of this `name`")
	resume   = flag.String("resume", "", "keep a checkpoint in this `file` and go on from it")
	epochs   = flag.Int("epochs", 4, "train for so many")
	dieRank  = flag.Int("die", 1, "the `rank` that is killed")
	dieAt    = flag.Int("die-at", 0, "kill it in this `epoch`")
	dieBatch = flag.Int("die-batch", 2, "after this `batch` of the epoch")
	dieAfter = flag.Duration("die-after", 0, "and so much later")
	asPanic  = flag.Bool("panic", false, "end by a panic instead")
)

// TestMain is a rank where the tests have started it as one.
func TestMain(m *testing.M) {
	flag.Parse()
	if *asRank == "" {
		os.Exit(m.Run())
	}
	i := slices.IndexFunc(models, func(m model) bool { return m.name == *asRank })
	options := []nnkit.FitOption{World(), nnkit.Epochs(*epochs)}
	if *resume != "" {
		options = append(options, nnkit.Checkpoint(*resume, nnkit.Resume()), nnkit.OnBatchEnd(func(t *nnkit.Training) {
			switch {
			case *dieAt == 0 || t.Rank() != *dieRank:
			case t.Epoch > *dieAt:
				select {} // it is to die before the next epoch is over
			case t.Epoch < *dieAt || t.Batch != *dieBatch:
			case *asPanic:
				panic("no more of this")
			default:
				time.AfterFunc(*dieAfter, func() { syscall.Kill(os.Getpid(), syscall.SIGKILL) })
			}
		}))
	}
	text, err := models[i].train(options...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("rank %d of %d: %s\n", Rank(), Size(), text)
	Finalize()
}

// model is one to train.
type model struct {
	name   string
	row    []int
	layers func() []nnkit.Layer
}

var models = []model{
	{"dense", []int{16}, func() []nnkit.Layer {
		return []nnkit.Layer{nnkit.Dense(300, nnkit.ReLU), nnkit.Dense(100, nnkit.ReLU), nnkit.Dense(4, nnkit.Softmax)}
	}},
	{"batch norm", []int{16}, func() []nnkit.Layer {
		return []nnkit.Layer{nnkit.Dense(40), nnkit.BatchNormalization(), nnkit.ActivationLayer(nnkit.ReLU), nnkit.Dense(4, nnkit.Softmax)}
	}},
	{"dropout", []int{16}, func() []nnkit.Layer {
		return []nnkit.Layer{nnkit.Dense(40, nnkit.ReLU), nnkit.Dropout(0.4), nnkit.GaussianNoise(0.1), nnkit.Dense(4, nnkit.Softmax)}
	}},
	{"LSTM", []int{7, 5}, func() []nnkit.Layer {
		return []nnkit.Layer{nnkit.Masking(0), nnkit.LSTM(12), nnkit.Dense(4, nnkit.Softmax)}
	}},
	{"attention", []int{7, 8}, func() []nnkit.Layer {
		return []nnkit.Layer{
			nnkit.PositionalEncoding(), nnkit.TransformerEncoder(2, 20, nnkit.AttentionDropout(0.1)), nnkit.GlobalAveragePooling1D(),
			nnkit.Dense(4, nnkit.Softmax),
		}
	}},
	{"CNN", []int{9, 9, 2}, func() []nnkit.Layer {
		return []nnkit.Layer{
			nnkit.Conv2D(8, 3, nnkit.SamePadding), nnkit.BatchNormalization(), nnkit.ActivationLayer(nnkit.ReLU), nnkit.MaxPooling2D(2),
			nnkit.Conv2D(6, 3, nnkit.ReLU), nnkit.Flatten(), nnkit.Dropout(0.2), nnkit.Dense(4, nnkit.Softmax),
		}
	}},
}

// train trains by made-up data, and returns a hash of all weights and states, of the history and of predictions.
func (m model) train(options ...nnkit.FitOption) (string, error) {
	const rows = 150
	size := 1
	for _, d := range m.row {
		size *= d
	}
	x, y := make([]float32, rows*size), make([]int, rows)
	state := uint32(1)
	for i := range x {
		state = state*1664525 + 1013904223
		x[i] = float32(state>>8)/(1<<24) - 0.5
	}
	for i := range y {
		y[i] = i % 4
		x[i*size] += float32(y[i])
		if len(m.row) == 2 && i%3 == 0 { // a shorter sequence
			clear(x[(i+1)*size-2*m.row[1]:][:2*m.row[1]])
		}
	}
	data, err := nnkit.NewTensor(x, append([]int{rows}, m.row...)...)
	if err != nil {
		return "", err
	}
	net := nnkit.Sequential(m.layers()...)
	if err := net.Compile(nnkit.Adam(nnkit.LearningRate(0.01), nnkit.GlobalClipNorm(1)), nnkit.SparseCategoricalCrossEntropy, nnkit.Accuracy, nnkit.AUC()); err != nil {
		return "", err
	}
	h, err := net.Fit(data, y, append([]nnkit.FitOption{
		nnkit.Epochs(4), nnkit.BatchSize(32), nnkit.ValidationSplit(0.2), nnkit.Seed(3), nnkit.Verbose(0),
		nnkit.EarlyStopping(nnkit.Monitor("loss"), nnkit.Patience(3), nnkit.RestoreBestWeights()),
	}, options...)...)
	if err != nil {
		return "", err
	}
	p, err := net.Predict(data)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, p := range slices.Concat(net.Parameters(), net.States()) {
		write(sum, p.Data())
	}
	write(sum, p.Data())
	for _, name := range h.Names() {
		for _, v := range h.Series(name) {
			binary.Write(sum, binary.LittleEndian, v)
			if math.IsNaN(v) {
				return "", fmt.Errorf("%s is not a number", name)
			}
		}
	}
	return fmt.Sprintf("%x, loss %.6f after %d epochs", sum.Sum(nil)[:8], h.Series("loss")[h.Epochs()-1], h.Epochs()), nil
}

func write(sum hash.Hash, x []float32) { binary.Write(sum, binary.LittleEndian, x) }

// mpirun runs this test as so many ranks.
func mpirun(t *testing.T, size int, args ...string) (string, error) {
	t.Helper()
	return run(t, size, append([]string{os.Args[0]}, args...)...)
}

// run runs a program as so many ranks.
func run(t *testing.T, size int, program ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("mpirun")
	if err != nil {
		t.Fatal("there is no mpirun: apt-get install openmpi-bin libopenmpi-dev")
	}
	command := exec.Command(path, append([]string{"--allow-run-as-root", "--oversubscribe", "-n", strconv.Itoa(size)}, program...)...)
	out, err := command.CombinedOutput()
	return string(out), err
}

// TestRanks trains each model on several numbers of ranks, to the bits of one process without MPI.
func TestRanks(t *testing.T) {
	for i, m := range models {
		t.Run(m.name, func(t *testing.T) {
			want, err := m.train(nnkit.Shards(8))
			if err != nil {
				t.Fatal(err)
			}
			for at, size := range []int{1, 2, 3, 8} {
				if !*long && i > 1 && at != i%4 { // in the short form one number each
					continue
				}
				out, err := mpirun(t, size, "-as-rank", m.name)
				if err != nil {
					t.Fatalf("%d ranks: %v\n%s", size, err, out)
				}
				for r := range size {
					if line := fmt.Sprintf("rank %d of %d: %s\n", r, size, want); !strings.Contains(out, line) {
						t.Errorf("%d ranks: there is no line %q in\n%s", size, line, out)
					}
				}
				t.Logf("%d ranks: %s", size, want)
			}
		})
	}
}

// TestDeath kills a rank and starts all again, fewer than before.
func TestDeath(t *testing.T) {
	m := models[1]
	want, err := m.train(nnkit.Shards(8))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "run.safetensors")
	for _, attempt := range []struct {
		size int
		args []string
		says string
	}{
		{3, []string{"-die-at", "2"}, "rank 1"},
		{2, []string{"-die-at", "3", "-panic"}, "panic: no more of this"},
		{8, nil, "rank 7 of 8: " + want + "\n"},
	} {
		out, err := mpirun(t, attempt.size, append(attempt.args, "-as-rank", m.name, "-resume", file)...)
		if (err != nil) != (attempt.args != nil) || !strings.Contains(out, attempt.says) {
			t.Errorf("%d ranks, %v: %v, and they do not say %q:\n%s", attempt.size, attempt.args, err, attempt.says, out)
		}
	}
}

// TestDeaths kills ranks at random moments, which may be in the middle of a step or of the writing of a checkpoint, and starts all again
// after each death, as many as chance will have.
func TestDeaths(t *testing.T) {
	deaths := 2
	if *long {
		deaths = 10
	}
	m := models[1]
	all := nnkit.Epochs(deaths + 4)
	want, err := m.train(nnkit.Shards(8), all)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "run.safetensors")
	chance := rand.New(rand.NewPCG(uint64(deaths), 0))
	args := []string{"-as-rank", m.name, "-resume", file, "-epochs", strconv.Itoa(deaths + 4)}
	for n := 1; n <= deaths; n++ {
		size := 2 + chance.IntN(3)
		die := []string{
			"-die", strconv.Itoa(chance.IntN(size)), "-die-at", strconv.Itoa(n), "-die-batch", strconv.Itoa(1 + chance.IntN(3)),
			"-die-after", time.Duration(chance.IntN(4e6)).String(),
		}
		out, err := mpirun(t, size, append(die, args...)...)
		if err == nil || !strings.Contains(out, "signal 9") {
			t.Fatalf("%d ranks, %v: %v, and nobody was killed:\n%s", size, die, err, out)
		}
		t.Logf("%d ranks, %v", size, die)
	}
	if out, err := mpirun(t, 3, args...); err != nil || !strings.Contains(out, "rank 2 of 3: "+want+"\n") {
		t.Errorf("after %d deaths: %v, want %s:\n%s", deaths, err, want, out)
	}
}

// TestPage runs the program of docs/scale.md, of which one rank prints.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```go\n")
	text, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the page has no program")
	}
	source, program := filepath.Join(t.TempDir(), "main.go"), filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(source, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := run(t, 2, program)
	if err != nil || strings.Count(out, "epoch ") != 3 {
		t.Errorf("%v, want three lines of epochs:\n%s", err, out)
	}
}
