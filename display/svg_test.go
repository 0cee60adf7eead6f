package display

import (
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// drawing is what a test wants to know of an SVG.
type drawing struct {
	paths, dashed int
	texts         []string
}

var coordinate = regexp.MustCompile(`[ML](-?[0-9.eE+-]+),(-?[0-9.eE+-]+)`)

// checkSVG parses a figure as XML and checks that every line that it draws lies within its view box. Paths inside of
// a moved or turned group are not checked; gonum uses those for upright text only.
func checkSVG(t *testing.T, svg string) drawing {
	t.Helper()
	var d drawing
	var w, h float64
	var inText bool
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			attr := map[string]string{}
			for _, a := range tok.Attr {
				attr[a.Name.Local] = a.Value
			}
			switch tok.Name.Local {
			case "svg":
				if _, err := fmt.Sscanf(attr["viewBox"], "0 0 %g %g", &w, &h); err != nil {
					t.Fatalf("viewBox %q: %v", attr["viewBox"], err)
				}
				if attr["aria-label"] == "" {
					t.Error("no words for those who do not see it")
				}
			case "path":
				d.paths++
				if strings.Contains(attr["style"], "stroke-dasharray") {
					d.dashed++
				}
				if strings.Contains(attr["d"], "NaN") || strings.Contains(attr["d"], "Inf") {
					t.Errorf("path with a number that is none: %.80s", attr["d"])
				}
				for _, m := range coordinate.FindAllStringSubmatch(attr["d"], -1) {
					x, _ := strconv.ParseFloat(m[1], 64)
					y, _ := strconv.ParseFloat(m[2], 64)
					if x < -0.5 || x > w+0.5 || y < -0.5 || y > h+0.5 {
						t.Errorf("(%g, %g) lies outside of %g by %g", x, y, w, h)
					}
				}
			case "text":
				inText = true
				d.texts = append(d.texts, "")
				if strings.Contains(attr["style"], "font-family") && !strings.Contains(attr["style"], "Arial") {
					t.Errorf("text without a font to fall back on: %s", attr["style"])
				}
			}
		case xml.EndElement:
			inText = inText && tok.Name.Local != "text"
		case xml.CharData:
			if inText {
				d.texts[len(d.texts)-1] += string(tok)
			}
		}
	}
	return d
}

// has reports whether one of the texts is s.
func (d drawing) has(s string) bool {
	return slices.Contains(d.texts, s)
}
