package data

import (
	"image"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestExamplesSplit(t *testing.T) {
	e := must(Digits(50, 1))(t)
	train, test, err := e.Split(0.8, 1)
	if err != nil || train.Len() != 40 || test.Len() != 10 {
		t.Fatalf("%v %v %v", train, test, err)
	}
	for i, row := range test.X.Rows() {
		at := slices.IndexFunc(e.X.Rows(), func(other []float32) bool { return slices.Equal(row, other) })
		if at < 0 || e.Labels()[at] != test.Labels()[i] || e.Class(at) != test.Class(i) {
			t.Errorf("row %d is row %d, and its label %v", i, at, test.Labels()[i])
		}
	}
	folds := must(StratifiedKFold(e, 5, 1))(t)
	if got := folds[0].Test.Len(); got != 10 || len(folds) != 5 {
		t.Errorf("%d folds of %d rows", len(folds), got)
	}
}

func TestPictures(t *testing.T) {
	e := must(Digits(12, 1))(t)
	m := must(e.Picture(3))(t)
	if m.Bounds() != image.Rect(0, 0, 28, 28) {
		t.Errorf("the picture is %v", m.Bounds())
	}
	row := e.X.Rows()[3]
	for at, v := range row {
		if r, _, _, _ := m.At(at%28, at/28).RGBA(); math.Abs(float64(r>>8)/255-float64(v)) > 0.003 {
			t.Fatalf("pixel %d is %v, want %v", at, r>>8, v)
		}
	}
	words := must(MelSpectrogram(must(SpokenDigits(1, 1))(t), SpectrogramOptions{}))(t)
	all := must(e.Pictures())(t)
	if len(all) != e.Len() || !reflect.DeepEqual(all[3], m) {
		t.Errorf("%d pictures of %d rows, or row 3 is another one", len(all), e.Len())
	}
	if numbers := e.ClassNumbers(); len(numbers) != e.Len() || float64(numbers[3]) != e.Labels()[3] {
		t.Errorf("the classes are %v, and %v as whole numbers", e.Labels(), numbers)
	}
	if m := must(words.Picture(0))(t); m.Bounds() != image.Rect(0, 0, 97, 40) {
		t.Errorf("the spectrogram is %v", m.Bounds())
	}
	if page := e.HTML(); strings.Count(page, "data:image/png;base64,") != 12 || !strings.Contains(page, "<figcaption>7</figcaption>") {
		t.Errorf("the page is %.300s", page)
	}
	checkFailures(t, []failure{
		{second(e.Picture(12)), "there is no row 12"},
		{second(must(SpokenDigits(1, 1))(t).Picture(0)), "the rows have the shape [8000]"},
		{second(must(SpokenDigits(1, 1))(t).Pictures()), "the rows have the shape [8000]"},
		{second(e.Sound(0)), "sounds are (rows, samples)"},
		{second(must(SpokenDigits(1, 1))(t).Sound(1)), "there is no row 1"},
	})
	s := must(must(SpokenDigits(1, 1))(t).Sound(0))(t)
	if !strings.HasPrefix(s.HTML(), `<audio controls src="data:audio/wav;base64,UklGR`) || s.String() != "Sound: 1.00 s, 8000 samples at 8000 Hz" {
		t.Errorf("%v %.80s", s, s.HTML())
	}
}
