package nnkit

import (
	"fmt"
	"strings"
)

// Freeze keeps training from changing some parameters, and saves the computation of their gradients. A name is that of a
// layer, "dense_1", or of a parameter, "dense_1/bias"; no name at all means every layer. It takes effect with the next epoch,
// so that a callback may freeze and [Model.Unfreeze] too.
//
// The width of the input must be known: by [Input], or from a Fit. It is an error when there is no such layer
// nor parameter.
func (m *Model) Freeze(names ...string) error { return m.setTrainable("Freeze", false, names) }

// Unfreeze lets training change parameters again, with names as for [Model.Freeze].
func (m *Model) Unfreeze(names ...string) error { return m.setTrainable("Unfreeze", true, names) }

func (m *Model) setTrainable(caller string, on bool, names []string) error {
	if err := m.problem(caller); err != nil {
		return err
	}
	if m.parameters == nil {
		return fmt.Errorf("%s: the model has no parameters yet: begin it with nnkit.Input, or call it after a Fit", caller)
	}
	for _, name := range names {
		if len(m.named(name)) == 0 {
			var known []string
			for _, l := range m.layers {
				known = append(known, l.core().name)
			}
			return fmt.Errorf("%s(%q): there is no such layer nor parameter: the layers are %s", caller, name, strings.Join(known, ", "))
		}
	}
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		for _, p := range m.named(name) {
			p.SetTrainable(on)
		}
	}
	return nil
}

// named returns a layer's parameters or the parameter of a name, and all for none.
func (m *Model) named(name string) (list []*Parameter) {
	for _, p := range m.parameters {
		if name == "" || p.name == name || strings.HasPrefix(p.name, name+"/") {
			list = append(list, p)
		}
	}
	return list
}

// TrainableOption is the result of [Trainable].
type TrainableOption struct {
	forAll
	on bool
}

// Trainable says whether training changes a layer's parameters; true by default. [Model.Freeze] does the same
// later. A [BatchNormalization] that is not trained uses its moving averages, and does not move them, as in Keras.
func Trainable(on bool) TrainableOption { return TrainableOption{on: on} }

func (o TrainableOption) set(s *layerSettings) { s.frozen = !o.on }
