package display

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// groups makes vectors around centers that lie far from each other, and tells which is whose.
func groups(n, width, centers int) (rows [][]float64, labels []int) {
	r := rand.New(rand.NewPCG(7, 7))
	middle := make([][]float64, centers)
	for c := range middle {
		middle[c] = make([]float64, width)
		for j := range middle[c] {
			middle[c][j] = 4 * r.NormFloat64()
		}
	}
	for i := range n {
		row := make([]float64, width)
		for j := range row {
			row[j] = middle[i%centers][j] + r.NormFloat64()
		}
		rows, labels = append(rows, row), append(labels, i%centers)
	}
	return rows, labels
}

// The force on each point is, but for the tree, the gradient of the divergence, which is found by differences.
func TestTSNEGoesDownTheDivergence(t *testing.T) {
	rows, _ := groups(60, 5, 3)
	start, _ := newPlane(rows)
	s := newTSNE(rows, 5, start.at)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range s.at {
		s.at[i] = [2]float64{r.NormFloat64(), r.NormFloat64()}
	}
	s.gradient(1)
	pull := slices.Clone(s.pull)
	// All of p and q in full, for the reference.
	divergence := func() float64 {
		total, sum := 0.0, 0.0
		for i := range s.at {
			for j := range s.at {
				if i != j {
					total += 1 / (1 + distance(s.at[i][:], s.at[j][:]))
				}
			}
		}
		for i, near := range s.near {
			for _, o := range near {
				sum += o.p * math.Log(o.p*(1+distance(s.at[i][:], s.at[o.of][:]))*total)
			}
		}
		return sum
	}
	if got, want := s.divergence(), divergence(); math.Abs(got-want) > 0.01*want {
		t.Errorf("divergence %g, want %g", got, want)
	}
	var off, size float64
	const h = 1e-5
	for i := range s.at {
		for c := range 2 {
			was := s.at[i][c]
			s.at[i][c] = was + h
			up := divergence()
			s.at[i][c] = was - h
			down := divergence()
			s.at[i][c] = was
			g := (up - down) / (2 * h)
			off += (g - pull[i][c]) * (g - pull[i][c])
			size += g * g
		}
	}
	if off > 0.02*0.02*size {
		t.Errorf("the force is off the gradient by %.2f %%", 100*math.Sqrt(off/size))
	}
}

func TestTSNEPerplexity(t *testing.T) {
	rows, _ := groups(200, 6, 2)
	for _, i := range []int{0, 77, 199} {
		near := conditional(rows, i, 90, 30, make([]neighbour, len(rows)))
		sum, entropy := 0.0, 0.0
		for _, o := range near {
			sum += o.p
			if o.p > 0 {
				entropy -= o.p * math.Log(o.p)
			}
		}
		if math.Abs(sum-1) > 1e-9 || math.Abs(math.Exp(entropy)-30) > 0.01 {
			t.Errorf("row %d: shares add to %g, perplexity %g", i, sum, math.Exp(entropy))
		}
	}
}

// Neighbours in the picture are of one group, and a second picture is the first.
func TestTSNEKeepsGroups(t *testing.T) {
	rows, labels := groups(300, 20, 6)
	place := func() [][2]float64 {
		start, ok := newPlane(rows)
		if !ok {
			t.Fatal("no start")
		}
		s := newTSNE(rows, 20, start.at)
		s.settle()
		return s.at
	}
	at := place()
	strangers := 0
	for i, p := range at {
		nearest, least := -1, math.Inf(1)
		for j, o := range at {
			if d := distance(p[:], o[:]); j != i && d < least {
				nearest, least = j, d
			}
		}
		if labels[nearest] != labels[i] {
			strangers++
		}
	}
	if strangers > 0 {
		t.Errorf("the nearest of %d points is of another group", strangers)
	}
	if again := place(); !slices.Equal(at, again) {
		t.Error("the same vectors give another picture")
	}
}

// Equal vectors end neither in a tree without end nor on one place of all.
func TestTSNEOfEqualVectors(t *testing.T) {
	rows, _ := groups(40, 4, 2)
	for i := range 20 {
		rows[i] = rows[0]
	}
	start, _ := newPlane(rows)
	s := newTSNE(rows, 5, start.at)
	s.settle()
	for i, p := range s.at {
		if !finite(p[0]) || !finite(p[1]) {
			t.Fatalf("point %d is at %v", i, p)
		}
	}
}

// The two axes are those of the singular values, computed another way: a table whose columns are independent by construction.
func TestPlane(t *testing.T) {
	var rows [][]float64
	for i := range 64 {
		row := make([]float64, 12)
		for j := range row { // Walsh functions, at right angles to each other
			sign := 1.0
			for b := (j + 1) & i; b > 0; b &= b - 1 {
				sign = -sign
			}
			row[j] = sign * float64(j+1)
		}
		rows = append(rows, row)
	}
	squares := 12.0 * 13 * 25 / 6
	for name, table := range map[string][][]float64{"high": rows, "wide": transposed(rows)} {
		p, ok := newPlane(table)
		if !ok {
			t.Fatalf("%s: no plane", name)
		}
		if name == "high" {
			if math.Abs(p.shares[0]-144/squares) > 1e-9 || math.Abs(p.shares[1]-121/squares) > 1e-9 {
				t.Errorf("shares %v, want %g and %g", p.shares, 144/squares, 121/squares)
			}
			if math.Abs(p.axes[0][11]-1) > 1e-6 || math.Abs(p.axes[1][10]-1) > 1e-6 {
				t.Errorf("axes %v", p.axes)
			}
		}
		if across := dot(p.axes[0], p.axes[1]); math.Abs(across) > 1e-9 {
			t.Errorf("%s: the axes are not at right angles: %g", name, across)
		}
	}
	if _, ok := newPlane([][]float64{{1, 2}, {1, 2}, {1, 2}}); ok {
		t.Error("equal rows have a plane")
	}
	line, ok := newPlane([][]float64{{0, 0}, {1, 1}, {2, 2}})
	if !ok || math.Abs(line.shares[0]-1) > 1e-12 || math.Abs(line.shares[1]) > 1e-12 {
		t.Errorf("a line: %v, %v", line.shares, ok)
	}
}

func transposed(rows [][]float64) [][]float64 {
	out := make([][]float64, len(rows[0]))
	for j := range out {
		for _, row := range rows {
			out[j] = append(out[j], row[j])
		}
	}
	return out
}

func BenchmarkTSNE(b *testing.B) {
	for _, width := range []int{50, 784} {
		rows, labels := groups(2000, width, 10)
		b.Run(count(width, "value"), func(b *testing.B) {
			for b.Loop() {
				TSNE(rows, labels)
			}
		})
	}
}
