package nnkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seed5607215b/nnkit/nnkit/internal/safetensors"
)

// Save writes the model to one file, from which [Load] makes it again: layers and their options, weights and states, how it
// is compiled, what the optimizer remembers, seed, and counts of epochs and batches. A Fit after Load goes on to the bits
// that it would have come to without.
//
// The file is one of the format safetensors, with the layers as Go text in its metadata: other libraries read the weights
// from it, and [Model.LoadWeights] does. It is written so that at every moment, whatever happens, the path holds the old
// file or all of the new one.
//
// Layers and functions of one's own must be given to [Register]; a model that has others is not saved, with an error that names
// them. The model must know the shape of its input: by [Input], or by a Fit or a Predict.
func (m *Model) Save(path string) error {
	if err := m.hasWeights("Save"); err != nil {
		return err
	}
	return m.save("Save", path, nil)
}

func (m *Model) save(caller, path string, h *History) error {
	f, err := m.file(h)
	if err == nil {
		err = f.WriteFile(path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", caller, err)
	}
	return nil
}

// Load reads a model that [Model.Save] or a [Checkpoint] has written. A file that is damaged, or holds something else, is
// an error that says what is wrong with it.
func Load(path string) (*Model, error) {
	f, err := safetensors.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("Load: %w", err)
	}
	m, err := load(f)
	if err != nil {
		return nil, fmt.Errorf("Load: %s: %w", path, err)
	}
	return m, nil
}

func load(f *safetensors.File) (*Model, error) {
	m, err := buildModel(f)
	if err == nil {
		_, err = m.restore(f, nil)
	}
	return m, err
}

// The keys of a file's metadata.
const (
	modelKey    = "nnkit.model"    // Sequential(…)
	compileKey  = "nnkit.compile"  // Compile(…), if the model is compiled
	progressKey = "nnkit.progress" // of the training, as JSON
)

// The beginnings of names of arrays beside the weights.
const (
	optimizerArrays = besideWeights + "optimizer/"
	historySeries   = besideWeights + "history/"
)

// progress is how far a training has come.
type progress struct {
	Seed    int                        `json:"seed"`
	Epochs  int                        `json:"epochs"`
	Batches int                        `json:"batches"`
	Frozen  []string                   `json:"frozen,omitempty"`  // names of parameters that are not trained
	Stepped bool                       `json:"stepped"`           // the optimizer remembers something
	Numbers map[string]json.RawMessage `json:"numbers,omitempty"` // of the optimizer
	History []string                   `json:"history,omitempty"` // names of series
}

// file puts together what is known of the model, with a history if there is one.
func (m *Model) file(h *History) (*safetensors.File, error) {
	text, err := m.source()
	if err != nil {
		return nil, err
	}
	f := &safetensors.File{Metadata: map[string]string{"format": "nnkit model", modelKey: text}, Tensors: m.tensors()}
	p := progress{Seed: m.seed, Epochs: m.epochs, Batches: m.batches, Stepped: m.step != nil}
	for _, q := range m.parameters {
		if !q.Trainable() {
			p.Frozen = append(p.Frozen, q.name)
		}
	}
	if m.targets != nil {
		if f.Metadata[compileKey], err = m.compiled.source(); err != nil {
			return nil, err
		}
	}
	if m.step != nil {
		memory := m.step.remembered()
		p.Numbers = map[string]json.RawMessage{}
		for name, v := range memory.numbers {
			if p.Numbers[name], err = json.Marshal(v); err != nil {
				return nil, fmt.Errorf("the optimizer's number %q cannot be written: %w", name, err)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(memory.arrays)) {
			if a := *memory.arrays[name]; a != nil {
				f.Tensors = append(f.Tensors, safetensors.Float32(optimizerArrays+name, []int{len(a)}, a))
			}
		}
	}
	if h != nil {
		p.History = h.scores()
		for _, name := range p.History {
			f.Tensors = append(f.Tensors, safetensors.Float64(historySeries+name, h.series[name]))
		}
		f.Tensors = append(f.Tensors, safetensors.Float64(historySeries+learningRateName, h.rates))
	}
	known, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	f.Metadata[progressKey] = string(known)
	return f, nil
}

// mostInput is how many numbers a row may have of a model in a file, and of what a layer makes of it; beyond, the file is taken for
// a damaged one.
const mostInput = 1 << 26

// buildModel makes the model of a file, compiled but with other weights.
func buildModel(f *safetensors.File) (*Model, error) {
	text, ok := f.Metadata[modelKey]
	if !ok {
		return nil, errors.New("it holds arrays and no model: make the model with the same layers and use model.LoadWeights")
	}
	m, err := evaluate[*Model](text)
	if err != nil {
		return nil, fmt.Errorf("its model: %w", err)
	}
	if !m.known() {
		return nil, errors.New("its model does not begin with the shape of its input: the file is damaged")
	}
	for _, shape := range m.given() {
		size := 1
		for _, d := range shape {
			if size > mostInput/d {
				return nil, fmt.Errorf("its model has rows of shape %s: the file is damaged", shapeText(shape))
			}
			size *= d
		}
	}
	room := 1
	for i := range f.Tensors {
		room += f.Tensors[i].Len()
	}
	limit(m.layers, room)
	if err := m.build(m.given()); err != nil {
		return nil, fmt.Errorf("its model: %w", err)
	}
	limit(m.layers, 0)
	if text, ok := f.Metadata[compileKey]; ok {
		c, err := evaluate[compilation](text)
		if err != nil {
			return nil, fmt.Errorf("how its model is compiled: %w", err)
		}
		if err := m.Compile(c.optimizer, c.loss, c.metrics...); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// limit says how many numbers a parameter of the layers may have.
func limit(layers []Layer, room int) {
	for _, l := range layers {
		c := l.core()
		c.room = room
		if o, ok := l.(outer); ok && c.err == nil {
			limit(o.inner(), room)
		}
	}
}

// restore gives the model what a file holds of it, weights and all that the training needs, or leaves it as it is. Check,
// if there is one, says whether the progress is what is wanted.
func (m *Model) restore(f *safetensors.File, check func(*progress) error) (*History, error) {
	l := newLoading(f)
	if err := l.own(m); err != nil {
		return nil, err
	}
	if err := l.misfit(); err != nil {
		return nil, fmt.Errorf("its arrays do not fit its model: %w", err)
	}
	var p progress
	if err := json.Unmarshal([]byte(f.Metadata[progressKey]), &p); err != nil {
		return nil, fmt.Errorf("its progress cannot be read: %w", err)
	}
	if p.Epochs < 0 || p.Batches < 0 {
		return nil, fmt.Errorf("its progress tells of %d epochs and %d batches", p.Epochs, p.Batches)
	}
	if check != nil {
		if err := check(&p); err != nil {
			return nil, err
		}
	}
	var step *stepper
	if p.Stepped {
		if m.targets == nil {
			return nil, errors.New("it tells of an optimizer's steps and not of the optimizer: the file is damaged")
		}
		step = m.compiled.optimizer.start(len(m.weights))
		if err := step.remembered().recall(&p, f, len(m.weights)); err != nil {
			return nil, err
		}
	}
	h, err := readHistory(&p, f)
	if err != nil {
		return nil, err
	}
	l.apply()
	for _, q := range m.parameters {
		q.SetTrainable(!slices.Contains(p.Frozen, q.name))
	}
	m.drawn.Store(true)
	m.seed, m.epochs, m.batches, m.step = p.Seed, p.Epochs, p.Batches, step
	return h, nil
}

// recall reads what an optimizer remembers of so many weights.
func (m stepMemory) recall(p *progress, f *safetensors.File, weights int) error {
	for name, v := range m.numbers {
		if err := json.Unmarshal(p.Numbers[name], v); err != nil {
			return fmt.Errorf("its optimizer's number %q cannot be read: %w", name, err)
		}
	}
	for name, a := range m.arrays {
		t := tensorNamed(f, optimizerArrays+name)
		switch {
		case t == nil && *a == nil:
			continue
		case t == nil || !slices.Equal(t.Shape, []int{weights}):
			return fmt.Errorf("it lacks the optimizer's array %q, of %d numbers", name, weights)
		}
		data, err := t.Float32()
		if err != nil {
			return err
		}
		if *a == nil {
			*a = data
		} else {
			copy(*a, data) // which others may share
		}
	}
	return nil
}

func readHistory(p *progress, f *safetensors.File) (*History, error) {
	if p.History == nil {
		return nil, nil
	}
	h := newHistory(nil, p.History, nil, p.Seed)
	for i, name := range append(slices.Clone(p.History), learningRateName) {
		t := tensorNamed(f, historySeries+name)
		if t == nil {
			return nil, fmt.Errorf("it lacks the series %q of its history", name)
		}
		series, err := t.Float64()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			h.epochs = len(series)
		}
		if len(series) != h.epochs || len(h.series) != i {
			return nil, fmt.Errorf("the series %q of its history has %d epochs, and the first %d", name, len(series), h.epochs)
		}
		h.series[name] = series
	}
	h.rates = h.series[learningRateName]
	delete(h.series, learningRateName)
	h.seeRates()
	return h, nil
}

func tensorNamed(f *safetensors.File, name string) *safetensors.Tensor {
	at := slices.IndexFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == name })
	if at < 0 {
		return nil
	}
	return &f.Tensors[at]
}
