package display

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgpdf"
)

// pdfCanvas goes around the faults of vgpdf (v0.17): bold faces are registered under a name by which they are not found
// again, two fonts in one document become one, characters outside of Windows-1252 are lost, every arc ends its
// path, so that a rounded rectangle falls apart, images stand on their heads, and what is translucent gets dark. Text is
// therefore drawn as outlines, which also keeps the file small.
type pdfCanvas struct{ *vgpdf.Canvas }

// DrawImage draws an image the right way up.
func (c pdfCanvas) DrawImage(r vg.Rectangle, img image.Image) { c.Canvas.DrawImage(r, upended{img}) }

// upended is an image with its last row on top.
type upended struct{ image.Image }

func (u upended) At(x, y int) color.Color {
	b := u.Bounds()
	return u.Image.At(x, b.Min.Y+b.Max.Y-1-y)
}

// SetColor sets the colour of what is drawn next.
func (c pdfCanvas) SetColor(clr color.Color) {
	if clr != nil {
		clr = straight(color.NRGBAModel.Convert(clr).(color.NRGBA))
	}
	c.Canvas.SetColor(clr)
}

// straight is a colour that is not multiplied by its opacity, as vgpdf takes it.
type straight color.NRGBA

func (s straight) RGBA() (r, g, b, a uint32) {
	return uint32(s.R) * 0x101, uint32(s.G) * 0x101, uint32(s.B) * 0x101, uint32(s.A) * 0x101
}

// FillString draws the outlines of a text, left to right.
func (c pdfCanvas) FillString(face font.Face, at vg.Point, s string) {
	// At 2048 pixels to the em, in sixty-fourths, a glyph keeps more than a printer can show.
	const em = 2048
	scale := face.Font.Size / em
	var p vg.Path
	var pen vg.Point
	x := at.X
	for _, r := range s {
		glyph, err := face.Face.GlyphIndex(nil, r)
		if err != nil {
			continue
		}
		segments, err := face.Face.LoadGlyph(nil, glyph, em, nil)
		if err == nil {
			for _, seg := range segments {
				to := func(i int) vg.Point {
					a := seg.Args[i]
					return vg.Point{X: x + vg.Length(a.X)*scale, Y: at.Y - vg.Length(a.Y)*scale}
				}
				switch seg.Op {
				case 0: // move
					if len(p) > 0 {
						p.Close()
					}
					pen = to(0)
					p.Move(pen)
				case 1: // line
					pen = to(0)
					p.Line(pen)
				case 2: // quadratic, written as the cubic that is the same
					q, end := to(0), to(1)
					p.CubeTo(between(pen, q, 2.0/3), between(end, q, 2.0/3), end)
					pen = end
				case 3: // cubic
					pen = to(2)
					p.CubeTo(to(0), to(1), pen)
				}
			}
		}
		if advance, err := face.Face.GlyphAdvance(nil, glyph, em, 0); err == nil {
			x += vg.Length(advance) * scale
		}
	}
	if len(p) > 0 {
		p.Close()
		c.Canvas.Fill(p)
	}
}

func between(a, b vg.Point, share vg.Length) vg.Point {
	return vg.Point{X: a.X + (b.X-a.X)*share, Y: a.Y + (b.Y-a.Y)*share}
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
