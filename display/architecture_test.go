package display

import (
	"reflect"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
)

// Lines beside the boxes do not run over each other, and short ones are near.
func TestLanes(t *testing.T) {
	for _, c := range []struct {
		reads  [][]int
		want   []lane
		places int
	}{
		{[][]int{nil, {0}, {1}, {2}}, nil, 0},
		{[][]int{nil, {0}, {1}, {2, 0}}, []lane{{0, 3, []int{3}, 0}}, 1},
		{[][]int{nil, nil, {0}, {1, 2}, {0}}, []lane{{1, 3, []int{3}, 0}, {0, 4, []int{2, 4}, 1}}, 2},
		{[][]int{nil, {0}, {0}, {2}, {2, 3}}, []lane{{0, 2, []int{2}, 0}, {2, 4, []int{4}, 0}}, 1},
	} {
		if got, places := lanes(c.reads); !reflect.DeepEqual(got, c.want) || places != c.places {
			t.Errorf("of %v the lines are %v at %d places, want %v at %d", c.reads, got, places, c.want, c.places)
		}
	}
}

// What reads a row that is left out reads nothing, but for the row behind the gap, which goes on from the one before it.
func TestWithoutMiddle(t *testing.T) {
	reads := [][]int{nil, {0}, {1}, {2, 0}, {3, 1}, {4, 2}}
	if got, want := withoutMiddle(reads, 2, 2), [][]int{nil, {0}, {1}, {2}}; !reflect.DeepEqual(got[:1], want[:1]) ||
		!reflect.DeepEqual(got[2], []int{1, 1}) || !reflect.DeepEqual(got[3], []int{2}) {
		t.Errorf("the rows read %v", got)
	}
}

func TestModelWithBranches(t *testing.T) {
	a, b := nnkit.Input(4).Named("first"), nnkit.Input(4).Named("second")
	shared := nnkit.Dense(3, nnkit.ReLU, nnkit.Name("shared"))
	both := nnkit.Concatenate(a.To(shared), b.To(shared)).Named("both")
	f := Model(nnkit.Functional(nnkit.Inputs(a, b), nnkit.Outputs(both.To(nnkit.Dense(1)))))
	if want := "architecture: 5 layers, 22 parameters"; f.String() != want {
		t.Errorf("says %q, want %q", f, want)
	}
	d := checkSVG(t, f.SVG())
	for _, want := range []string{"first", "second", "input", "shared", "both", "concatenate"} {
		if !d.has(want) {
			t.Errorf("lacks %q", want)
		}
	}
}
