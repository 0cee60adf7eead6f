package nnkit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/nnkit/internal/safetensors"
)

// SaveWeights writes all parameters and states to a file in the format safetensors, which other libraries read: float32
// under their names, "dense_1/kernel". The file is written whole or not at all. [Model.Save] writes the layers and what
// the training needs, too.
func (m *Model) SaveWeights(path string) error {
	if err := m.hasWeights("SaveWeights"); err != nil {
		return err
	}
	f := &safetensors.File{Tensors: m.tensors(), Metadata: map[string]string{"format": "nnkit weights"}}
	if err := f.WriteFile(path); err != nil {
		return fmt.Errorf("SaveWeights: %w", err)
	}
	return nil
}

// LoadWeights reads parameters and states from a safetensors file: one of [Model.SaveWeights], of [Model.Save], or with
// [FromPyTorch] of PyTorch's. Numbers may be float32, float64, float16 or bfloat16. Names and shapes must be those of the
// model; else the error says which are not, and the model stays as it is. What the optimizer remembers stays in any case.
func (m *Model) LoadWeights(path string, options ...LoadOption) error {
	if err := m.hasWeights("LoadWeights"); err != nil {
		return err
	}
	if m.fitting.Load() {
		return errors.New("LoadWeights: the model is in Fit: stop the training first")
	}
	f, err := safetensors.ReadFile(path)
	if err != nil {
		return fmt.Errorf("LoadWeights: %w", err)
	}
	l := newLoading(f)
	read := l.own
	for i, o := range options {
		if o == nil {
			return fmt.Errorf("LoadWeights: option %d is nil", i+1)
		}
		read = func(m *Model) error { return o.load(l, m) }
	}
	if err := read(m); err != nil {
		return fmt.Errorf("LoadWeights: %s: %w", path, err)
	}
	if err := l.misfit(); err != nil {
		return fmt.Errorf("LoadWeights: %s does not fit the model: %w", path, err)
	}
	l.apply()
	return nil
}

// LoadOption is an argument of [Model.LoadWeights] behind the path: [FromPyTorch].
type LoadOption interface {
	load(l *loading, m *Model) error
}

func (m *Model) hasWeights(caller string) error {
	if err := m.problem(caller); err != nil {
		return err
	}
	if m.draw(); m.weights == nil {
		return fmt.Errorf("%s: the model has no weights yet: begin it with nnkit.Input, or call it after a Fit or a Predict", caller)
	}
	return nil
}

// kept are the arrays that a file holds: parameters and states.
func (m *Model) kept() []*Parameter { return slices.Concat(m.parameters, m.states) }

// nameOf is a parameter's name in a file, which has none of a model around this one.
func (m *Model) nameOf(p *Parameter) string {
	if m.layer.owner == nil {
		return p.name
	}
	return strings.TrimPrefix(p.name, m.layer.name+"/")
}

func (m *Model) tensors() []safetensors.Tensor {
	var list []safetensors.Tensor
	for _, p := range m.kept() {
		list = append(list, safetensors.Float32(m.nameOf(p), p.leaf.shape, p.leaf.data))
	}
	return list
}

// loading is a file on its way into parameters, none of which is changed before all is known to fit.
type loading struct {
	file    map[string]*safetensors.Tensor
	order   []string
	used    map[string]bool
	missing []string
	other   []string // of another shape
	values  map[*Parameter][]float32
}

func newLoading(f *safetensors.File) *loading {
	l := &loading{file: map[string]*safetensors.Tensor{}, used: map[string]bool{}, values: map[*Parameter][]float32{}}
	for i := range f.Tensors {
		t := &f.Tensors[i]
		if strings.HasPrefix(t.Name, besideWeights) {
			continue
		}
		l.file[t.Name] = t
		l.order = append(l.order, t.Name)
	}
	return l
}

// besideWeights begins the names of what [Model.Save] writes beside parameters, whose names begin with a layer's.
const besideWeights = "/"

// own reads what this package has written.
func (l *loading) own(m *Model) error {
	for _, p := range m.kept() {
		if x, err := l.take(m.nameOf(p), p.leaf.shape...); err != nil {
			return err
		} else if x != nil {
			l.values[p] = x.data
		}
	}
	return nil
}

// take returns a tensor of the file, and notes and returns nil when there is none of that shape.
func (l *loading) take(name string, shape ...int) (*Tensor, error) {
	t := l.file[name]
	if t == nil {
		l.missing = append(l.missing, fmt.Sprintf("%s %s", name, shapeText(shape)))
		return nil, nil
	}
	l.used[name] = true
	if !slices.Equal(t.Shape, shape) {
		l.other = append(l.other, fmt.Sprintf("%s is %s and should be %s", name, shapeText(t.Shape), shapeText(shape)))
		return nil, nil
	}
	data, err := t.Float32()
	if err != nil {
		return nil, err
	}
	return &Tensor{shape: shape, data: data}, nil
}

// misfit tells what of model and file did not find each other.
func (l *loading) misfit() error {
	var left []string
	for _, name := range l.order {
		if !l.used[name] {
			left = append(left, name)
		}
	}
	var parts []string
	for _, p := range []struct {
		what string
		list []string
	}{{"it lacks ", l.missing}, {"it has of another shape ", l.other}, {"the model has no ", left}} {
		if len(p.list) > 0 {
			parts = append(parts, p.what+several(p.list))
		}
	}
	if parts == nil {
		return nil
	}
	text := strings.Join(parts, "; ")
	if len(l.missing) > 0 && slices.ContainsFunc(left, func(name string) bool { return strings.HasSuffix(name, ".weight") }) {
		text += ": these look like PyTorch's names, for which there is nnkit.FromPyTorch"
	}
	return errors.New(text)
}

// several lists things, not too many.
func several(list []string) string {
	const most = 6
	if len(list) > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}

func (l *loading) apply() {
	for p, values := range l.values {
		copy(p.leaf.data, values)
		p.drawn = true
	}
}
