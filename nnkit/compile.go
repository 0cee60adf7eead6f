package nnkit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Objective is what [Model.Compile] makes small: a [Loss], or [Losses] for a model of several outputs.
type Objective interface{ objective() }

// Losses are the losses of a model's outputs, by their names:
//
//	nnkit.Losses{"price": nnkit.LossWeight(nnkit.MeanSquaredError, 0.2), "kind": nnkit.SparseCategoricalCrossEntropy}
//
// Training makes their sum small. Every output must have one.
type Losses map[string]Loss

func (Losses) objective() {}

// LossWeight multiplies a loss by a weight of at least 0 in the sum that training makes small, and in its gradient. A history has it
// unweighted under its own name, as in Keras.
func LossWeight(loss Loss, weight float64) Loss { return weightedLoss{loss, weight} }

type weightedLoss struct {
	Loss
	weight float64
}

func (l weightedLoss) suits(o output) error {
	switch {
	case l.Loss == nil:
		return fmt.Errorf("LossWeight(nil, %v): the loss is missing", l.weight)
	case !isWeight(l.weight):
		return fmt.Errorf("LossWeight(%s, %v): a weight is a number of at least 0", l.Loss, l.weight)
	}
	return l.Loss.suits(o)
}

func (l weightedLoss) source() (string, error) {
	text, err := sourceOf(l.Loss)
	return fmt.Sprintf("LossWeight(%s, %v)", text, l.weight), err
}

// For makes a metric one of an output alone, by its name, in a model of several outputs: For("kind", nnkit.Accuracy). Without it a metric
// is one of every output.
func For(output string, metric Metric) Metric { return outputMetric{metric, output} }

type outputMetric struct {
	Metric
	output string
}

func (m outputMetric) source() (string, error) {
	text, err := sourceOf(m.Metric)
	return fmt.Sprintf("For(%q, %s)", m.output, text), err
}

// target is what is to be made of an output.
type target struct {
	output  string // its name; "" for the only one
	loss    Loss
	weight  float64
	metrics []Metric
}

// score is the name of one of the target's numbers, "loss" or "accuracy", in a History.
func (t *target) score(name string) string {
	if t.output == "" {
		return name
	}
	return t.output + "_" + name
}

// compilation is what Compile was given.
type compilation struct {
	optimizer Optimizer
	loss      Objective
	metrics   []Metric
}

// Compile says how the model is trained: by which optimizer, to make which loss small, and which metrics are told
// besides. For several outputs there are [Losses], or a loss that is each one's, and metrics are [For] one or for all. It may be
// called again, to go on with another optimizer for example: weights stay, what the optimizer remembered is forgotten.
//
// It is an error when a layer was wrong, when something is missing, when an optimizer's setting is out of bounds and
// when the loss cannot judge what the last layer puts out.
func (m *Model) Compile(optimizer Optimizer, loss Objective, metrics ...Metric) error {
	if err := m.problem("Compile"); err != nil {
		return err
	}
	m.targets = nil // a model that failed to compile is not compiled
	if optimizer == nil {
		return fmt.Errorf("Compile: the optimizer is missing: write nnkit.Adam() for example")
	}
	if err := optimizer.check(); err != nil {
		return fmt.Errorf("Compile: %w", err)
	}
	targets, err := m.aim(loss)
	if err != nil {
		return fmt.Errorf("Compile: %w", err)
	}
	for i, metric := range metrics {
		if metric == nil {
			return fmt.Errorf("Compile: metric %d is nil", i+1)
		}
		if err := m.measureBy(targets, metric); err != nil {
			return fmt.Errorf("Compile: metric %d: %w", i+1, err)
		}
	}
	seen := map[string]bool{"loss": true}
	for _, name := range scoreNames(targets)[1:] {
		if seen[name] {
			return fmt.Errorf("Compile: the metric %s is given twice: leave one out, or give it another name by nnkit.Name", name)
		}
		seen[name] = true
	}
	m.compiled = compilation{optimizer, loss, slices.Clone(metrics)}
	m.targets, m.step = targets, nil
	return nil
}

// aim gives each output its loss.
func (m *Model) aim(objective Objective) ([]target, error) {
	if objective == nil {
		return nil, errors.New("the loss is missing: write nnkit.BinaryCrossEntropy for yes or no, " +
			"nnkit.SparseCategoricalCrossEntropy for classes, nnkit.MeanSquaredError for numbers")
	}
	names := m.outputNames()
	losses, each := objective.(Losses)
	for _, name := range slices.Sorted(maps.Keys(losses)) {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("Losses: there is no output %q: the model has %s", name, quoted(names))
		}
	}
	targets := make([]target, len(names))
	for i, name := range names {
		t := &targets[i]
		t.weight = 1
		if len(names) > 1 {
			t.output = name
		}
		if each {
			if t.loss = losses[name]; t.loss == nil {
				return nil, fmt.Errorf("Losses: the output %q has no loss: give it one, nnkit.MeanSquaredError for example", name)
			}
		} else {
			t.loss = objective.(Loss)
		}
		if err := t.loss.suits(m.output(i)); err != nil {
			return nil, t.about(err)
		}
		for w, ok := t.loss.(weightedLoss); ok; w, ok = t.loss.(weightedLoss) {
			t.loss, t.weight = w.Loss, float64(t.weight*w.weight)
		}
	}
	return targets, nil
}

// measureBy gives a metric to the outputs that it is for.
func (m *Model) measureBy(targets []target, metric Metric) error {
	o, one := metric.(outputMetric)
	names := m.outputNames()
	switch {
	case one && o.Metric == nil:
		return fmt.Errorf("For(%q, nil): the metric is missing", o.output)
	case one && !slices.Contains(names, o.output):
		return fmt.Errorf("For(%q, %s): there is no such output: the model has %s", o.output, o.Metric, quoted(names))
	case one:
		metric = o.Metric
	}
	for i := range targets {
		if t := &targets[i]; !one || names[i] == o.output {
			if err := metric.suits(m.output(i)); err != nil {
				return t.about(err)
			}
			t.metrics = append(t.metrics, metric)
		}
	}
	return nil
}

// about tells of which output of several an error is.
func (t *target) about(err error) error {
	if t.output == "" {
		return err
	}
	return fmt.Errorf("output %q: %w", t.output, err)
}

// scoreNames are the names of loss and metrics in a History, as Keras has them: "loss", the losses of the outputs if there are
// several, and the metrics.
func scoreNames(targets []target) []string {
	list := []string{"loss"}
	for i := range targets {
		if t := &targets[i]; t.output != "" {
			list = append(list, t.score("loss"))
		}
	}
	for i := range targets {
		for _, metric := range targets[i].metrics {
			list = append(list, targets[i].score(metric.String()))
		}
	}
	return list
}

// isCompiled says whether the model can be trained.
func (m *Model) isCompiled(caller string) error {
	if err := m.problem(caller); err != nil {
		return err
	}
	switch {
	case m.layer.owner != nil && caller != "Evaluate":
		return fmt.Errorf("%s: the model is part of another one, as its layer %q: train that one", caller, m.layer.name)
	case m.targets == nil:
		return fmt.Errorf("%s: the model is not compiled: write model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, "+
			"nnkit.Accuracy) before, or another optimizer, loss and metrics", caller)
	}
	return nil
}

// output describes what an output puts out.
func (m *Model) output(i int) output {
	c := m.maker(m.outputs[i])
	l := c.layer.core()
	o := output{where: l.where(c.at), activation: l.activation, shape: l.output}
	if m.shapes != nil {
		o.shape = m.shapes[m.outputs[i]]
	}
	if o.shape != nil {
		o.width = 1
		if n := len(o.shape); n > 0 {
			o.width = o.shape[n-1]
		}
	}
	return o
}

func (c *compilation) source() (string, error) {
	var list []any
	list = append(list, c.optimizer, c.loss)
	for _, m := range c.metrics {
		list = append(list, m)
	}
	texts := make([]string, len(list))
	for i, v := range list {
		var err error
		if texts[i], err = sourceOf(v); err != nil {
			return "", err
		}
	}
	return "Compile(" + strings.Join(texts, ", ") + ")", nil
}

// source writes the losses as a call.
func (l Losses) source() (string, error) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(l)) {
		text, err := sourceOf(l[name])
		if err != nil {
			return "", fmt.Errorf("output %q: %w", name, err)
		}
		parts = append(parts, fmt.Sprintf("LossOf(%q, %s)", name, text))
	}
	return "Losses(" + strings.Join(parts, ", ") + ")", nil
}

// namedLoss is one of Losses in a file.
type namedLoss struct {
	output string
	loss   Loss
}

func lossesOf(list ...namedLoss) Losses {
	l := Losses{}
	for _, n := range list {
		l[n.output] = n.loss
	}
	return l
}
