package nnkit

import "fmt"

// TopKAccuracy is the share of places whose right class is among those of the k largest outputs: fewer than k outputs
// are larger than its own. It wants a loss of classes. Its name is Keras', "top_k_categorical_accuracy"; a second one
// wants a [Name].
func TopKAccuracy(k int, name ...NameOption) Metric {
	m := topK{k: k, name: "top_k_categorical_accuracy"}
	for _, o := range name {
		m.name = o.name
	}
	return m
}

type topK struct {
	k    int
	name string
}

func (m topK) String() string { return m.name }

func (m topK) source() string { return fmt.Sprintf("TopKAccuracy(%d, Name(%q))", m.k, m.name) }

func (m topK) larger() bool { return true }

func (m topK) suits(o output) error {
	switch {
	case m.k < 1:
		return fmt.Errorf("TopKAccuracy(%d): k must be at least 1", m.k)
	case o.width == 1:
		return fmt.Errorf("TopKAccuracy(%d) wants an output for each class, but %s has one: for yes or no use nnkit.Accuracy", m.k, o.where)
	case o.width > 0 && m.k >= o.width:
		return fmt.Errorf("TopKAccuracy(%d): %s has %d outputs, so that all answers would be right: k must be below %d",
			m.k, o.where, o.width, o.width)
	}
	return checkMetricName("TopKAccuracy", m.name)
}

func (m topK) checkTruth(name string, y *Tensor, o output) error {
	if !o.counting.classes() {
		return fmt.Errorf("TopKAccuracy(%d) wants a loss of classes, nnkit.SparseCategoricalCrossEntropy for example: for several "+
			"answers at once use nnkit.Accuracy", m.k)
	}
	return o.counting.check(name, y, o)
}

func (m topK) newMeter(int) meter { return &topKMeter{k: m.k} }

type topKMeter struct {
	k int
	accuracyMeter
}

func (m *topKMeter) add(j *judged) {
	for i := range j.count() {
		row := j.p[i*j.width:][:j.width]
		own, before := row[j.class(i)], 0
		for _, v := range row {
			if !(v <= own) { // NaN is not among the first
				before++
			}
		}
		if before < m.k {
			m.right++
		}
	}
	m.seen += j.count()
}
