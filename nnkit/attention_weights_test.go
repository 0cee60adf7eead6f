package nnkit

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// waves are numbers of either sign.
func waves(shape ...int) *Tensor {
	x := zeros(shape)
	for i := range x.data {
		x.data[i] = float32(2 * math.Sin(float64(i*i)))
	}
	return x
}

// The weights are those of the layer: with them its values come to what it puts out.
func TestAttentionWeights(t *testing.T) {
	const rows, steps, features, heads, size = 3, 5, 6, 2, 3
	x := waves(rows, steps, features)
	for name, options := range map[string][]AttentionOption{"plain": nil, "causal": {Causal()}} {
		t.Run(name, func(t *testing.T) {
			m := Sequential(Input(steps, features), ActivationLayer(Tanh), MultiHeadAttention(heads, size, append(options, Name("look"))...))
			w, err := AttentionWeights(m, x, "look")
			if err != nil {
				t.Fatal(err)
			}
			p := m.Parameters()
			in := x.Tanh()
			all := in.Linear(p[0].Tensor(), p[1].Tensor())
			mixed := zeros([]int{rows, steps, heads * size})
			for r := range rows {
				for h := range heads {
					for q := range steps {
						sum := 0.0
						for k := range steps {
							weight := w.At(r, h, q, k)
							if name == "causal" && k > q && weight != 0 {
								t.Errorf("step %d sees step %d", q, k)
							}
							sum += float64(weight)
							for i := range size {
								mixed.data[(r*steps+q)*heads*size+h*size+i] += weight * all.At(r, k, 2*heads*size+h*size+i)
							}
						}
						if math.Abs(sum-1) > 1e-6 {
							t.Errorf("the weights of step %d add up to %v", q, sum)
						}
					}
				}
			}
			want, err := m.Predict(x)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range mixed.Linear(p[2].Tensor(), p[3].Tensor()).data {
				if math.Abs(float64(v-want.data[i])) > 1e-5 {
					t.Fatalf("number %d is %v by the weights, and the layer says %v", i, v, want.data[i])
				}
			}
		})
	}
}

// Nobody looks at what a mask leaves out.
func TestAttentionWeightsMasked(t *testing.T) {
	m := Sequential(Input(4), Embedding(9, 6, MaskZero()), MultiHeadAttention(2, 3, Name("look")))
	w, err := AttentionWeights(m, [][]int{{3, 5, 0, 0}, {1, 2, 3, 4}}, "look")
	if err != nil {
		t.Fatal(err)
	}
	for head := range 2 {
		for query := range 4 {
			if seen := w.At(0, head, query, 2) + w.At(0, head, query, 3); seen != 0 {
				t.Errorf("head %d of step %d looks at padding, with %v", head, query, seen)
			}
			if w.At(1, head, query, 3) == 0 {
				t.Errorf("head %d of step %d does not look at the last word", head, query)
			}
		}
	}
}

func TestAttentionWeightsOfEncoder(t *testing.T) {
	x := waves(2, 4, 6)
	m := Sequential(Input(4, 6), TransformerEncoder(3, 8), Dense(1, Name("last")))
	w, err := AttentionWeights(m, x, "transformer_encoder_1")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(w.Shape()); got != "[2 3 4 4]" {
		t.Errorf("the shape is %s", got)
	}
	if _, err := AttentionWeights(m, x, "last"); err == nil || !strings.Contains(err.Error(), `layer "last" is of the kind dense: name a layer of attention`) {
		t.Errorf("a dense layer: %v", err)
	}
	if _, err := AttentionWeights(m, x, "first"); err == nil || !strings.Contains(err.Error(), `no layer "first"`) {
		t.Errorf("no layer: %v", err)
	}
}
