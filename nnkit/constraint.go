package nnkit

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Constraint is what weights are made to keep after each step: [MaxNorm], [MinMaxNorm], [UnitNorm] or [NonNeg]. A norm is
// √Σw² over the weights into one unit, or of one filter, which for a convolution is what Keras does with axis=[0, 1, 2]; that
// of a bias is over all of it.
type Constraint interface {
	// String writes the constraint as a call.
	String() string

	check() error
	apply(p *Parameter)
}

// The constraints without a number.
var (
	// UnitNorm makes every norm 1.
	UnitNorm Constraint = normConstraint{"UnitNorm", 1, 1, 1}
	// NonNeg puts 0 in the place of negative weights.
	NonNeg Constraint = nonNegative{}
)

// MaxNorm makes norms at most so large. N. Srivastava and others, Dropout, JMLR 15, 2014.
func MaxNorm(most float64) Constraint {
	return normConstraint{fmt.Sprintf("MaxNorm(%v)", most), 0, most, 1}
}

// MinMaxNorm brings norms between two numbers: by the share rate of the way in each step, at once if it is 1.
func MinMaxNorm(least, most, rate float64) Constraint {
	return normConstraint{fmt.Sprintf("MinMaxNorm(%v, %v, %v)", least, most, rate), least, most, rate}
}

type normConstraint struct {
	text              string
	least, most, rate float64
}

func (c normConstraint) String() string { return c.text }

func (c normConstraint) check() error {
	if !(c.least >= 0 && c.most >= c.least && c.most > 0) || math.IsInf(c.most, 1) {
		return fmt.Errorf("%s: the norms must be above 0, and the largest not below the smallest", c)
	}
	if !(c.rate > 0 && c.rate <= 1) {
		return fmt.Errorf("%s: the rate must be above 0 and at most 1", c)
	}
	return nil
}

func (c normConstraint) apply(p *Parameter) {
	w, columns := p.leaf.data, p.columns()
	if len(p.scale) != columns {
		p.scale = make([]float64, columns)
	}
	clear(p.scale)
	for lo := 0; lo < len(w); lo += columns {
		for j, v := range w[lo : lo+columns] {
			p.scale[j] += float64(v) * float64(v)
		}
	}
	change := false
	for j, square := range p.scale {
		norm := math.Sqrt(square)
		wanted := float64(c.rate*min(max(norm, c.least), c.most)) + float64((1-c.rate)*norm)
		// Keras' ε keeps weights of 0 from being divided by 0.
		p.scale[j] = wanted / (1e-7 + norm)
		change = change || wanted != norm
		if wanted == norm {
			p.scale[j] = 1
		}
	}
	if !change {
		return
	}
	for lo := 0; lo < len(w); lo += columns {
		row := w[lo : lo+columns]
		for j, v := range row {
			row[j] = float32(float64(v) * p.scale[j])
		}
	}
}

type nonNegative struct{}

func (nonNegative) String() string { return "NonNeg" }

func (nonNegative) check() error { return nil }

func (nonNegative) apply(p *Parameter) {
	simd.Clip(p.leaf.data, p.leaf.data, 0, float32(math.Inf(1)))
}

// KernelConstraint constrains a layer's kernel: KernelConstraint(nnkit.MaxNorm(3)).
func KernelConstraint(c Constraint) LayerWeightOption {
	return LayerWeightOption{apply: func(s *layerSettings) error { return s.kernelRules.constrain("KernelConstraint", c) }}
}

// BiasConstraint constrains a layer's bias.
func BiasConstraint(c Constraint) LayerWeightOption {
	return LayerWeightOption{apply: func(s *layerSettings) error { return s.biasRules.constrain("BiasConstraint", c) }}
}

// RecurrentConstraint constrains the kernel by which a recurrent layer's state goes into the next.
func RecurrentConstraint(c Constraint) RecurrentWeightOption {
	return RecurrentWeightOption{apply: func(s *layerSettings) error { return s.recurrentRules.constrain("RecurrentConstraint", c) }}
}
