package nnkit

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed5607215b/nnkit/nnkit/internal/safetensors"
)

// Checkpoint makes a [Callback] that saves the model at the end of every epoch, as [Model.Save] does, with the history
// so far, so that a training that was stopped by whatever need not begin anew. A path with {epoch} in it makes a file
// for each epoch, "model-{epoch}.safetensors", else there is one, which is replaced.
//
// Options are [SaveEvery], [SaveAfter], [SaveBestOnly] and [Resume].
//
//	history, err := model.Fit(x, y, nnkit.Epochs(100), nnkit.Checkpoint("run.safetensors", nnkit.Resume()))
//
// A checkpoint that cannot be written ends the training with an error.
func Checkpoint(path string, options ...CheckpointOption) *Checkpointing {
	c := &Checkpointing{path: path, every: 1, best: math.NaN()}
	for i, o := range options {
		if o == nil {
			c.err = fmt.Errorf("Checkpoint: option %d is nil", i+1)
			return c
		}
		o(c)
	}
	switch {
	case path == "":
		c.err = errors.New("Checkpoint: the path is empty")
	case c.every < 1:
		c.err = fmt.Errorf("Checkpoint: SaveEvery(%d): it must be at least 1", c.every)
	case c.after < 0:
		c.err = fmt.Errorf("Checkpoint: SaveAfter(%v): it must not be negative", c.after)
	}
	return c
}

// CheckpointOption is an argument of [Checkpoint] behind the path.
type CheckpointOption func(*Checkpointing)

// SaveEvery has a [Checkpoint] save only every so many epochs, and at the last one.
func SaveEvery(epochs int) CheckpointOption { return func(c *Checkpointing) { c.every = epochs } }

// SaveAfter has a [Checkpoint] save only at the end of an epoch that comes so long after the last time, or the
// beginning, and at the last one.
func SaveAfter(d time.Duration) CheckpointOption { return func(c *Checkpointing) { c.after = d } }

// SaveBestOnly has a [Checkpoint] save only where a score is better than it ever was: SaveBestOnly("val_loss"). Better is
// lower, or for metrics such as an accuracy higher.
func SaveBestOnly(monitor string) CheckpointOption {
	return func(c *Checkpointing) { c.monitor = monitor }
}

// Resume has Fit go on from the last checkpoint, if there is one: the model, which must be of the same layers and compiled
// alike, gets all that is in it, and the epochs that it has behind it count among those that Fit is asked for. With the same
// data and options the training ends with the bits of one that was never stopped, its history included. What other callbacks have
// counted is not in a checkpoint.
func Resume() CheckpointOption { return func(c *Checkpointing) { c.resume = true } }

// Checkpointing is the callback that [Checkpoint] makes.
type Checkpointing struct {
	BaseCallback
	path    string
	every   int
	after   time.Duration
	monitor string
	resume  bool
	err     error

	saved string // the last file
	at    time.Time
	best  float64
}

// Path returns the file that was written last, "" for none.
func (c *Checkpointing) Path() string { return c.saved }

// TrainBegin checks what is monitored.
func (c *Checkpointing) TrainBegin(t *Training) {
	c.at, c.best, c.saved = time.Now(), math.NaN(), ""
	if c.monitor != "" && !slices.Contains(t.History.names, c.monitor) {
		t.Fail(fmt.Errorf("Checkpoint: SaveBestOnly(%q): there is no such score, but %s", c.monitor, strings.Join(t.History.names, ", ")))
		return
	}
	for i, v := range t.History.series[c.monitor] { // of a resumed training
		if (i+1)%c.every == 0 {
			c.better(t.History, v)
		}
	}
}

// EpochEnd saves.
func (c *Checkpointing) EpochEnd(t *Training) {
	due := t.Epoch%c.every == 0 && (c.after == 0 || time.Since(c.at) >= c.after) || t.Epoch == t.Epochs
	if !due || c.monitor != "" && !c.better(t.History, t.Scores.Value(c.monitor)) {
		return
	}
	path := strings.ReplaceAll(c.path, epochWord, strconv.Itoa(t.Epoch))
	if t.Rank() == 0 {
		if err := t.Model.save("Checkpoint", path, t.History); err != nil {
			t.Fail(err)
			return
		}
	}
	c.saved, c.at = path, time.Now()
}

// better says whether a score is the best so far.
func (c *Checkpointing) better(h *History, v float64) bool {
	if !(math.IsNaN(c.best) && !math.IsNaN(v) || v < c.best && !h.maximum[c.monitor] || v > c.best && h.maximum[c.monitor]) {
		return false
	}
	c.best = v
	return true
}

// last returns the latest checkpoint, "" for none.
func (c *Checkpointing) last() (string, error) {
	if !strings.Contains(filepath.Base(c.path), epochWord) {
		if _, err := os.Stat(c.path); errors.Is(err, fs.ErrNotExist) {
			return "", nil
		} else if err != nil {
			return "", err
		}
		return c.path, nil
	}
	list, err := numberedFiles(c.path)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[len(list)-1].path, nil
}

// epochWord stands for the epoch in a checkpoint's path.
const epochWord = "{epoch}"

// numberedFile is a checkpoint of an epoch.
type numberedFile struct {
	epoch int
	path  string
}

// numberedFiles lists the checkpoints of a path with {epoch} in its last part, the first epoch first.
func numberedFiles(path string) ([]numberedFile, error) {
	before, after, _ := strings.Cut(filepath.Base(path), epochWord)
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var list []numberedFile
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, before) || !strings.HasSuffix(name, after) || len(name) < len(before)+len(after) {
			continue
		}
		if n, err := strconv.Atoi(name[len(before) : len(name)-len(after)]); err == nil && n > 0 {
			list = append(list, numberedFile{n, filepath.Join(folder, name)})
		}
	}
	slices.SortFunc(list, func(a, b numberedFile) int { return a.epoch - b.epoch })
	return list, nil
}

// AverageCheckpoints gives the model the mean of the parameters and states in the last n files of a [Checkpoint] whose path has
// {epoch} in it: what the weights circle around at the end of a training is often better than where they are. What the optimizer
// remembers stays. A. Vaswani and others, Attention is all you need, NeurIPS 2017, took the last 5.
//
//	history, err := model.Fit(x, y, nnkit.Epochs(50), nnkit.Checkpoint("run-{epoch}.safetensors"))
//	err = model.AverageCheckpoints("run-{epoch}.safetensors", 5)
//
// It is an error when there are fewer, or when one is of another model; then the model stays as it is.
func (m *Model) AverageCheckpoints(path string, n int) error {
	const caller = "AverageCheckpoints"
	if err := m.hasWeights(caller); err != nil {
		return err
	}
	switch {
	case m.fitting.Load():
		return fmt.Errorf("%s: the model is in Fit: stop the training first", caller)
	case n < 1:
		return fmt.Errorf("%s: the last %d checkpoints: there must be at least 1", caller, n)
	case !strings.Contains(filepath.Base(path), epochWord):
		return fmt.Errorf("%s: the path %q has no {epoch} in its last part, so that there is one file only: give Checkpoint a path such as \"run-{epoch}.safetensors\"", caller, path)
	}
	list, err := numberedFiles(path)
	if err != nil {
		return fmt.Errorf("%s: %w", caller, err)
	}
	if len(list) < n {
		return fmt.Errorf("%s: there are %s of %q and %d are wanted", caller, countOf(len(list), "file", "files"), path, n)
	}
	sums := map[*Parameter][]float64{}
	for _, file := range list[len(list)-n:] {
		f, err := safetensors.ReadFile(file.path)
		if err != nil {
			return fmt.Errorf("%s: %w", caller, err)
		}
		l := newLoading(f)
		if err := l.own(m); err != nil {
			return fmt.Errorf("%s: %s: %w", caller, file.path, err)
		}
		if err := l.misfit(); err != nil {
			return fmt.Errorf("%s: %s does not fit the model: %w", caller, file.path, err)
		}
		for p, values := range l.values {
			if sums[p] == nil {
				sums[p] = make([]float64, len(values))
			}
			for i, v := range values {
				sums[p][i] += float64(v)
			}
		}
	}
	for p, sum := range sums {
		for i, v := range sum {
			p.leaf.data[i] = float32(v / float64(n))
		}
		p.drawn = true
	}
	return nil
}

// resume looks after the checkpoints among the callbacks before training starts: what is wrong with them, and whether one
// of them is to be gone on from.
func (f *fit) resume() error {
	for _, callback := range f.s.callbacks {
		c, ok := callback.(*Checkpointing)
		if !ok {
			continue
		}
		if c.err != nil {
			return c.err
		}
		if !c.resume {
			continue
		}
		path, err := c.last()
		if err == nil && path != "" {
			err = f.resumeFrom(path)
		}
		if err != nil {
			return fmt.Errorf("Checkpoint: Resume: %w", err)
		}
	}
	return nil
}

func (f *fit) resumeFrom(path string) error {
	file, err := safetensors.ReadFile(path)
	if err != nil {
		return err
	}
	if err := f.m.same(file); err != nil {
		return fmt.Errorf("%s: %w: remove it, or leave Resume out", path, err)
	}
	h, err := f.m.restore(file, func(p *progress) error {
		switch {
		case !p.Stepped || p.History == nil:
			return errors.New("it is of no Checkpoint, since it has no history: nnkit.Load reads it")
		case !slices.Equal(p.History, f.names):
			return fmt.Errorf("it has the scores %s, and this Fit %s: give the same validation data, or leave Resume out",
				strings.Join(p.History, ", "), strings.Join(f.names, ", "))
		case f.s.seed != nil && p.Seed != *f.s.seed:
			return fmt.Errorf("it has the seed %d, and this Fit %d: give the same, or leave Resume out", p.Seed, *f.s.seed)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	t := &f.state
	t.step = f.m.step
	t.History.names, t.History.series, t.History.rates = h.names, h.series, h.rates
	t.History.epochs, t.History.seed, t.Epoch = h.epochs, f.m.seed, h.epochs
	return nil
}

// same says whether a file is of this model, compiled alike.
func (m *Model) same(f *safetensors.File) error {
	model, err := m.source()
	if err != nil {
		return err
	}
	compiled, err := m.compiled.source()
	if err != nil {
		return err
	}
	for _, s := range [][2]string{{model, f.Metadata[modelKey]}, {compiled, f.Metadata[compileKey]}} {
		if s[0] != s[1] {
			return fmt.Errorf("it is of another model, %s and not %s", s[1], s[0])
		}
	}
	return nil
}
