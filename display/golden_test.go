package display_test

import (
	"bytes"
	"encoding/base64"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/display"
	"github.com/seed5607215b/nnkit/display/internal/gallery"
)

var update = flag.Bool("update", false, "write the pictures that figures are compared with")

// Each kind of figure looks as it did, in both themes: pictures of half the size in testdata, compared with a tolerance, since
// architectures round differently. After a change, go test ./display -update writes them; look at them.
func TestGolden(t *testing.T) {
	seen := map[string]bool{}
	for name, theme := range map[string]display.Theme{"light": display.Light, "dark": display.Dark} {
		for _, p := range gallery.Pictures(theme) {
			file := filepath.Join("testdata", "golden", p.Name+"-"+name+".png")
			seen[filepath.Base(file)] = true
			got := half(t, p.Figure)
			if *update {
				var b bytes.Buffer
				if err := png.Encode(&b, got); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Errorf("%v; go test ./display -update writes it", err)
				continue
			}
			want, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if mean, far := differ(got, want); mean > 0.2 || far > 0.0005 {
				path := filepath.Join(os.TempDir(), filepath.Base(file))
				if out, err := os.Create(path); err == nil {
					_ = png.Encode(out, got) // the test fails anyway
					out.Close()
				}
				t.Errorf("%s differs: by %.2f of 255 on average, %.2f %% of the pixels by more than 32; now it looks as in %s", file, mean, 100*far, path)
			}
		}
	}
	files, err := os.ReadDir(filepath.Join("testdata", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f.Name()] {
			t.Errorf("testdata/golden/%s is of no figure any more", f.Name())
		}
	}
}

// Each kind can be saved for print, unless our font lacks its letters.
func TestEveryKindAsPDF(t *testing.T) {
	dir := t.TempDir()
	for _, p := range gallery.Pictures(display.Light) {
		path := filepath.Join(dir, p.Name+".pdf")
		err := p.Figure.Save(path)
		if p.Figure.MIMEBundle()["image/png"] == nil {
			if err == nil {
				t.Errorf("%s: saved with gaps", p.Name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(b, []byte("%PDF-")) || !bytes.Contains(b[max(0, len(b)-32):], []byte("%%EOF")) {
			t.Errorf("%s: %d bytes that are no PDF (%v)", p.Name, len(b), err)
		}
	}
}

// half draws a figure with one pixel for two CSS pixels, with five bits for each colour, which keeps the files small.
func half(t *testing.T, f *display.Figure) image.Image {
	t.Helper()
	raw := f.PNG()
	if data, ok := f.MIMEBundle()["image/png"].(string); ok {
		var err error
		if raw, err = base64.StdEncoding.DecodeString(data); err != nil {
			t.Fatal(err)
		}
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	width := f.MIMEMetadata()["image/png"].(map[string]any)["width"].(int)
	k := 2 * img.Bounds().Dx() / width
	out := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx()/k, img.Bounds().Dy()/k))
	for y := range out.Bounds().Dy() {
		for x := range out.Bounds().Dx() {
			var sum [4]uint32
			for i := range k * k {
				r, g, b, a := img.At(x*k+i%k, y*k+i/k).RGBA()
				sum[0], sum[1], sum[2], sum[3] = sum[0]+r>>8, sum[1]+g>>8, sum[2]+b>>8, sum[3]+a>>8
			}
			n := uint32(k * k)
			out.SetRGBA(x, y, color.RGBA{coarse(sum[0] / n), coarse(sum[1] / n), coarse(sum[2] / n), coarse(sum[3] / n)})
		}
	}
	return out
}

// coarse keeps five bits.
func coarse(v uint32) uint8 { return uint8(v&^7 | v>>5) }

// differ returns the mean difference of two images, and the share of pixels that differ much.
func differ(a, b image.Image) (mean, far float64) {
	if a.Bounds() != b.Bounds() {
		return 255, 1
	}
	sum, many := 0.0, 0
	w, h := a.Bounds().Dx(), a.Bounds().Dy()
	for y := range h {
		for x := range w {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			most := 0.0
			for _, d := range []float64{float64(r1) - float64(r2), float64(g1) - float64(g2), float64(b1) - float64(b2)} {
				sum += math.Abs(d) / 257 / 3
				most = math.Max(most, math.Abs(d)/257)
			}
			if most > 32 {
				many++
			}
		}
	}
	return sum / float64(w*h), float64(many) / float64(w*h)
}

// No size makes a figure panic; where there is no room for a plot, the figure says so.
func TestEveryKindInEverySize(t *testing.T) {
	defer display.Defaults()
	for _, size := range [][2]int{{1, 1}, {160, 120}, {200, 600}, {1200, 130}, {2400, 1800}} {
		display.Defaults(display.Size(size[0], size[1]))
		for _, p := range gallery.Pictures(display.Dark) {
			if svg := p.Figure.SVG(); !strings.HasPrefix(svg, "<svg ") || strings.Contains(svg, "NaN\"") {
				t.Errorf("%s in %d by %d: %.80s", p.Name, size[0], size[1], svg)
			}
		}
	}
}
