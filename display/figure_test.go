package display

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// tenEpochs are ten epochs of loss and accuracy, validation best at epochs 7 and 9.
func tenEpochs() Metrics {
	return Metrics{
		"loss":         {0.69, 0.62, 0.57, 0.53, 0.50, 0.47, 0.45, 0.43, 0.42, 0.41},
		"val_loss":     {0.68, 0.63, 0.58, 0.55, 0.52, 0.50, 0.48, 0.49, 0.50, 0.51},
		"accuracy":     {0.55, 0.63, 0.68, 0.72, 0.74, 0.77, 0.78, 0.79, 0.81, 0.82},
		"val_accuracy": {0.56, 0.61, 0.66, 0.69, 0.71, 0.74, 0.76, 0.76, 0.79, 0.78},
	}
}

func TestFigureFormats(t *testing.T) {
	f := Curve(tenEpochs(), Size(640, 300), Title("T < U"))
	checkSVG(t, f.SVG())

	config, err := png.DecodeConfig(bytes.NewReader(f.PNG()))
	if err != nil {
		t.Fatal(err)
	}
	if config.Width != 1280 || config.Height != 600 {
		t.Errorf("PNG is %d by %d, want 1280 by 600", config.Width, config.Height)
	}

	dir := t.TempDir()
	for ext, magic := range map[string]string{"svg": "<svg ", "png": "\x89PNG", "PDF": "%PDF-"} {
		path := filepath.Join(dir, "figure."+ext)
		if err := f.Save(path); err != nil {
			t.Error(err)
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(b), magic) {
			t.Errorf("%s starts with %.8q (%v), want %q", path, b, err, magic)
		}
	}
	for path, want := range map[string]string{
		"figure.bmp":             `".bmp" names no format; write .svg, .png or .pdf`,
		"figure":                 `"" names no format`,
		dir + "/no/such/dir.svg": "no such file or directory",
	} {
		if err := f.Save(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Save(%q) = %v, want %s", path, err, want)
		}
	}
}

func TestFigureDrawsTheSameTwice(t *testing.T) {
	f := Curve(tenEpochs())
	first := f.SVG()
	if second := f.SVG(); first != second || first != Curve(tenEpochs()).SVG() {
		t.Error("the same series give two pictures")
	}
}

func TestMIMEBundle(t *testing.T) {
	f := Curve(tenEpochs(), Title("T"))
	bundle := f.MIMEBundle()
	if svg, ok := bundle["image/svg+xml"].(string); !ok || !strings.HasPrefix(svg, "<svg ") {
		t.Errorf("image/svg+xml is %.20v", bundle["image/svg+xml"])
	}
	text := bundle["text/plain"].(string)
	if want := "T: loss and accuracy over 10 epochs; loss best validation 0.4800 at epoch 7; accuracy best validation 0.7900 at epoch 9"; text != want {
		t.Errorf("text/plain is %q, want %q", text, want)
	}
	if _, err := json.Marshal(bundle); err != nil {
		t.Error(err)
	}

	many := normal(manyPoints, 0, 1)
	long := Regression(many, many, Size(400, 200))
	bundle = long.MIMEBundle()
	if bundle["image/svg+xml"] != nil {
		t.Error("many points as SVG")
	}
	raw, err := base64.StdEncoding.DecodeString(bundle["image/png"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if config, err := png.DecodeConfig(bytes.NewReader(raw)); err != nil || config.Width != 800 {
		t.Errorf("PNG is %d wide (%v), want 800", config.Width, err)
	}
	size, _ := long.MIMEMetadata()["image/png"].(map[string]any)
	if size["width"] != 400 || size["height"] != 200 {
		t.Errorf("metadata %v, want 400 by 200", size)
	}
	if !strings.Contains(long.HTML(), `width="400"`) || !strings.Contains(long.HTML(), "data:image/png") {
		t.Errorf("HTML starts %.120s", long.HTML())
	}
}

func TestPlotsCanBeChanged(t *testing.T) {
	f := Curve(tenEpochs())
	plots := f.Plots()
	if len(plots) != 2 {
		t.Fatalf("%d plots, want 2", len(plots))
	}
	plots[0].X.Label.Text = "pass over the data"
	if !checkSVG(t, f.SVG()).has("pass over the data") {
		t.Error("a changed label is not drawn")
	}
	plots[1].Y.Scale = plot.LogScale{}
	plots[1].Y.Min = -1
	d := checkSVG(t, f.SVG())
	if !strings.Contains(strings.Join(d.texts, " "), "could not be drawn: Values must be greater than 0") {
		t.Errorf("a plot that gonum refuses is not explained: %q", d.texts)
	}
	plots[0].Add(plotter.NewFunction(func(float64) float64 { panic("mine") }))
	if !strings.Contains(f.SVG(), "could not be drawn: mine") {
		t.Error("a panic of a plotter is not explained")
	}
}

func TestSizes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {0, 0}, {-3, 5}, {160, 120}, {300, 200}, {2000, 100}, {1e9, 200}} {
		f := Curve(tenEpochs(), Size(size[0], size[1]))
		svg := f.SVG()
		if !strings.HasPrefix(svg, "<svg ") || strings.Contains(svg, "NaN") {
			t.Errorf("Size%v gives %.80s", size, svg)
		}
		if f.width > maxSide || f.height > maxSide {
			t.Errorf("Size%v makes %d by %d", size, f.width, f.height)
		}
	}
}

func TestDefaults(t *testing.T) {
	defer Defaults()
	Defaults(Dark, Size(500, 0), nil)
	if f := Curve(tenEpochs()); f.theme.name != "dark" || f.width != 500 {
		t.Errorf("theme %q, width %d", f.theme.name, f.width)
	}
	if f := Curve(tenEpochs(), Light); f.theme.name != "light" {
		t.Errorf("theme %q", f.theme.name)
	}
	Defaults()
	if f := Curve(tenEpochs(), Theme{}); f.theme.name != "light" || f.width != 760 {
		t.Errorf("theme %q, width %d", f.theme.name, f.width)
	}
}

// contrast is WCAG's ratio of two colours' luminances.
func contrast(a, b interface{ RGBA() (r, g, b, a uint32) }) float64 {
	lum := func(c interface{ RGBA() (r, g, b, a uint32) }) float64 {
		r, g, bl, _ := c.RGBA()
		lin := func(v uint32) float64 {
			s := float64(v) / 65535
			if s <= 0.04045 {
				return s / 12.92
			}
			return math.Pow((s+0.055)/1.055, 2.4)
		}
		return 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(bl)
	}
	x, y := lum(a), lum(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	for _, theme := range []Theme{Light, Dark} {
		at := func(what string, c interface{ RGBA() (r, g, b, a uint32) }, least float64) {
			if got := contrast(c, theme.card); got < least {
				t.Errorf("%s: %s has a contrast of %.2f, want %.1f", theme.name, what, got, least)
			}
		}
		at("text", theme.text, 7)
		at("quiet text", theme.quiet, 4.5)
		at("warning", theme.warn, 4.5)
		for i, h := range theme.hues {
			name := string(rune('0' + i))
			at("strong "+name, h.strong, 3)
			at("soft "+name, h.soft, 3)
			at("fill "+name, h.fill, 3)
		}
	}
}
