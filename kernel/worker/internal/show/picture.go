package show

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math"
	"reflect"
)

const (
	maxPixels = 1 << 22 // of a picture; a larger one is shown at a smaller scale

	// A slice of pictures is shown as a strip, which has several rows where it
	// would be wide.
	maxPictures  = 100
	stripWidth   = 900
	stripSpacing = 4

	// How large a plot is, in points, and how large its SVG may be to be shown.
	plotWidth, plotHeight = 432, 288
	maxSVG                = 1 << 20
)

// pictures adds the picture that an image is, or a slice of images.
func (f *forms) pictures(v reflect.Value) bool {
	if m, ok := withMethods(v).(image.Image); ok {
		if isNil(m) {
			return false
		}
		f.picture(func() image.Image { return m }, func() string { return Type(v.Type()) + ", " + dimensions(m) })
		return true
	}
	if k := v.Kind(); k != reflect.Slice && k != reflect.Array || v.Len() == 0 || !v.Type().Elem().Implements(reflect.TypeFor[image.Image]()) {
		return false
	}
	var images []image.Image
	for i := range min(v.Len(), maxPictures) {
		if m, ok := v.Index(i).Interface().(image.Image); ok && !isNil(m) {
			images = append(images, m)
		}
	}
	f.picture(func() image.Image { return strip(images) }, func() string {
		s := fmt.Sprintf("%s, %d %s", Type(v.Type()), v.Len(), plural(v.Len(), "picture"))
		if v.Len() > maxPictures {
			s += fmt.Sprintf(", %d shown", maxPictures)
		}
		return s
	})
	return true
}

// picture adds a picture as PNG, with the text that describes it.
func (f *forms) picture(picture func() image.Image, describe func() string) {
	scale := 1
	data, p := attempt(func() []byte {
		var b bytes.Buffer
		m := picture()
		scale = scaleOf(m)
		if m = reduced(m, scale); m.Bounds().Empty() || png.Encode(&b, m) != nil {
			return nil
		}
		return b.Bytes()
	})
	if p != nil {
		f.notes = append(f.notes, panicNote("its picture", p))
		return
	}
	f.add("image/png", encoded(data))
	s, _ := attempt(describe)
	if scale > 1 {
		s += fmt.Sprintf(", shown at a scale of 1:%d", scale)
	}
	f.add(plain, s)
}

// strip draws images beside and below each other.
func strip(images []image.Image) image.Image {
	var places []image.Rectangle
	var at image.Point
	height, size := 0, image.Rectangle{}
	for _, m := range images {
		b := m.Bounds().Sub(m.Bounds().Min)
		if at.X > 0 && at.X+b.Dx() > stripWidth {
			at, height = image.Pt(0, at.Y+height+stripSpacing), 0
		}
		places = append(places, b.Add(at))
		size = size.Union(b.Add(at))
		at.X += b.Dx() + stripSpacing
		height = max(height, b.Dy())
	}
	if scaleOf(size) > 2 {
		return images[0] // there are too large ones for a strip
	}
	all := image.NewNRGBA(size)
	for i, m := range images {
		draw.Draw(all, places[i], m, m.Bounds().Min, draw.Src)
	}
	return all
}

// scaleOf returns the n of the scale 1:n at which an image has no more than
// maxPixels.
func scaleOf(m image.Image) int {
	size := m.Bounds().Size()
	area := float64(size.X) * float64(size.Y)
	return int(math.Ceil(math.Sqrt(max(1, area/maxPixels))))
}

// reduced returns every nth pixel of every nth row.
func reduced(m image.Image, n int) image.Image {
	if n == 1 {
		return m
	}
	from := m.Bounds()
	small := image.NewNRGBA(image.Rect(0, 0, from.Dx()/n, from.Dy()/n))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			small.Set(x, y, m.At(from.Min.X+x*n, from.Min.Y+y*n))
		}
	}
	return small
}

// plot adds the drawing of what has the method of gonum's plots,
//
//	WriterTo(w, h vg.Length, format string) (io.WriterTo, error)
//
// where vg.Length is a float64 that counts points. PNG stands beside SVG for
// front ends that do not show it in a notebook that comes from elsewhere.
func (f *forms) plot(v reflect.Value) bool {
	value := withMethods(v)
	m := reflect.ValueOf(value).MethodByName("WriterTo")
	if isNil(value) || !m.IsValid() || !drawsFormats(m.Type()) {
		return false
	}
	render := func(format string) []byte {
		length := m.Type().In(0)
		out := m.Call([]reflect.Value{
			reflect.ValueOf(float64(plotWidth)).Convert(length), reflect.ValueOf(float64(plotHeight)).Convert(length), reflect.ValueOf(format),
		})
		if err, _ := out[1].Interface().(error); err != nil {
			panic(err)
		}
		var b bytes.Buffer
		if _, err := out[0].Interface().(io.WriterTo).WriteTo(&b); err != nil {
			panic(err)
		}
		return b.Bytes()
	}
	for _, format := range []string{"svg", "png"} {
		data, p := attempt(func() []byte { return render(format) })
		if p != nil {
			f.notes = append(f.notes, fmt.Sprintf("(not drawn as %s: %v)", format, p))
			break
		}
		if format == "png" {
			f.add("image/png", encoded(data))
		} else if len(data) <= maxSVG {
			f.add("image/svg+xml", string(data))
		}
	}
	f.add(plain, Type(v.Type()))
	return true
}

func drawsFormats(t reflect.Type) bool {
	return t.NumIn() == 3 && t.In(0).Kind() == reflect.Float64 && t.In(1) == t.In(0) && t.In(2).Kind() == reflect.String &&
		t.NumOut() == 2 && t.Out(0).Implements(reflect.TypeFor[io.WriterTo]()) && t.Out(1) == reflect.TypeFor[error]()
}
