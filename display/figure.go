package display

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Figure is one or more plots on a card. As the last expression of a cell it shows itself; [Figure.Show] shows it
// from inside a loop.
type Figure struct {
	settings
	panels  []*panel
	columns int
	tight   bool   // whether the panels are pictures, which may stand close
	note    string // a quiet line above the panels
	about   string // one line that says what is drawn
	points  int    // how many marks the plots hold
	page    string // the figure as a part of a web page, where it is more than a picture
}

// manyPoints is where a vector picture becomes heavier than a bitmap, for the file and for the browser.
const manyPoints = 2000

// note returns a figure that has only a sentence to show, and is as large as one.
func note(sentence string, options []Option) *Figure {
	return &Figure{settings: resolve(480, 72, options), about: sentence}
}

// Plots returns the plots of the figure, row by row. They may be changed until the figure is drawn; each call that
// draws (SVG, PNG, Save, Show) draws them as they are then.
func (f *Figure) Plots() []*plot.Plot {
	var plots []*plot.Plot
	for _, p := range f.panels {
		if p.plot != nil {
			plots = append(plots, p.plot)
		}
	}
	return plots
}

// String describes the figure in one line, for where no picture can be shown.
func (f *Figure) String() string {
	if f.title != "" {
		return f.title + ": " + f.about
	}
	return f.about
}

// SVG returns the figure as a document of its own. Its text is text, in Liberation Sans or the fonts of the same
// widths (Arial, Helvetica), and is set to its width where there is another font, so that it keeps its place.
func (f *Figure) SVG() string {
	w, h := f.lengths()
	c := vgsvg.New(w, h)
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return f.refusal(err)
	}
	return f.dress(b.String())
}

var svgStart = regexp.MustCompile(`(?s)^.*?<svg[^>]*>`)

// dress gives gonum's SVG what a web page needs: pixels for points, a size that yields to a narrow column, fonts
// to fall back on, rounded joins, and words for those who do not see it.
func (f *Figure) dress(svg string) string {
	w, h := f.lengths()
	label := html.EscapeString(f.String())
	start := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"`+
		` width="%d" height="%d" viewBox="0 0 %g %g" style="max-width:100%%;height:auto"`+
		` stroke-linejoin="round" role="img" aria-label="%s">`,
		f.width, f.height, w.Points(), h.Points(), label)
	svg = svgStart.ReplaceAllLiteralString(svg, start)
	// An image fills its rectangle; and it is a PNG, whatever gonum says of it.
	svg = strings.ReplaceAll(svg, "<image ", `<image preserveAspectRatio="none" `)
	svg = strings.ReplaceAll(svg, "data:image/jpg;base64,", "data:image/png;base64,")
	svg = svgText.ReplaceAllStringFunc(svg, keepWidth)
	return strings.ReplaceAll(svg, "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")
}

var (
	svgText = regexp.MustCompile(`<text ([^>]*)>([^<]*)</text>`)
	svgFont = regexp.MustCompile(`font-weight:(\w+);[^"]*font-size:([0-9.]+)px`)
)

// keepWidth says of a text how wide it is to be, since where all fonts of these widths are missing, as on a bare Linux, a
// wider one would run over the edge or into its neighbour.
func keepWidth(element string) string {
	m := svgText.FindStringSubmatch(element)
	font := svgFont.FindStringSubmatch(m[1])
	s := html.UnescapeString(m[2])
	if font == nil || len(s) < 2 {
		return element
	}
	size, err := strconv.ParseFloat(font[2], 64)
	if err != nil {
		return element
	}
	width, _, _ := measured.Box(s, sans(vg.Length(size), font[1] == "bold"))
	return fmt.Sprintf(`<text textLength="%.2f" lengthAdjust="spacingAndGlyphs" %s>%s</text>`, width.Points(), m[1], m[2])
}

// refusal is the picture of last resort: a card with a sentence, written without gonum/plot.
func (f *Figure) refusal(err error) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="60"><rect width="100%%" height="100%%" fill="#fff"/>`+
		`<text x="16" y="34" font-family="Arial,sans-serif" font-size="13" fill="#b3470b">%s</text></svg>`,
		f.width, html.EscapeString("the figure could not be drawn: "+err.Error()))
}

// PNG returns the figure as a bitmap with two pixels to each CSS pixel, sharp on the screens of today. Outside the
// card's rounded corners it is transparent. Letters that our font lacks, such as Chinese ones, are left out, which an SVG has.
func (f *Figure) PNG() []byte { return f.png(2) }

func (f *Figure) png(scale int) []byte {
	w, h := f.lengths()
	c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(scale*cssDPI), vgimg.UseBackgroundColor(color.Transparent))
	f.draw(draw.New(c))
	var b bytes.Buffer
	if err := png.Encode(&b, c.Image()); err != nil {
		return nil // an image in memory into a buffer in memory: only a size of zero fails, and there is none
	}
	return b.Bytes()
}

// cssDPI is how many CSS pixels make an inch.
const cssDPI = 96

// HTML returns the figure as an <img> that carries its picture: SVG, or PNG where there are many points (and all letters). As an image
// it is out of reach of the page's style sheets and survives the cleaning that notebook viewers do.
func (f *Figure) HTML() string {
	if f.page != "" {
		return f.page
	}
	kind, data := "svg+xml", []byte(nil)
	if f.points > manyPoints && !f.lacksLetters() {
		kind, data = "png", f.PNG()
	} else {
		data = []byte(f.SVG())
	}
	return fmt.Sprintf(`<img width="%d" height="%d" style="max-width:100%%;height:auto" decoding="sync" alt="%s" src="data:image/%s;base64,%s">`,
		f.width, f.height, html.EscapeString(f.String()), kind, base64.StdEncoding.EncodeToString(data))
}

// Save writes the figure to a file. The extension of the path chooses the format: .svg, .png or .pdf. Letters that our font lacks, such as Chinese
// ones, only an SVG can have, which is shown in the fonts of its reader.
func (f *Figure) Save(path string) error {
	var write func(io.Writer) error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".svg":
		write = func(w io.Writer) error { _, err := io.WriteString(w, f.SVG()); return err }
	case ".png":
		write = func(w io.Writer) error { _, err := w.Write(f.PNG()); return err }
	case ".pdf":
		write = func(w io.Writer) error {
			c := pdfCanvas{vgpdf.New(f.lengths())}
			f.draw(draw.New(c))
			_, err := c.WriteTo(w)
			return err
		}
	default:
		return fmt.Errorf("save figure to %q: the extension %q names no format; write .svg, .png or .pdf", path, ext)
	}
	if text := f.undrawable(); text != "" && filepath.Ext(strings.ToLower(path)) != ".svg" {
		return fmt.Errorf("save figure to %q: our font has no letters for %q; save it as .svg, which is shown in its reader's fonts and which a browser prints to PDF", path, text)
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("save figure: %w", err)
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return fmt.Errorf("save figure to %q: %w", path, err)
	}
	return nil
}

// MIMEBundle returns the figure in the forms that a notebook chooses from: the line of [Figure.String] as
// text/plain, and the picture as image/svg+xml. Beside it stands a small image/png in base64, for JupyterLab shows no SVG
// in a notebook that comes from elsewhere. Where there are many points the PNG of [Figure.PNG] is the only picture; where a PNG
// would lack letters, text/html takes its place.
func (f *Figure) MIMEBundle() map[string]any {
	bundle := map[string]any{"text/plain": f.String()}
	switch {
	case f.lacksLetters():
		bundle["image/svg+xml"], bundle["text/html"] = f.SVG(), f.HTML()
	case f.points > manyPoints:
		bundle["image/png"] = base64.StdEncoding.EncodeToString(f.png(2))
	default:
		bundle["image/svg+xml"] = f.SVG()
		bundle["image/png"] = base64.StdEncoding.EncodeToString(f.png(1))
	}
	return bundle
}

// MIMEMetadata goes with [Figure.MIMEBundle]: the size in CSS pixels of the PNG, which may have twice as many.
func (f *Figure) MIMEMetadata() map[string]any {
	return map[string]any{"image/png": map[string]any{"width": f.width, "height": f.height}}
}

// Show displays the figure now, from inside a loop or a function, and returns when the notebook has it. Outside a
// notebook it prints the line of [Figure.String].
func (f *Figure) Show() {
	if !gonbui.IsNotebook {
		fmt.Println(f)
		return
	}
	f.showIn("")
	gonbui.Sync()
}

// showIn displays the figure in a place of the notebook that has a display id, the first time and again; "" is a place of its own.
func (f *Figure) showIn(id string) {
	data := map[protocol.MIMEType]any{protocol.MIMETextPlain: f.String()}
	if f.points > manyPoints || f.lacksLetters() {
		data[protocol.MIMETextHTML] = f.HTML() // which says how large a PNG is meant
	} else {
		data[protocol.MIMEImageSVG] = f.SVG()
		data[protocol.MIMEImagePNG] = f.png(1)
	}
	gonbui.SendData(&protocol.DisplayData{Data: data, DisplayID: id})
}

// openCard begins the card of a figure that is a part of a web page: with a size and line height of its text, and its title. Colours are
// written out, since the page's own may be for either theme. The layout keeps to what JupyterLab leaves of a style in a notebook
// that it does not trust.
func (s settings) openCard(font string) string {
	t := s.theme
	card := fmt.Sprintf(`<div style="box-sizing:border-box;width:100%%;max-width:%dpx;padding:12px 16px;border:1px solid %s;border-radius:7px;`+
		`background:%s;color:%s;font:%s 'Liberation Sans',Arial,Helvetica,sans-serif">`, s.width, css(t.border), css(t.card), css(t.text), font)
	if s.title != "" {
		card += fmt.Sprintf(`<div style="font-size:16px;font-weight:bold;margin-bottom:4px">%s</div>`, html.EscapeString(s.title))
	}
	return card
}

// lengths gives the size in the unit in which gonum/plot draws.
func (f *Figure) lengths() (w, h vg.Length) {
	return pixels(f.width), pixels(f.height)
}

func pixels(n int) vg.Length { return vg.Length(n) * vg.Inch / cssDPI }
