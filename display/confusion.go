package display

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// mostClasses is how many rows a confusion matrix has at most, so that its cells can be read.
const mostClasses = 20

// Confusion draws how often each class (a row) was taken for each class (a column). A cell holds the number of examples
// and its colour their share of the row, so that a rare class shows its mistakes as well as a frequent one; the diagonal of shares
// is the recall. Of more than 20 classes it draws the 20 with the most mistakes. Labels count from 0; [Classes]
// names them.
func Confusion(truth, predicted []int, options ...Option) *Figure {
	if problem := paired("truths", len(truth), "predictions", len(predicted)); problem != "" {
		return note(problem, options)
	}
	classes := distinct(truth, predicted)
	wrong := map[int]int{}
	right := 0
	for i, t := range truth {
		if t == predicted[i] {
			right++
			continue
		}
		wrong[t]++
		wrong[predicted[i]]++
	}
	all := len(classes)
	if all > mostClasses {
		slices.SortStableFunc(classes, func(a, b int) int { return cmp.Compare(wrong[b], wrong[a]) })
		classes = classes[:mostClasses]
		slices.Sort(classes)
	}
	n := len(classes)
	place := map[int]int{}
	for i, c := range classes {
		place[c] = i
	}
	counts, sums := make([][]int, n), make([]int, n)
	for i := range counts {
		counts[i] = make([]int, n)
	}
	for i, t := range truth {
		row, ok := place[t]
		if !ok {
			continue
		}
		sums[row]++
		if column, ok := place[predicted[i]]; ok {
			counts[row][column]++
		}
	}
	shares := make([][]float64, n)
	for i := range shares {
		shares[i] = make([]float64, n)
		for j := range shares[i] {
			if sums[i] > 0 {
				shares[i][j] = float64(counts[i][j]) / float64(sums[i])
			}
		}
	}

	f := &Figure{columns: 1, settings: resolve(0, 0, options)}
	names := make([]string, n)
	for i, c := range classes {
		names[i] = f.className(c)
	}
	w, h := f.theme.matrixSize(names, names, max(min(600/float64(n), 60), 32))
	f.settings = titled(max(w+2*edge, 320), h+2*edge, options)
	t := f.theme
	bounds := span{0, 1}
	size := smallSize
	if n <= 6 {
		size = nameSize
	}
	pl := t.matrix(cells{
		values: shares, color: t.colorsOf(t.sequential, bounds), style: t.style(size, t.text, false),
		label: func(i, j int) string { return strconv.Itoa(counts[i][j]) },
	}, names, names, f.width-2*edge, f.height-2*edge)
	pl.X.Label.Text, pl.Y.Label.Text = "predicted", "true"
	accuracy := fmt.Sprintf("accuracy %s, %d of %d", percent(right, len(truth)), right, len(truth))
	p := &panel{
		plot: pl, shape: 1, scale: &scale{bounds: bounds, colors: t.sequential},
		title: "confusion matrix", caption: accuracy + "; colour: share of the true class",
	}
	if all > n {
		p.warning = fmt.Sprintf("%d of %d classes, those with the most mistakes", n, all)
	}
	f.add(p, n*n)
	f.about = fmt.Sprintf("confusion matrix of %s, %s", plural(all, "class", "classes"), accuracy)
	return f
}

// percent writes a share of whole things.
func percent(n, of int) string {
	if of == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// add appends a panel that holds so many marks.
func (f *Figure) add(p *panel, marks int) {
	f.panels = append(f.panels, p)
	f.points += marks
}
