package data

import (
	"math"
	"slices"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
)

func TestAugment(t *testing.T) {
	e := must(Digits(20, 1))(t)
	same := func(a, b *nnkit.Tensor) bool { return slices.Equal(a.Data(), b.Data()) }
	if !same(must(e.Augment(ImageAugmentation{}, 1, 0))(t).X, e.X) {
		t.Error("no augmentation changes pictures")
	}
	a := ImageAugmentation{Rotate: 10, ShiftX: 0.1, Noise: 0.05}
	first := must(e.Augment(a, 1, 0))(t)
	if !same(first.X, must(e.Augment(a, 1, 0))(t).X) || same(first.X, must(e.Augment(a, 1, 1))(t).X) || same(first.X, must(e.Augment(a, 2, 0))(t).X) {
		t.Error("what is changed does not follow from seed and epoch")
	}
	// A row does not depend on those before it.
	if alone := must(Augment(e.Take([]int{0}).X, a, 1, 0))(t); !slices.Equal(alone.Data(), first.X.Rows()[0]) {
		t.Error("row 0 alone is changed otherwise")
	}
	flipped := 0
	for i, row := range must(e.Augment(ImageAugmentation{Flip: true}, 1, 0))(t).X.Rows() {
		mirror := make([]float32, len(row))
		for at := range row {
			mirror[at] = e.X.Rows()[i][at/28*28+27-at%28]
		}
		if slices.Equal(row, mirror) {
			flipped++
		} else if !slices.Equal(row, e.X.Rows()[i]) {
			t.Errorf("row %d is neither as it was nor mirrored", i)
		}
	}
	if flipped < 4 || flipped > 16 {
		t.Errorf("%d of 20 are mirrored", flipped)
	}
	// A quarter turn, of which the middle pixel is the one that stays.
	white := must(nnkit.NewTensor([]float32{0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, 1, 3, 3, 1))(t)
	black := 0
	for _, v := range must(Augment(white, ImageAugmentation{Cutout: 2}, 1, 0))(t).Data() {
		if v == 0 {
			black++
		}
	}
	if black < 1 || black > 4 {
		t.Errorf("a square of 2×2 made %d pixels black", black)
	}

	words := must(SpokenDigits(4, 1))(t)
	if !same(must(words.Augment(SoundAugmentation{}, 1, 0))(t).X, words.X) {
		t.Error("no augmentation changes sounds")
	}
	moved := must(words.Augment(SoundAugmentation{Shift: 0.1}, 1, 0))(t)
	for i, row := range moved.X.Rows() {
		by := -1
		for shift := -800; shift <= 800; shift++ {
			lo, hi := max(0, shift), min(8000, 8000+shift)
			if slices.Equal(row[lo:hi], words.X.Rows()[i][lo-shift:hi-shift]) {
				by = shift
			}
		}
		if by == -1 {
			t.Errorf("sound %d is not moved by whole samples", i)
		}
	}
	checkFailures(t, []failure{
		{second(words.Augment(ImageAugmentation{}, 1, 0)), "pictures are (rows, height, width, channels)"},
		{second(e.Augment(SoundAugmentation{}, 1, 0)), "sounds are (rows, samples)"},
		{second(e.Augment(ImageAugmentation{Zoom: 1}, 1, 0)), "Zoom is 1"},
		{second(e.Augment(ImageAugmentation{Rotate: -1}, 1, 0)), "Rotate is -1, and must be 0 or more"},
		{second(e.Augment(ImageAugmentation{Noise: math.NaN()}, 1, 0)), "Noise is NaN"},
		{second(e.Augment(ImageAugmentation{Cutout: -1}, 1, 0)), "Cutout is -1"},
		{second(words.Augment(SoundAugmentation{Stretch: 1}, 1, 0)), "Stretch is 1"},
		{second(e.Augment(ImageAugmentation{}, 1, -1)), "the epoch is -1"},
		{second(Augment(nil, ImageAugmentation{}, 1, 0)), "are nil"},
	})
}
