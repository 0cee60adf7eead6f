package display

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// translucent gives a colour an opacity.
func translucent(c color.RGBA, opacity float64) color.NRGBA {
	return color.NRGBA{c.R, c.G, c.B, uint8(math.Round(255 * opacity))}
}

// addClasses draws points by class, colour and shape, and returns a key for each class. Labels may be nil. Classes
// that have no colour of their own are drawn quietly, as others.
func (f *Figure) addClasses(pl *plot.Plot, xys plotter.XYs, labels []int) []key {
	t := f.theme
	n := float64(max(len(xys), 1))
	radius := vg.Length(min(max(2.8-0.5*math.Log10(n/50), 1.3), 2.8))
	if labels == nil {
		pl.Add(&plotter.Scatter{XYs: xys, GlyphStyle: t.classMark(0, radius)})
		return nil
	}
	classes := distinct(labels)
	by := map[int]plotter.XYs{}
	for i, xy := range xys {
		by[labels[i]] = append(by[labels[i]], xy)
	}
	var keys []key
	var others plotter.XYs
	for i, c := range classes {
		if i >= len(t.hues) {
			others = append(others, by[c]...)
			continue
		}
		pl.Add(rimmed{by[c], t.classMark(i, radius), t.card})
		keys = append(keys, key{name: f.className(c), mark: t.classMark(i, 2.8)})
	}
	if len(others) > 0 {
		style := draw.GlyphStyle{Color: t.axis, Radius: radius * 0.8, Shape: draw.CircleGlyph{}}
		pl.Add(&plotter.Scatter{XYs: others, GlyphStyle: style})
		style.Radius = 2.4
		keys = append(keys, key{name: fmt.Sprintf("%d others", len(classes)-len(t.hues)), mark: style})
	}
	return keys
}

// rimmed are marks with a thin rim of the ground's colour, so that neighbours stay apart.
type rimmed struct {
	xys    plotter.XYs
	style  draw.GlyphStyle
	ground color.Color
}

// Plot draws the marks, as plot.Plotter wants it.
func (r rimmed) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	rim := r.style
	rim.Color, rim.Radius = r.ground, r.style.Radius+0.6
	for _, xy := range r.xys {
		at := vg.Point{X: x(xy.X), Y: y(xy.Y)}
		if c.Contains(at) {
			c.DrawGlyphNoClip(rim, at)
			c.DrawGlyphNoClip(r.style, at)
		}
	}
}
