package display

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"
)

// Map is a named rectangle of values, the first row on top: a filter of a convolution, what a channel answers, a head's attention,
// what a layer's units answer to a batch.
type Map struct {
	Name   string
	Values [][]float64
}

// Channels takes values in the order of rows, columns and channels apart into a map for each channel, named by its number: the output of a
// convolution for one image, of shape (height, width, channels), or its kernel of shape (height, width, in × out). It is an error if there are not
// height times width times channels values.
func Channels[T Float](values []T, height, width, channels int) ([]Map, error) {
	if height < 1 || width < 1 || channels < 1 {
		return nil, fmt.Errorf("Channels: height %d, width %d and %d channels make no map; all must be above 0", height, width, channels)
	}
	if len(values) != height*width*channels {
		return nil, fmt.Errorf("Channels: %d values, but height %d times width %d times %s make %d",
			len(values), height, width, count(channels, "channel"), height*width*channels)
	}
	maps := make([]Map, channels)
	for c := range maps {
		rows := make([][]float64, height)
		for i := range rows {
			rows[i] = make([]float64, width)
			for j := range rows[i] {
				rows[i][j] = float64(values[(i*width+j)*channels+c])
			}
		}
		maps[c] = Map{strconv.Itoa(c), rows}
	}
	return maps, nil
}

// Filters draws the kernels of a convolution side by side, all by one scale: blue is negative, orange positive, and what lies near
// zero has the colour of the card. Of more than 32 it draws the first.
func Filters(filters []Map, options ...Option) *Figure {
	return mapGrid(filters, options, "filter", true)
}

// Activations draws what the channels of a layer answer to one example, all by one scale from the lowest to the highest value. Of more
// than 32 it draws the first.
func Activations(maps []Map, options ...Option) *Figure {
	return mapGrid(maps, options, "activation map", false)
}

func mapGrid(maps []Map, options []Option, what string, signed bool) *Figure {
	if len(maps) == 0 {
		return note("nothing to draw: there is no "+what, options)
	}
	all := newSpan()
	var lost bad
	for i, m := range maps {
		if problem := rectangular(fmt.Sprintf("%s %d", what, i), m.Values); problem != "" {
			return note(problem, options)
		}
		for _, row := range m.Values {
			all.include(row)
			lost.add(countBad(row))
		}
	}
	shown := maps[:min(len(maps), mostImages)]
	f := pictureGrid(len(shown), options)
	t := f.theme
	colors, bounds := t.sequential, all
	if signed {
		colors, bounds = t.diverging, all.around()
		f.note = fmt.Sprintf("Blue is negative, orange positive, up to ±%s.", short(bounds.hi))
	} else {
		f.note = fmt.Sprintf("From %s, like the card, to %s.", short(all.lo), short(all.hi))
	}
	if all.empty() {
		f.note = ""
	}
	if lost.any() {
		f.note += " Grey: " + lost.String() + "."
	}
	if len(shown) < len(maps) {
		f.note += fmt.Sprintf(" The first %d of %d.", len(shown), len(maps))
	}
	for _, m := range shown {
		h, w := len(m.Values), len(m.Values[0])
		pl := t.picture(cells{values: m.Values, color: t.colorsOf(colors, bounds)}.image(pictureFine))
		f.add(&panel{plot: pl, title: m.Name, shape: float64(w) / float64(h)}, 1)
	}
	f.about = count(len(maps), what)
	if !all.empty() {
		f.about += fmt.Sprintf(", from %s to %s", short(all.lo), short(all.hi))
	}
	return f
}

// HeatMaps takes the rows of a tensor as maps of one height and width, a map for each example, for [Saliency]. Of several values at a
// place, one for each channel, that of the largest size counts. It is an error if a row's length is no multiple of height times width.
//
//	heat, err := nnkit.Saliency(model, x, class)
//	maps, err := display.HeatMaps(heat.Rows(), 28, 28)
func HeatMaps[T Float](rows [][]T, height, width int) ([]Map, error) {
	if height < 1 || width < 1 {
		return nil, fmt.Errorf("HeatMaps: height %d and width %d make no map; both must be above 0", height, width)
	}
	maps := make([]Map, len(rows))
	for i, row := range rows {
		channels := len(row) / (height * width)
		if channels < 1 || channels*height*width != len(row) {
			return nil, fmt.Errorf("HeatMaps: row %d has %s, which is no multiple of height %d times width %d, %d",
				i, count(len(row), "value"), height, width, height*width)
		}
		split, err := Channels(row, height, width, channels)
		if err != nil {
			return nil, err
		}
		most := split[0].Values
		for _, channel := range split[1:] {
			for y, line := range channel.Values {
				for x, v := range line {
					if math.Abs(v) > math.Abs(most[y][x]) || most[y][x] != most[y][x] {
						most[y][x] = v
					}
				}
			}
		}
		maps[i] = Map{Values: most}
	}
	return maps, nil
}

// Saliency draws over each image how much its places count, as a gradient, an occlusion or an attention map tells: the more orange the more, whatever the
// sign, each image by its own scale. A map need not be as fine as its image. Of more than 32 images it draws the first.
func Saliency(images []image.Image, maps []Map, options ...Option) *Figure {
	if problem := paired("images", len(images), "maps", len(maps)); problem != "" {
		return note(problem, options)
	}
	shown := images[:min(len(images), mostImages)]
	f := pictureGrid(len(shown), options)
	f.note = "The more orange, the more a place counts; each image by its own scale."
	if len(shown) < len(images) {
		f.note += fmt.Sprintf(" The first %d of %d.", len(shown), len(images))
	}
	empty := 0
	for i, img := range shown {
		if problem := rectangular(fmt.Sprintf("map %d", i), maps[i].Values); problem != "" {
			return note(problem, options)
		}
		p := &panel{title: maps[i].Name}
		if img == nil || img.Bounds().Empty() {
			p.warning = "no picture"
		} else {
			seen, any := heated(img, maps[i].Values)
			if !any {
				empty++
			}
			p.plot = f.theme.picture(seen)
			p.shape = float64(img.Bounds().Dx()) / float64(img.Bounds().Dy())
		}
		f.add(p, 1)
	}
	f.about = "saliency over " + count(len(images), "image")
	if empty > 0 {
		f.about += fmt.Sprintf("; in %d of them no place counts", empty)
		f.note += fmt.Sprintf(" In %d no place counts.", empty)
	}
	return f
}

// heated lays heat over an image, which it makes grey. It reports whether there is any.
func heated(img image.Image, heat [][]float64) (image.Image, bool) {
	// A single place often counts so much that all others would seem to count nothing: the scale ends where one in a hundred is left.
	var sizes []float64
	for _, row := range heat {
		for _, v := range row {
			if finite(v) {
				sizes = append(sizes, math.Abs(v))
			}
		}
	}
	slices.Sort(sizes)
	most := 0.0
	if len(sizes) > 0 {
		most = quantile(sizes, 0.99)
		if most == 0 {
			most = sizes[len(sizes)-1]
		}
	}
	b := img.Bounds()
	k := max(1, (pictureFine+max(b.Dx(), b.Dy())-1)/max(b.Dx(), b.Dy()))
	w, h := b.Dx()*k, b.Dy()*k
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	glow := toOKLab(rgb(0xff6a00))
	for y := range h {
		for x := range w {
			grey := color.GrayModel.Convert(img.At(b.Min.X+x/k, b.Min.Y+y/k)).(color.Gray).Y
			share := 0.0
			if most > 0 {
				share = min(heatAt(heat, (float64(x)+0.5)/float64(w), (float64(y)+0.5)/float64(h))/most, 1)
			}
			// Grey keeps to the middle, so that heat shows on black and on white.
			ground := toOKLab(color.RGBA{grey/2 + 56, grey/2 + 56, grey/2 + 56, 0xff})
			out.SetRGBA(x, y, ground.mix(glow, 0.92*share).color())
		}
	}
	return out, most > 0
}

// heatAt is the size of a map at shares of the way across and down, by straight lines between the middles of its cells.
func heatAt(heat [][]float64, across, down float64) float64 {
	at := func(share float64, n int) (i, j int, f float64) {
		v := min(max(share*float64(n)-0.5, 0), float64(n-1))
		i = int(v)
		return i, min(i+1, n-1), v - float64(i)
	}
	size := func(y, x int) float64 {
		if v := heat[y][x]; finite(v) {
			return math.Abs(v)
		}
		return 0
	}
	x0, x1, fx := at(across, len(heat[0]))
	y0, y1, fy := at(down, len(heat))
	return (size(y0, x0)*(1-fx)+size(y0, x1)*fx)*(1-fy) + (size(y1, x0)*(1-fx)+size(y1, x1)*fx)*fy
}

// mostHeads is how many heads of attention are drawn, and mostTokens how many of them can be named.
const mostHeads = 8

// Attention draws how much each query (a row) attends to each key (a column), a panel for each head: weights as a softmax over the keys
// gives them, from 0 to 1. The names of queries and keys, tokens say, may be nil.
func Attention(heads []Map, queries, keys []string, options ...Option) *Figure {
	if len(heads) == 0 {
		return note("nothing to draw: there is no head", options)
	}
	shown := heads[:min(len(heads), mostHeads)]
	most := 0.0
	for i, h := range heads {
		if problem := rectangular(fmt.Sprintf("head %d", i), h.Values); problem != "" {
			return note(problem, options)
		}
		for r, row := range h.Values {
			for _, v := range row {
				if v < 0 {
					return note(fmt.Sprintf("nothing to draw: row %d of head %d holds %s; weights of attention are not negative: pass what the softmax gives", r, i, short(v)), options)
				}
				if finite(v) {
					most = max(most, v)
				}
			}
		}
	}
	nq, nk := len(shown[0].Values), len(shown[0].Values[0])
	queries, keys = columnNames(queries, nq), columnNames(keys, nk)
	columns := min(len(shown), 2)
	if len(shown) > 4 {
		columns = 4
	}
	rows := (len(shown) + columns - 1) / columns
	t := resolve(0, 0, options).theme
	wide := float64([]int{0, 420, 330, 0, 190}[columns])
	w, h := t.matrixSize(queries, keys, min(wide/float64(max(nq, nk)), 36))
	f := &Figure{columns: columns, settings: titled(columns*w+2*edge+27*(columns-1), rows*h+2*edge+21*(rows-1), options)}
	bounds := span{0, max(most, 1e-9)}
	for i, m := range shown {
		nq, nk := len(m.Values), len(m.Values[0])
		name := m.Name
		if name == "" {
			name = fmt.Sprintf("head %d", i)
		}
		pl := t.matrix(cells{values: m.Values, color: t.colorsOf(t.sequential, bounds)},
			columnNames(queries, nq), columnNames(keys, nk), f.width/columns-27, f.height/rows-21)
		pl.X.Label.Text, pl.Y.Label.Text = "key", "query"
		f.add(&panel{plot: pl, title: name, shape: float64(nk) / float64(nq), scale: &scale{bounds: bounds, colors: t.sequential}}, min(nq*nk, manyCells))
	}
	f.about = fmt.Sprintf("attention of %s, %d queries by %d keys, at most %s",
		count(len(heads), "head"), len(heads[0].Values), len(heads[0].Values[0]), short(most))
	if len(shown) < len(heads) {
		f.note = fmt.Sprintf("The first %d of %d heads.", len(shown), len(heads))
	}
	return f
}
