package display

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

// walked trains the example for some epochs of 24 batches each, under a trail.
func walked(t *testing.T, epochs int) (*nnkit.Model, *data.Dataset, *WeightTrail, [][]float32) {
	t.Helper()
	clinic := data.Clinic(1)
	scale, err := data.Standardize(clinic.X)
	if err != nil {
		t.Fatal(err)
	}
	if clinic.X, err = scale.Apply(clinic.X); err != nil {
		t.Fatal(err)
	}
	m := exampleModel()
	if err := m.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	trail := Trail("Adam")
	all := [][]float32{weightsOf(m)}
	every := nnkit.OnBatchEnd(func(t *nnkit.Training) { all = append(all, weightsOf(t.Model)) })
	if _, err := m.Fit(clinic.X, clinic.Y, nnkit.Epochs(epochs), nnkit.Verbose(0), trail, every); err != nil {
		t.Fatal(err)
	}
	return m, clinic, trail, all
}

// A trail keeps the start, the end, and places at even distances between them.
func TestTrail(t *testing.T) {
	for _, epochs := range []int{1, 2, 3, 7, 11} {
		_, _, trail, all := walked(t, epochs)
		at, every := 0, 0
		for i, weights := range trail.kept {
			was := at
			for at < len(all) && !slices.Equal(all[at], weights) {
				at++
			}
			if at == len(all) {
				t.Fatalf("%d epochs: place %d of the trail is none of the run, or not in order", epochs, i)
			}
			switch {
			case i == 0 && at != 0:
				t.Errorf("%d epochs: the trail begins at batch %d", epochs, at)
			case i == 1:
				every = at
			case i > 1 && i < len(trail.kept)-1 && at-was != every:
				t.Errorf("%d epochs: place %d is %d batches after the one before, the others are %d", epochs, i, at-was, every)
			}
		}
		if n := len(trail.kept); at != len(all)-1 || n > mostPlaces || n < min(len(all), mostPlaces/2) {
			t.Errorf("%d epochs: %d places, the last at batch %d of %d", epochs, n, at, len(all)-1)
		}
	}
}

func TestLandscape(t *testing.T) {
	m, clinic, trail, _ := walked(t, 5)
	scores, err := m.Evaluate(clinic.X, clinic.Y)
	if err != nil {
		t.Fatal(err)
	}
	before := weightsOf(m)
	c := throughTrails([]*WeightTrail{trail})
	g := newGridded(span{-1, 1}, span{-1, 1}, 3, 3)
	if err := c.losses(g, m, clinic.X, clinic.Y, before); err != nil {
		t.Fatal(err)
	}
	if got, want := g.values[1][1], scores.Value("loss"); got != want {
		t.Errorf("at the end of the trail the loss is %v, want %v", got, want)
	}
	if at := c.place(trail.kept[len(trail.kept)-1]); at != [2]float64{} {
		t.Errorf("the end of the trail lies at %v", at)
	}
	for _, f := range []*Figure{trail.Landscape(clinic.X, clinic.Y), Landscape(m, clinic.X, clinic.Y, nil)} {
		if !strings.Contains(f.String(), "loss landscape from ") {
			t.Errorf("says %q", f)
		}
		checkSVG(t, f.SVG())
		if !slices.Equal(before, weightsOf(m)) {
			t.Fatal("the model has other weights than before")
		}
	}

	// Each unit's random direction is as long as its weights; biases stay.
	r := randomCut(m, before)
	from := 0
	for _, p := range m.Parameters() {
		d := r.axes[1][from:][:p.Len()]
		from += p.Len()
		shape := p.Shape()
		if len(shape) == 1 {
			if slices.ContainsFunc(d, func(v float64) bool { return v != 0 }) {
				t.Errorf("%s is moved", p.Name())
			}
			continue
		}
		for unit := range shape[1] {
			var got, want float64
			for i := unit; i < p.Len(); i += shape[1] {
				got += d[i] * d[i]
				want += math.Pow(float64(p.Data()[i]), 2)
			}
			if math.Abs(got-want) > 1e-9*want {
				t.Errorf("unit %d of %s moves by %g, its weights are %g long", unit, p.Name(), math.Sqrt(got), math.Sqrt(want))
			}
		}
	}

	other := nnkit.Sequential(nnkit.Input(2), nnkit.Dense(1))
	for want, f := range map[string]*Figure{
		"the model has no weights yet": Landscape(nil, nil, nil, nil),
		"trail 0 is empty":             Landscape(m, clinic.X, clinic.Y, []*WeightTrail{Trail("")}),
		"no weights yet":               Trail("").Landscape(clinic.X, clinic.Y),
		"trail 0 is of a model with 187 weights, this one has 3": Landscape(other, clinic.X, clinic.Y, []*WeightTrail{trail}),
		"the model is not compiled":                              Landscape(other, clinic.X, clinic.Y, nil),
		"nothing to draw: Evaluate: x":                           Landscape(m, [][]float64{{1, 2}}, []float64{1}, nil),
	} {
		if !strings.Contains(f.String(), want) {
			t.Errorf("says %q, want %q", f, want)
		}
		checkSVG(t, f.SVG())
	}
}

// The way of a training over the loss.
func ExampleTrail() {
	moons, err := data.Moons(200, 0.1, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	model := nnkit.Sequential(nnkit.Dense(8, nnkit.Tanh), nnkit.Dense(1, nnkit.Sigmoid))
	if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy); err != nil {
		fmt.Println(err)
		return
	}
	trail := Trail("Adam")
	if _, err := model.Fit(moons.X, moons.Y, nnkit.Epochs(20), nnkit.Verbose(0), trail); err != nil {
		fmt.Println(err)
		return
	}
	figure := trail.Landscape(moons.X, moons.Y)
	fmt.Println(strings.Fields(figure.String())[:3])
	// Output: [loss landscape from]
}
