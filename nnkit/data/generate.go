package data

import (
	"fmt"
	"math"
)

// generated makes n rows by a rule that draws the numbers of one row and returns its truth. The truth of row i is
// mostly i modulo the number of classes, so that all classes have as many rows.
func generated(call string, d *Dataset, n int, noise float64, seed int, row func(i int, r *draws) (x []float64, y float64)) (*Dataset, error) {
	if err := checkRows(call, n, len(d.Features)); err != nil {
		return nil, err
	}
	if !(noise >= 0) || math.IsInf(noise, 0) {
		return nil, fmt.Errorf("%s: the noise is %v, and must be a standard deviation of 0 or more", call, noise)
	}
	for i := range n {
		x, y := row(i, rowDraws(seed, i))
		d.X, d.Y = append(d.X, x), append(d.Y, y)
	}
	return d, nil
}

// checkRows lets pass what a machine may hold: to run out of memory would end the process.
func checkRows(call string, n, width int) error {
	const most = 1 << 34 // numbers
	if n < 1 || n > most/width || n > math.MaxInt32/2 {
		return fmt.Errorf("%s: %d rows: there must be at least 1, and at most %d", call, n, min(most/width, math.MaxInt32/2))
	}
	return nil
}

// plane is a set of points that have one of some classes.
func plane(name string, classes ...string) *Dataset {
	return &Dataset{
		Name:     name,
		Features: []Feature{{Name: "x"}, {Name: "y"}},
		Target:   Feature{Name: "class", Classes: classes},
	}
}

// Moons draws n points of two half circles that reach into each other, with noise of the given standard deviation added
// to both coordinates: scikit-learn's make_moons, but that the points lie on their arcs at random. 0.1 is little noise,
// with 0.3 the moons touch.
func Moons(n int, noise float64, seed int) (*Dataset, error) {
	return generated("Moons", plane("Moons", "upper", "lower"), n, noise, seed, func(i int, r *draws) ([]float64, float64) {
		t := r.uniform(0, 0.5)
		x, y := cosine(t), sine(t)
		if i%2 == 1 {
			x, y = 1-x, 0.5-y
		}
		return []float64{x + r.normal(noise), y + r.normal(noise)}, float64(i % 2)
	})
}

// Circles draws n points of a circle of radius 1 and one of half that radius within it, with noise of the given standard
// deviation, as scikit-learn's make_circles does with a factor of 0.5.
func Circles(n int, noise float64, seed int) (*Dataset, error) {
	return generated("Circles", plane("Circles", "outer", "inner"), n, noise, seed, func(i int, r *draws) ([]float64, float64) {
		t, radius := r.uniform(0, 1), 1-0.5*float64(i%2)
		return []float64{float64(radius*cosine(t)) + r.normal(noise), float64(radius*sine(t)) + r.normal(noise)}, float64(i % 2)
	})
}

// Spirals draws n points of arms, numbered 0 to arms-1, that wind 1.25 times around the origin side by side, out to radius 1,
// with noise of the given standard deviation: 0.02 leaves two arms apart.
func Spirals(n, arms int, noise float64, seed int) (*Dataset, error) {
	if arms < 2 {
		return nil, fmt.Errorf("Spirals: %d arms: there must be at least 2 to tell apart", arms)
	}
	classes := make([]string, arms)
	for i := range classes {
		classes[i] = fmt.Sprintf("arm %d", i)
	}
	return generated("Spirals", plane("Spirals", classes...), n, noise, seed, func(i int, r *draws) ([]float64, float64) {
		arm := i % arms
		radius := math.Sqrt(r.uniform(0.01, 1)) // the arm is as dense everywhere
		t := float64(1.25*radius) + float64(arm)/float64(arms)
		return []float64{float64(radius*cosine(t)) + r.normal(noise), float64(radius*sine(t)) + r.normal(noise)}, float64(arm)
	})
}

// Blobs draws n points around centers that lie at random within 10 of the origin in each of the dimensions, each as a
// cloud of the given standard deviation: scikit-learn's make_blobs.
func Blobs(n, centers, dimensions int, deviation float64, seed int) (*Dataset, error) {
	if centers < 1 || dimensions < 1 {
		return nil, fmt.Errorf("Blobs: %d centers in %d dimensions: there must be at least one of each", centers, dimensions)
	}
	d := &Dataset{Name: "Blobs", Target: Feature{Name: "blob"}}
	for j := range dimensions {
		d.Features = append(d.Features, Feature{Name: fmt.Sprintf("x%d", j)})
	}
	at := make([][]float64, centers)
	for c := range at {
		d.Target.Classes = append(d.Target.Classes, fmt.Sprintf("blob %d", c))
		r := rowDraws(seed, math.MaxInt32-c) // behind all rows
		for range dimensions {
			at[c] = append(at[c], r.uniform(-10, 10))
		}
	}
	return generated("Blobs", d, n, deviation, seed, func(i int, r *draws) ([]float64, float64) {
		x := make([]float64, dimensions)
		for j := range x {
			x[j] = at[i%centers][j] + r.normal(deviation)
		}
		return x, float64(i % centers)
	})
}

// XOR draws n points of the square from -1 to 1; the class is 1 where exactly one coordinate is above 0, as said before
// noise of the given standard deviation moves the point. No straight line tells the classes apart.
func XOR(n int, noise float64, seed int) (*Dataset, error) {
	return generated("XOR", plane("XOR", "same sign", "other sign"), n, noise, seed, func(_ int, r *draws) ([]float64, float64) {
		x, y, class := r.uniform(-1, 1), r.uniform(-1, 1), 0.0
		if (x > 0) != (y > 0) {
			class = 1
		}
		return []float64{x + r.normal(noise), y + r.normal(noise)}, class
	})
}

// Sine draws n values of x from -1 to 1 with y = sin(2πx), two waves, to which noise of the given standard deviation is
// added: a curve to fit.
func Sine(n int, noise float64, seed int) (*Dataset, error) {
	d := &Dataset{Name: "Sine", Features: []Feature{{Name: "x"}}, Target: Feature{Name: "y"}}
	return generated("Sine", d, n, noise, seed, func(_ int, r *draws) ([]float64, float64) {
		x := r.uniform(-1, 1)
		return []float64{x}, sine(x) + r.normal(noise)
	})
}
