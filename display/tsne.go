package display

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mostVectors is how many vectors a t-SNE places: more take minutes, and their marks hide each other.
const mostVectors = 5000

// usualPerplexity is the perplexity where no option sets one.
const usualPerplexity = 30

// TSNE draws vectors, a row for each example, in the colours of their labels, which may be nil, so that vectors that are neighbours of each
// other lie close (t-distributed stochastic neighbour embedding, van der Maaten and Hinton, 2008). Groups show better than in an
// [Embedding], but their sizes and the distances between them say little. [Perplexity] sets how many neighbours count.
//
// The same vectors give the same picture on a machine. 2,000 vectors take a few seconds; of more than 5,000 it draws as many, at even distances.
func TSNE[T Float](vectors [][]T, labels []int, options ...Option) *Figure {
	v, problem := vectorsOf(vectors, labels)
	if problem != "" {
		return note(problem, options)
	}
	perplexity := resolve(0, 0, options).perplexity
	if perplexity == 0 {
		perplexity = usualPerplexity
	}
	if !(perplexity >= 1) || math.IsInf(perplexity, 1) {
		return note(fmt.Sprintf("nothing to draw: the perplexity is %g; it must be a number from 1 up, about how many neighbours of a vector count", perplexity), options)
	}
	all := len(v.rows)
	if all > mostVectors {
		v.thin(mostVectors)
	}
	n := len(v.rows)
	if n < 4 || v.width < 2 {
		return note(fmt.Sprintf("nothing to draw: %s of %s that are numbers; a t-SNE needs four vectors of two values at least",
			count(n, "vector"), count(v.width, "value")), options)
	}
	start, ok := newPlane(v.rows)
	if !ok {
		return note("nothing to draw: all vectors are equal", options)
	}
	// A vector needs three times as many others as its perplexity.
	asked := perplexity
	perplexity = min(perplexity, math.Max(1, math.Floor(float64(n-1)/3)))
	t := newTSNE(v.rows, perplexity, start.at)
	t.settle()

	// The card is as high as the points want it to be, since a step to the right means the same as one upwards.
	wide, high := newSpan(), newSpan()
	for _, at := range t.at {
		wide.include(at[:1])
		high.include(at[1:])
	}
	shape := min(max((wide.hi-wide.lo)/(high.hi-high.lo), 1), 2.5)
	if !finite(shape) {
		shape = 2.5 // all on a line
	}
	f := v.figure(t.at, 480, 46+int(480/shape), options)
	p := f.panels[0]
	pl := p.plot
	pl.HideAxes() // its numbers have no unit
	half := math.Max(pl.X.Max-pl.X.Min, shape*(pl.Y.Max-pl.Y.Min)) / 2
	middle := (pl.X.Min + pl.X.Max) / 2
	pl.X.Min, pl.X.Max = middle-half, middle+half
	middle = (pl.Y.Min + pl.Y.Max) / 2
	pl.Y.Min, pl.Y.Max = middle-half/shape, middle+half/shape
	pl.Add(outline{draw.LineStyle{Color: f.theme.border, Width: vg.Length(0.75)}})
	p.shape = shape
	p.title = "t-SNE"
	p.caption = fmt.Sprintf("%s of %d values, perplexity %s, KL divergence %.2f", count(n, "vector"), v.width, short(perplexity), t.divergence())
	said := []string{p.warning}
	if perplexity < asked {
		said = append(said, fmt.Sprintf("a perplexity of %s is too much for %s", short(asked), count(n, "vector")))
	}
	if n < all {
		said = append(said, fmt.Sprintf("%d of %d vectors", n, all))
	}
	p.warning = joinNonEmpty(said)
	f.about = joinNonEmpty([]string{"t-SNE: " + p.caption, p.warning})
	return f
}

// Perplexity sets how many neighbours of a vector count in a [TSNE], about: 5 to 50 are usual, 30 where it is not set. More show the large
// groups, fewer the small ones.
func Perplexity(neighbours float64) Option {
	return option(func(s *settings) {
		s.perplexity = neighbours
		if neighbours == 0 {
			s.perplexity = -1 // is no number of neighbours either, and is not the default
		}
	})
}

// thin keeps n vectors at even distances.
func (v *cloud) thin(n int) {
	for i := range n {
		from := i * len(v.rows) / n
		v.rows[i] = v.rows[from]
		if v.labels != nil {
			v.labels[i] = v.labels[from]
		}
	}
	v.rows = v.rows[:n]
	if v.labels != nil {
		v.labels = v.labels[:n]
	}
}

// tsne moves points so that they are neighbours of each other as the vectors are. How much two vectors are neighbours, p, comes from a
// normal distribution around each that reaches as many others as the perplexity says; how much two points are, q, from Student's with one
// degree of freedom. The points go down the gradient of the Kullback-Leibler divergence of q from p. What attracts are the nearest
// neighbours, some hundred; what repels are all others, of which those that are far are taken together by a tree (Barnes and Hut's, as
// van der Maaten, 2014, uses it), so that a step costs n log n. The start is that of the principal components, which keeps the large
// groups in their places (Kobak and Berens, 2019), and the length of the steps follows n (Belkina et al., 2019).
type tsne struct {
	near  [][]neighbour // of each vector, by their numbers; both ways
	at    [][2]float64
	tree  quadtree
	pull  [][2]float64 // the gradient
	total []float64    // of what q is a share of, for each point
}

// neighbour is a vector near another, and p of the two.
type neighbour struct {
	of int
	p  float64
}

func newTSNE(rows [][]float64, perplexity float64, start [][2]float64) *tsne {
	n := len(rows)
	t := &tsne{
		near: make([][]neighbour, n), at: make([][2]float64, n), pull: make([][2]float64, n), total: make([]float64, n),
	}
	nearest := make([][]neighbour, n)
	k := min(int(3*perplexity), n-1)
	split(n, func(from, to int) {
		all := make([]neighbour, n)
		for i := from; i < to; i++ {
			nearest[i] = conditional(rows, i, k, perplexity, all)
		}
	})
	for i, of := range nearest {
		for _, o := range of {
			p := o.p / float64(2*n)
			t.near[i] = append(t.near[i], neighbour{o.of, p})
			t.near[o.of] = append(t.near[o.of], neighbour{i, p})
		}
	}
	for i, of := range t.near { // those that are near both ways stand there twice
		slices.SortStableFunc(of, func(a, b neighbour) int { return a.of - b.of })
		kept := of[:0]
		for _, o := range of {
			if last := len(kept) - 1; last >= 0 && kept[last].of == o.of {
				kept[last].p += o.p
				continue
			}
			kept = append(kept, o)
		}
		t.near[i] = kept
	}
	spread := 0.0
	for _, p := range start {
		spread += p[0] * p[0] / float64(n)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for i, p := range start {
		for c := range 2 { // a little noise, so that equal vectors come apart
			t.at[i][c] = 1e-4*p[c]/math.Sqrt(spread) + 1e-6*r.NormFloat64()
		}
	}
	return t
}

// split calls f for even parts of 0 to n at once.
func split(n int, f func(from, to int)) {
	parts := min(runtime.GOMAXPROCS(0), n)
	var all sync.WaitGroup
	for part := range parts {
		all.Go(func() { f(part*n/parts, (part+1)*n/parts) })
	}
	all.Wait()
}

// conditional returns the k nearest neighbours of row i, with the shares that a normal distribution around it gives them whose entropy is
// the logarithm of the perplexity.
func conditional(rows [][]float64, i, k int, perplexity float64, all []neighbour) []neighbour {
	all = all[:0]
	for j, row := range rows {
		if j != i {
			all = append(all, neighbour{j, distance(rows[i], row)})
		}
	}
	slices.SortFunc(all, func(a, b neighbour) int {
		switch {
		case a.p < b.p:
			return -1
		case a.p > b.p:
			return 1
		default:
			return a.of - b.of
		}
	})
	near := slices.Clone(all[:k])
	nearest := near[0].p
	distances := make([]float64, k)
	mean := 0.0
	for j, o := range near {
		distances[j] = o.p - nearest
		mean += distances[j] / float64(k)
	}
	if mean == 0 { // all as near
		mean = 1
	}
	lo, hi, precision := 0.0, math.Inf(1), 1/mean
	for range 100 {
		sum, moment := 0.0, 0.0
		for j, d := range distances {
			near[j].p = math.Exp(-d * precision)
			sum += near[j].p
			moment += d * near[j].p
		}
		entropy := math.Log(sum) + precision*moment/sum
		for j := range near {
			near[j].p /= sum
		}
		off := entropy - math.Log(perplexity)
		if math.Abs(off) < 1e-5 {
			break
		}
		if off > 0 {
			lo = precision
		} else {
			hi = precision
		}
		if math.IsInf(hi, 1) {
			precision *= 2
		} else {
			precision = (lo + hi) / 2
		}
	}
	return near
}

// distance is the square of the Euclidean one. Four sums, since one would wait for itself.
func distance(a, b []float64) float64 {
	var s [4]float64
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		d0, d1, d2, d3 := a[i]-b[i], a[i+1]-b[i+1], a[i+2]-b[i+2], a[i+3]-b[i+3]
		s[0] += d0 * d0
		s[1] += d1 * d1
		s[2] += d2 * d2
		s[3] += d3 * d3
	}
	for ; i < len(a); i++ {
		d := a[i] - b[i]
		s[0] += d * d
	}
	return s[0] + s[1] + s[2] + s[3]
}

// settle moves the points to their places: first for a while with stronger attraction, so that groups find together.
func (t *tsne) settle() {
	const steps, early, exaggeration = 750, 250, 12
	n := len(t.at)
	speed := math.Max(float64(n)/(4*exaggeration), 50)
	moved := make([][2]float64, n)
	gains := make([][2]float64, n)
	for i := range gains {
		gains[i] = [2]float64{1, 1}
	}
	for step := range steps {
		stronger, momentum := 1.0, 0.8
		if step < early {
			stronger, momentum = exaggeration, 0.5
		}
		t.gradient(stronger)
		for i := range t.at {
			for c := range 2 {
				g := t.pull[i][c]
				if g*moved[i][c] < 0 { // still the same way
					gains[i][c] += 0.2
				} else {
					gains[i][c] = math.Max(gains[i][c]*0.8, 0.01)
				}
				moved[i][c] = momentum*moved[i][c] - speed*gains[i][c]*g
				t.at[i][c] += moved[i][c]
			}
		}
	}
}

// gradient computes pull, with the attraction that much stronger.
func (t *tsne) gradient(stronger float64) {
	t.tree.build(t.at)
	split(len(t.at), func(from, to int) {
		for i := from; i < to; i++ {
			t.pull[i], t.total[i] = t.tree.repulsion(t.at[i])
		}
	})
	all := 0.0
	for _, z := range t.total {
		all += z
	}
	split(len(t.at), func(from, to int) {
		for i := from; i < to; i++ {
			var toward [2]float64
			at := t.at[i]
			for _, o := range t.near[i] {
				dx, dy := at[0]-t.at[o.of][0], at[1]-t.at[o.of][1]
				w := o.p / (1 + dx*dx + dy*dy)
				toward[0] += w * dx
				toward[1] += w * dy
			}
			for c := range 2 {
				t.pull[i][c] = 4 * (stronger*toward[c] - t.pull[i][c]/all)
			}
		}
	})
}

// divergence is Kullback and Leibler's of q from p: 0 where points are neighbours just as the vectors are.
func (t *tsne) divergence() float64 {
	t.gradient(1)
	all := 0.0
	for _, z := range t.total {
		all += z
	}
	sum := 0.0
	for i, of := range t.near {
		for _, o := range of {
			if o.p > 0 {
				sum += o.p * math.Log(o.p*(1+distance(t.at[i][:], t.at[o.of][:]))*all)
			}
		}
	}
	return sum
}

// quadtree holds points in squares, each cut into four until it holds one point.
type quadtree struct{ squares []quadrant }

// quadrant is a square with its points' mean and number.
type quadrant struct {
	mean  [2]float64
	mass  float64
	mid   [2]float64
	half  float64
	child [4]int32 // 0 for none: the root is no child
	leaf  bool
}

// deepest bounds a tree in which points coincide.
const deepest = 48

func (q *quadtree) build(points [][2]float64) {
	x, y := newSpan(), newSpan()
	for i := range points {
		x.include(points[i][:1])
		y.include(points[i][1:])
	}
	half := math.Max(x.hi-x.lo, y.hi-y.lo)/2 + 1e-12
	q.squares = append(q.squares[:0], quadrant{mid: [2]float64{(x.lo + x.hi) / 2, (y.lo + y.hi) / 2}, half: half})
	for _, p := range points {
		q.insert(p)
	}
	for i := range q.squares {
		s := &q.squares[i]
		s.mean[0] /= s.mass
		s.mean[1] /= s.mass
	}
}

// insert adds a point; means are sums as yet.
func (q *quadtree) insert(p [2]float64) {
	at := int32(0)
	for depth := 0; ; depth++ {
		s := &q.squares[at]
		if s.leaf && depth < deepest { // its point moves one square down
			s.leaf = false
			q.descend(at, s.mean, s.mass)
			s = &q.squares[at]
		} else if s.mass == 0 {
			s.leaf = true
		}
		s.mean[0] += p[0]
		s.mean[1] += p[1]
		s.mass++
		if s.leaf {
			return
		}
		at = q.childAt(at, p)
	}
}

// descend makes the leaf below a square that holds what the square held.
func (q *quadtree) descend(at int32, sum [2]float64, mass float64) {
	s := &q.squares[q.childAt(at, [2]float64{sum[0] / mass, sum[1] / mass})]
	s.mean, s.mass, s.leaf = sum, mass, true
}

// childAt returns the square below another in which a point lies, and makes it where there is none.
func (q *quadtree) childAt(at int32, p [2]float64) int32 {
	s := &q.squares[at]
	quarter, half := 0, s.half/2
	mid := [2]float64{s.mid[0] - half, s.mid[1] - half}
	for c := range 2 {
		if p[c] >= s.mid[c] {
			quarter |= 1 << c
			mid[c] = s.mid[c] + half
		}
	}
	if s.child[quarter] == 0 {
		s.child[quarter] = int32(len(q.squares))
		q.squares = append(q.squares, quadrant{mid: mid, half: half})
		return int32(len(q.squares) - 1)
	}
	return s.child[quarter]
}

// repulsion returns the sum of w² times the way from all other points, and of w, Student's weight 1 / (1 + distance²). A square of which the
// width is below half its distance counts as one point.
func (q *quadtree) repulsion(p [2]float64) (force [2]float64, total float64) {
	const angle = 0.5
	var waiting [4 * deepest]int32
	top := 1
	for top > 0 {
		top--
		s := &q.squares[waiting[top]]
		dx, dy := p[0]-s.mean[0], p[1]-s.mean[1]
		d := dx*dx + dy*dy
		if s.leaf || 4*s.half*s.half < angle*angle*d {
			mass := s.mass
			if d == 0 {
				mass-- // the point itself
			}
			w := 1 / (1 + d)
			total += mass * w
			force[0] += mass * w * w * dx
			force[1] += mass * w * w * dy
			continue
		}
		for _, child := range s.child {
			if child != 0 {
				waiting[top] = child
				top++
			}
		}
	}
	return force, total
}

// outline is a hairline around the data, where there are no axes.
type outline struct{ draw.LineStyle }

// Plot draws the line, as plot.Plotter wants it.
func (o outline) Plot(c draw.Canvas, _ *plot.Plot) {
	c.SetLineStyle(o.LineStyle)
	c.Stroke(vg.Rectangle{Min: c.Min, Max: c.Max}.Path())
}
