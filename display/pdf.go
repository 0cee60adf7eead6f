package display

import (
	"math"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgpdf"
)

// pdfCanvas goes around two faults of vgpdf (v0.17): it registers a bold font under a name by which it does not find
// it again, and it ends the path at every arc, so that a rounded rectangle falls apart.
type pdfCanvas struct{ *vgpdf.Canvas }

// FillString draws text, a bold face under a name of its own and in the plain style.
func (c pdfCanvas) FillString(face font.Face, at vg.Point, s string) {
	if face.Font.Weight > 0 {
		face.Font.Typeface += "Bold"
		face.Font.Weight = 0
	}
	c.Canvas.FillString(face, at, s)
}

// Stroke draws the outline of a path.
func (c pdfCanvas) Stroke(p vg.Path) { c.Canvas.Stroke(withoutArcs(p)) }

// Fill fills a path.
func (c pdfCanvas) Fill(p vg.Path) { c.Canvas.Fill(withoutArcs(p)) }

// withoutArcs replaces arcs by cubic curves of a quarter turn at most, which differ from them by less than 0.03 %.
func withoutArcs(p vg.Path) vg.Path {
	var out vg.Path
	for _, comp := range p {
		if comp.Type != vg.ArcComp {
			out = append(out, comp)
			continue
		}
		n := int(math.Ceil(math.Abs(comp.Angle)/(math.Pi/2) - 1e-9))
		step := comp.Angle / float64(max(n, 1))
		reach := comp.Radius * vg.Length(4.0/3*math.Tan(step/4))
		on := func(a float64) (at, along vg.Point) {
			sin, cos := math.Sincos(a)
			at = comp.Pos.Add(vg.Point{X: comp.Radius * vg.Length(cos), Y: comp.Radius * vg.Length(sin)})
			return at, vg.Point{X: -reach * vg.Length(sin), Y: reach * vg.Length(cos)}
		}
		for i := range n {
			a := comp.Start + float64(i)*step
			from, out1 := on(a)
			to, out2 := on(a + step)
			if i == 0 && len(out) > 0 {
				out.Line(from)
			}
			out.CubeTo(from.Add(out1), to.Sub(out2), to)
		}
	}
	return out
}
