package display

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// pictureFine is how many pixels the longer side of a small picture gets at least: twice what it is shown at.
const pictureFine = 160

// mostImages is how many pictures a grid holds.
const mostImages = 32

// Images draws pictures in a grid, above each what it is. With predictions too, those that are wrong come first, in the colour of a
// warning, with the truth beside them. Truth and predicted may be nil. Of more than 32 pictures the first are drawn, mistakes
// before others.
//
//	display.Images(pictures, truth, display.Predicted(probabilities.Rows()), display.Classes("cat", "dog"))
func Images(images []image.Image, truth, predicted []int, options ...Option) *Figure {
	if len(images) == 0 {
		return note("nothing to draw: there are no images", options)
	}
	for what, labels := range map[string][]int{"truths": truth, "predictions": predicted} {
		if labels == nil {
			continue
		}
		if problem := paired("images", len(images), what, len(labels)); problem != "" {
			return note(problem, options)
		}
	}
	wrong := func(i int) bool { return truth != nil && predicted != nil && truth[i] != predicted[i] }
	var order []int
	for i := range images {
		if wrong(i) {
			order = append(order, i)
		}
	}
	mistakes := len(order)
	for i := range images {
		if !wrong(i) {
			order = append(order, i)
		}
	}
	order = order[:min(len(order), mostImages)]
	f := pictureGrid(len(order), options)
	if truth != nil && predicted != nil {
		f.note = fmt.Sprintf("%s of %d right", percent(len(images)-mistakes, len(images)), len(images))
		if mistakes > 0 {
			f.note += "; mistakes first, as predicted ≠ true"
		}
	}
	for _, i := range order {
		p := &panel{mistake: wrong(i)}
		switch {
		case p.mistake:
			p.title = f.className(predicted[i]) + " ≠ " + f.className(truth[i])
		case truth != nil:
			p.title = f.className(truth[i])
		case predicted != nil:
			p.title = f.className(predicted[i])
		}
		if images[i] == nil || images[i].Bounds().Empty() {
			p.warning = "no picture"
		} else {
			p.plot = f.theme.picture(images[i])
			p.shape = float64(images[i].Bounds().Dx()) / float64(images[i].Bounds().Dy())
		}
		f.add(p, 1)
	}
	f.about = count(len(images), "image")
	if f.note != "" {
		f.about += ", " + f.note
	}
	if len(order) < len(images) {
		f.about += fmt.Sprintf("; the first %d", len(order))
		f.note = joinNonEmpty([]string{f.note, fmt.Sprintf("%d of %d images", len(order), len(images))})
	}
	return f
}

// pictureGrid is a figure for n small pictures with a name above each and a note above all.
func pictureGrid(n int, options []Option) *Figure {
	columns := min(n, 8)
	rows := (n + columns - 1) / columns
	const side, name, between = 76, 24, 12
	return &Figure{columns: columns, tight: true, settings: titled(
		max(columns*(side+between)-between, 220)+2*edge, rows*(side+name+between)-between+26+2*edge, options,
	)}
}

// picture returns a plot of an image and no axes.
func (t Theme) picture(img image.Image) *plot.Plot {
	pl := t.blank()
	pl.HideAxes()
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = 0, 1, 0, 1
	pl.X.Padding, pl.Y.Padding = 0, 0
	pl.Add(framed{sharp(img), t.border})
	return pl
}

// framed is an image with a hairline, without which one that is white at its edge would have no size.
type framed struct {
	image.Image
	line color.Color
}

// Plot draws the image, as plot.Plotter wants it.
func (f framed) Plot(c draw.Canvas, p *plot.Plot) {
	backdrop{f.Image}.Plot(c, p)
	c.SetLineStyle(draw.LineStyle{Color: f.line, Width: vg.Length(0.5)})
	c.Stroke(vg.Rectangle{Min: c.Min, Max: c.Max}.Path())
}

// sharp repeats the pixels of a small image, which viewers would otherwise blur.
func sharp(img image.Image) image.Image {
	b := img.Bounds()
	k := (pictureFine + max(b.Dx(), b.Dy()) - 1) / max(b.Dx(), b.Dy())
	if k <= 1 {
		return img
	}
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()*k, b.Dy()*k))
	for y := range b.Dy() * k {
		for x := range b.Dx() * k {
			out.Set(x, y, img.At(b.Min.X+x/k, b.Min.Y+y/k))
		}
	}
	return out
}

// Picture makes an image of values in the order of rows, columns and channels, as a tensor of shape (height, width, channels) holds
// them: grey for one channel, red, green and blue for three. The lowest value becomes black and the highest white. It is an error if there
// are not height times width times channels values.
func Picture[T Float](values []T, height, width, channels int) (image.Image, error) {
	if height < 1 || width < 1 || channels != 1 && channels != 3 {
		return nil, fmt.Errorf("Picture: height %d, width %d and %d channels make no image; use 1 or 3 channels", height, width, channels)
	}
	if len(values) != height*width*channels {
		return nil, fmt.Errorf("Picture: %d values, but height %d times width %d times %s make %d",
			len(values), height, width, count(channels, "channel"), height*width*channels)
	}
	bounds := newSpan()
	for _, v := range values {
		bounds.include([]float64{float64(v)})
	}
	grey := func(v T) uint8 {
		if !finite(float64(v)) {
			return 0
		}
		return uint8(math.Round(255 * bounds.share(float64(v))))
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range height * width {
		p := values[i*channels : (i+1)*channels]
		img.SetRGBA(i%width, i/width, color.RGBA{grey(p[0]), grey(p[channels/2]), grey(p[channels-1]), 0xff})
	}
	return img, nil
}
