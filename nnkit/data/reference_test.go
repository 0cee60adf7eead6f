package data

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"slices"
	"testing"
)

// testdata/reference.py writes what NumPy and PyTorch make of the same numbers.
type reference struct {
	Signal, Spectrogram, Mel, MFCC []float64
	Image                          []uint8
	Resized                        map[string][]float64
}

func readReference(t *testing.T) reference {
	t.Helper()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Signal, Spectrogram, Mel, MFCC []float64
		Image                          []int
		Resized                        map[string][]float64
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	pixels := make([]uint8, len(r.Image))
	for i, v := range r.Image {
		pixels[i] = uint8(v)
	}
	return reference{r.Signal, r.Spectrogram, r.Mel, r.MFCC, pixels, r.Resized}
}

func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
		return
	}
	for i, v := range got {
		if math.Abs(float64(v)-want[i]) > tolerance*(1+math.Abs(want[i])) {
			t.Errorf("%s: number %d is %v, want %v", what, i, v, want[i])
			return
		}
	}
}

func TestSpectrogramsAreNumPys(t *testing.T) {
	r := readReference(t)
	s := &Sound{Rate: 8000}
	for _, v := range r.Signal {
		s.Samples = append(s.Samples, float32(v))
	}
	o := SpectrogramOptions{Window: 64, Hop: 32, Bands: 12, Coefficients: 5}
	e := s.Examples()
	near(t, "Spectrogram", must(Spectrogram(e, o))(t).X.Data(), r.Spectrogram, 1e-5)
	near(t, "MelSpectrogram", must(MelSpectrogram(e, o))(t).X.Data(), r.Mel, 1e-5)
	mfcc := must(MFCC(e, o))(t)
	near(t, "MFCC", mfcc.X.Data(), r.MFCC, 1e-5)
	if got := mfcc.X.Shape(); !slices.Equal(got, []int{1, 8, 5}) {
		t.Errorf("the shape is %v", got)
	}
}

func TestResizedPicturesArePyTorchs(t *testing.T) {
	r := readReference(t)
	m := image.NewRGBA(image.Rect(-3, 2, 6, 9)) // not at the origin, as parts of pictures are
	for i := range 63 {
		m.SetRGBA(i%9-3, i/9+2, color.RGBA{r.Image[3*i], r.Image[3*i+1], r.Image[3*i+2], 255})
	}
	for size, want := range r.Resized {
		var height, width int
		if _, err := fmt.Sscanf(size, "%dx%d", &height, &width); err != nil {
			t.Fatal(err)
		}
		colour := must(ImageTensor(m, height, width, 3))(t)
		near(t, size, colour.Data(), want, 1e-6)
		grey := must(ImageTensor(m, height, width, 1))(t)
		for i, v := range grey.Data() {
			if w := 0.299*want[3*i] + 0.587*want[3*i+1] + 0.114*want[3*i+2]; math.Abs(float64(v)-w) > 1e-6 {
				t.Errorf("%s, grey: pixel %d is %v, want %v", size, i, v, w)
			}
		}
	}
	if len(r.Resized) != 4 {
		t.Errorf("%d sizes were compared", len(r.Resized))
	}
}
