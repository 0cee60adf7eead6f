package data

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"strings"
)

// Picture shows row i as an image: a picture as it is, a spectrogram with time to the right and low bands below, from the
// least value, black, to the largest, white. It is an error when there is no such row, and when a row is neither.
func (e *Examples) Picture(i int) (image.Image, error) {
	shape := e.X.Shape()
	if i < 0 || i >= shape[0] {
		return nil, fmt.Errorf("Picture: there is no row %d: the %d rows are counted from 0", i, shape[0])
	}
	row := e.X.Rows()[i]
	switch {
	case len(shape) == 4 && (shape[3] == 1 || shape[3] == 3):
		m := image.NewRGBA(image.Rect(0, 0, shape[2], shape[1]))
		for at := range shape[1] * shape[2] {
			p := row[at*shape[3]:][:shape[3]]
			m.SetRGBA(at%shape[2], at/shape[2], color.RGBA{level(p[0]), level(p[len(p)/2]), level(p[len(p)-1]), 255})
		}
		return m, nil
	case len(shape) == 3:
		least, most := row[0], row[0]
		for _, v := range row {
			least, most = min(least, v), max(most, v)
		}
		span := most - least
		if !(span > 0) {
			span = 1
		}
		m := image.NewGray(image.Rect(0, 0, shape[1], shape[2]))
		for at, v := range row {
			m.SetGray(at/shape[2], shape[2]-1-at%shape[2], color.Gray{level((v - least) / span)})
		}
		return m, nil
	default:
		return nil, fmt.Errorf("Picture: the rows have the shape %v, and a picture is (height, width, 1 or 3 channels), a spectrogram "+
			"(steps, bands)", shape[1:])
	}
}

// Pictures shows all rows as images, as Picture does.
//
//	pictures, err := test.Take(mistakes).Pictures()
func (e *Examples) Pictures() ([]image.Image, error) {
	pictures := make([]image.Image, e.Len())
	for i := range pictures {
		m, err := e.Picture(i)
		if err != nil {
			return nil, err
		}
		pictures[i] = m
	}
	return pictures, nil
}

func level(v float32) uint8 { return uint8(float32(min(max(v, 0), 1)*255) + 0.5) }

// HTML shows the first rows in a notebook, with their classes, if they are pictures or spectrograms.
func (e *Examples) HTML() string {
	if e == nil {
		return "&lt;nil&gt;"
	}
	const shown = 20
	var b strings.Builder
	b.WriteString("<p>" + html.EscapeString(e.String()) + "</p><div>")
	for i := range min(shown, e.Len()) {
		m, err := e.Picture(i)
		if err != nil {
			break
		}
		var file bytes.Buffer
		if png.Encode(&file, m) != nil {
			break
		}
		size := m.Bounds().Size()
		zoom := max(1, 64/max(size.X, size.Y))
		fmt.Fprintf(&b, `<figure style="display:inline-block;margin:4px;text-align:center"><img alt="" width="%d" height="%d" `+
			`style="image-rendering:pixelated" src="data:image/png;base64,%s"><figcaption>%s</figcaption></figure>`,
			size.X*zoom, size.Y*zoom, base64.StdEncoding.EncodeToString(file.Bytes()), html.EscapeString(e.Class(i)))
	}
	b.WriteString("</div>")
	return b.String()
}
