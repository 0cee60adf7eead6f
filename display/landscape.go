package display

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"

	"github.com/seed5607215b/nnkit/nnkit"
)

// WeightTrail is what [Trail] returns, for the arguments of Fit.
type WeightTrail struct {
	nnkit.BaseCallback
	name  string
	model *nnkit.Model
	kept  [][]float32
	every int // batches between those that are kept
	batch int
	last  int // the batch of the last that is kept
}

var (
	_ nnkit.Callback  = (*WeightTrail)(nil)
	_ nnkit.FitOption = (*WeightTrail)(nil)
)

// Trail keeps the weights on the way that training takes, for a picture of the way over the loss, [Landscape]. The name is for the picture's
// key, and may be empty.
//
//	trail := display.Trail("Adam")
//	history, err := model.Fit(x, y, trail)
//	trail.Landscape(x, y)
//
// It keeps the weights as they were before the first batch, after the last, and in between 62 times at most, which for a network of 100,000
// weights takes 26 MB. A second Fit goes on where the first ended; another model, or one with new weights, wants a trail of its own.
func Trail(name string) *WeightTrail { return &WeightTrail{name: name, every: 1} }

// A trail is thinned when it has so many places, or takes so much memory.
const (
	mostPlaces  = 64
	mostWeights = 32 << 20
)

// TrainBegin keeps the weights of the start.
func (w *WeightTrail) TrainBegin(t *nnkit.Training) {
	if w.model != t.Model {
		*w = WeightTrail{name: w.name, every: 1, model: t.Model}
	}
	if len(w.kept) == 0 {
		w.keep()
	}
}

// BatchEnd keeps the weights when it is their turn.
func (w *WeightTrail) BatchEnd(*nnkit.Training) {
	w.batch++
	if w.batch-w.last < w.every {
		return
	}
	w.keep()
	if n := len(w.kept); n >= mostPlaces || n > 4 && n*len(w.kept[0]) >= mostWeights {
		for i := range (n + 1) / 2 {
			w.kept[i] = w.kept[2*i]
		}
		clear(w.kept[(n+1)/2:]) // so that they are collected
		w.kept = w.kept[:(n+1)/2]
		if n%2 == 0 {
			w.last -= w.every
		}
		w.every *= 2
	}
}

// TrainEnd keeps the weights of the end.
func (w *WeightTrail) TrainEnd(*nnkit.Training) {
	if w.batch != w.last {
		w.keep()
	}
}

func (w *WeightTrail) keep() {
	w.kept = append(w.kept, weightsOf(w.model))
	w.last = w.batch
}

// weightsOf copies all weights of a model, one parameter after the other.
func weightsOf(model *nnkit.Model) []float32 {
	var all []float32
	for _, p := range model.Parameters() {
		all = append(all, p.Data()...)
	}
	return all
}

// Landscape draws the loss around the trail of this model, as the function [Landscape] does.
func (w *WeightTrail) Landscape(x, y any, options ...Option) *Figure {
	return Landscape(w.model, x, y, []*WeightTrail{w}, options...)
}

// Landscape draws the loss of a model for rows x and their truth y over a plane through its weights (H. Li et al., Visualizing the loss landscape
// of neural nets, 2018). With trails it is the plane in which they are spread most, through their ends: their first two principal
// components, and the axes say which share of the way lies along them; trails of several optimizers begin best at the same weights. Without
// trails it lies along two random directions around the weights as they are, each filter or unit of them as long as the weights of
// that filter or unit, so that pictures of different networks can be compared; one step is once that length.
//
// The loss is computed at a thousand places, so give it some hundred rows: with 500 rows a network of 670,000 weights takes 20 s. The weights are changed for that and then put back: do not
// train the model at the same time. Statistics that layers keep, as [nnkit.BatchNormalization] does, stay as they are.
func Landscape(model *nnkit.Model, x, y any, trails []*WeightTrail, options ...Option) *Figure {
	if model == nil || len(model.Parameters()) == 0 {
		return note("the model has no weights yet: the first Fit, Predict or Evaluate makes them", options)
	}
	before := weightsOf(model)
	for i, t := range trails {
		switch {
		case t == nil || len(t.kept) == 0:
			return note(fmt.Sprintf("nothing to draw: trail %d is empty; give it to Fit first", i), options)
		case len(t.kept[0]) != len(before):
			return note(fmt.Sprintf("nothing to draw: trail %d is of a model with %s weights, this one has %s",
				i, grouped(len(t.kept[0])), grouped(len(before))), options)
		}
	}
	cut, paths := throughTrails(trails), []Path(nil)
	labels := [2]string{"first random direction", "second random direction"}
	if len(trails) == 0 {
		cut = randomCut(model, before)
		paths = []Path{{Points: [][2]float64{{0, 0}}}}
	} else {
		if cut == nil {
			return note("nothing to draw: the weights were the same all along the way", options)
		}
		for _, t := range trails {
			p := Path{Name: t.name}
			for _, weights := range t.kept {
				p.Points = append(p.Points, cut.place(weights))
			}
			paths = append(paths, p)
		}
		labels = [2]string{
			fmt.Sprintf("first component of the way (%.1f %%)", 100*cut.shares[0]), fmt.Sprintf("second component (%.1f %%)", 100*cut.shares[1]),
		}
	}
	region := resolve(0, 0, options).region
	if region == nil && len(trails) == 0 {
		region = &[2]span{{-1, 1}, {-1, 1}}
	}
	across, up, problem := pathRegion(func(_, _ float64) float64 { return 0 }, paths, region)
	if problem != "" {
		return note(problem, options)
	}
	const columns, rows = 35, 29
	g := newGridded(across, up, columns, rows)
	if err := cut.losses(g, model, x, y, before); err != nil {
		return note("nothing to draw: "+err.Error(), options)
	}
	f := surfaceFigure("loss landscape", g, paths, options)
	if len(f.panels) == 0 { // it says what is wrong
		return f
	}
	p := f.panels[0]
	p.plot.X.Label.Text, p.plot.Y.Label.Text = labels[0], labels[1]
	if len(trails) == 0 {
		p.caption += "; ○ the weights as they are"
	}
	return f
}

// cut is a plane through a model's weights.
type cut struct {
	origin []float32
	axes   [2][]float64
	shares [2]float64 // of the variance of a trail
}

// throughTrails is the plane in which trails are spread most, through the middle of their ends. It is nil where there is none.
func throughTrails(trails []*WeightTrail) *cut {
	var all [][]float64
	for _, t := range trails {
		all = append(all, wide(t.kept)...)
	}
	if len(all) == 0 {
		return nil
	}
	p, ok := newPlane(all)
	if !ok {
		return nil
	}
	c := &cut{origin: make([]float32, len(all[0])), axes: p.axes, shares: p.shares}
	for i := range c.origin {
		sum := 0.0
		for _, t := range trails {
			sum += float64(t.kept[len(t.kept)-1][i])
		}
		c.origin[i] = float32(sum / float64(len(trails)))
	}
	return c
}

// randomCut is a plane along random directions that have the length of the weights in each column of a kernel, a unit's or a filter's. Vectors,
// biases among them, stay as they are.
func randomCut(model *nnkit.Model, weights []float32) *cut {
	c := &cut{origin: weights}
	r := rand.New(rand.NewPCG(2018, 1))
	for a := range c.axes {
		axis := make([]float64, 0, len(weights))
		for _, p := range model.Parameters() {
			shape := p.Shape()
			d := make([]float64, p.Len())
			if len(shape) > 1 {
				columns := shape[len(shape)-1]
				length, want := make([]float64, columns), make([]float64, columns)
				for i, v := range p.Data() {
					d[i] = r.NormFloat64()
					length[i%columns] += d[i] * d[i]
					want[i%columns] += float64(v) * float64(v)
				}
				for i := range d {
					d[i] *= math.Sqrt(want[i%columns] / length[i%columns])
				}
			}
			axis = append(axis, d...)
		}
		c.axes[a] = axis
	}
	return c
}

// place is where the nearest point of the plane to some weights lies.
func (c *cut) place(weights []float32) (at [2]float64) {
	for i, v := range weights {
		d := float64(v) - float64(c.origin[i])
		at[0] += d * c.axes[0][i]
		at[1] += d * c.axes[1][i]
	}
	return at
}

// losses fills a grid with the losses of the model at its places, and leaves the model with the weights of before.
func (c *cut) losses(g *gridded, model *nnkit.Model, x, y any, before []float32) error {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt)
	defer release()
	defer setWeights(model, before)
	at := make([]float32, len(c.origin))
	for j, row := range g.values {
		for i := range row {
			if ctx.Err() != nil {
				return nnkit.ErrInterrupted
			}
			a, b := g.node(i, j)
			for k, v := range c.origin {
				at[k] = v + float32(a*c.axes[0][k]+b*c.axes[1][k])
			}
			setWeights(model, at)
			scores, err := model.Evaluate(x, y)
			if err != nil {
				return err
			}
			row[i] = scores.Value("loss")
		}
	}
	return nil
}

func setWeights(model *nnkit.Model, weights []float32) {
	for _, p := range model.Parameters() {
		weights = weights[copy(p.Data(), weights):]
	}
}
