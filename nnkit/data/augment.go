package data

import (
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit"
)

// Augmentation changes examples at random in ways that leave their class as it is, so that a network sees others in each
// epoch: an [ImageAugmentation] or a [SoundAugmentation].
type Augmentation interface {
	check(shape []int) error
	change(dst, src []float32, shape []int, r *draws)
}

// Augment returns the examples, changed at random: row i of an epoch depends on the seed, the epoch and i alone. Only
// training rows are augmented. e is left as it is.
//
//	for epoch := range 20 {
//		x, err := train.Augment(data.ImageAugmentation{Rotate: 10, Zoom: 0.1}, 1, epoch)
//		history, err := model.Fit(x.X, x.Y, nnkit.Epochs(1), nnkit.ValidationData(test.X, test.Y))
//	}
func (e *Examples) Augment(a Augmentation, seed, epoch int) (*Examples, error) {
	x, err := Augment(e.X, a, seed, epoch)
	if err != nil {
		return nil, err
	}
	augmented := *e
	augmented.X = x
	return &augmented, nil
}

// Augment does with the rows of a tensor, one batch perhaps, what [Examples.Augment] does. Give each batch another
// number as epoch.
func Augment(x *nnkit.Tensor, a Augmentation, seed, epoch int) (*nnkit.Tensor, error) {
	if x == nil || a == nil {
		return nil, fmt.Errorf("Augment: the rows or the augmentation are nil: the call that made them must have failed")
	}
	if epoch < 0 || epoch > math.MaxInt32 {
		return nil, fmt.Errorf("Augment: the epoch is %d, and must be between 0 and %d", epoch, math.MaxInt32)
	}
	shape := x.Shape()
	if err := a.check(shape); err != nil {
		return nil, err
	}
	rows, out := x.Rows(), make([]float32, x.Len())
	inBlocks(len(rows), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a.change(out[i*len(rows[i]):][:len(rows[i])], rows[i], shape[1:], augmentDraws(seed, epoch, i))
		}
	})
	return nnkit.NewTensor(out, shape...)
}

// ImageAugmentation changes pictures, (rows, height, width, channels), their values from 0 to 1. What is 0 is left out.
// Pixels that come from outside the picture are those at its edge.
type ImageAugmentation struct {
	Rotate     float64 // at most so many degrees to either side
	ShiftX     float64 // at most this share of the width, 0.1 for a tenth
	ShiftY     float64 // at most this share of the height
	Zoom       float64 // by a factor between 1-Zoom and 1+Zoom
	Flip       bool    // left and right are exchanged in half of the pictures
	Brightness float64 // at most so much is added to all pixels, or taken away
	Noise      float64 // the standard deviation of what is added to each pixel
	Cutout     int     // a square of so many pixels becomes black (T. DeVries and G. Taylor, 2017)
}

func (a ImageAugmentation) check(shape []int) error {
	if len(shape) != 4 {
		return fmt.Errorf("Augment: the rows have the shape %v, and pictures are (rows, height, width, channels)", shape)
	}
	if !(a.Zoom >= 0 && a.Zoom < 1) {
		return fmt.Errorf("Augment: Zoom is %v, and must be at least 0 and below 1: 0.1 makes pictures up to a tenth smaller or larger", a.Zoom)
	}
	if a.Cutout < 0 {
		return fmt.Errorf("Augment: Cutout is %d pixels, and must be 0 or more", a.Cutout)
	}
	return checkAmounts(amount{"Rotate", a.Rotate}, amount{"ShiftX", a.ShiftX}, amount{"ShiftY", a.ShiftY},
		amount{"Brightness", a.Brightness}, amount{"Noise", a.Noise})
}

type amount struct {
	name  string
	value float64
}

func checkAmounts(all ...amount) error {
	for _, a := range all {
		if !(a.value >= 0) || math.IsInf(a.value, 0) {
			return fmt.Errorf("Augment: %s is %v, and must be 0 or more", a.name, a.value)
		}
	}
	return nil
}

func (a ImageAugmentation) change(dst, src []float32, shape []int, r *draws) {
	height, width, channels := shape[0], shape[1], shape[2]
	turn := r.uniform(-a.Rotate, a.Rotate) / 360
	zoom := 1 + r.uniform(-a.Zoom, a.Zoom)
	dx, dy := r.uniform(-a.ShiftX, a.ShiftX)*float64(width), r.uniform(-a.ShiftY, a.ShiftY)*float64(height)
	flip := 1.0
	if r.pick(2) == 1 && a.Flip {
		flip = -1
	}
	bright := r.uniform(-a.Brightness, a.Brightness)
	holeX, holeY := r.pick(width)-a.Cutout/2, r.pick(height)-a.Cutout/2

	// Where in the source a pixel comes from: the opposite of all that, around the middle.
	cos, sin := cosine(turn)/zoom, sine(turn)/zoom
	middleX, middleY := float64(width-1)/2, float64(height-1)/2
	for y := range height {
		for x := range width {
			at := (y*width + x) * channels
			if x >= holeX && x < holeX+a.Cutout && y >= holeY && y < holeY+a.Cutout {
				continue // black
			}
			ux, uy := float64(x)-middleX-dx, float64(y)-middleY-dy
			sx := float64(flip*(float64(cos*ux)+float64(sin*uy))) + middleX
			sy := float64(cos*uy) - float64(sin*ux) + middleY
			bilinear(dst[at:at+channels], src, height, width, channels, sx, sy)
			for c := range channels {
				v := float64(dst[at+c]) + bright
				if a.Noise > 0 {
					v += r.normal(a.Noise)
				}
				dst[at+c] = float32(limit(v, 0, 1))
			}
		}
	}
}

// bilinear looks between the pixels.
func bilinear(dst, src []float32, height, width, channels int, x, y float64) {
	x, y = limit(x, 0, float64(width-1)), limit(y, 0, float64(height-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, width-1), min(y0+1, height-1)
	fx, fy := x-float64(x0), y-float64(y0)
	for c := range dst {
		top := mix(src[(y0*width+x0)*channels+c], src[(y0*width+x1)*channels+c], fx)
		bottom := mix(src[(y1*width+x0)*channels+c], src[(y1*width+x1)*channels+c], fx)
		dst[c] = float32(top + float64((bottom-top)*fy))
	}
}

func mix(a, b float32, share float64) float64 {
	return float64(a) + float64((float64(b)-float64(a))*share)
}

// SoundAugmentation changes sounds, (rows, samples). What is 0 is left out.
type SoundAugmentation struct {
	Shift    float64 // earlier or later by at most this share of the length; what moves out is lost, silence moves in
	Stretch  float64 // slower or faster by a factor between 1-Stretch and 1+Stretch, lower or higher with it, as a tape
	Loudness float64 // by a factor between 1-Loudness and 1+Loudness
	Noise    float64 // the standard deviation of what is added to each sample
}

func (a SoundAugmentation) check(shape []int) error {
	if len(shape) != 2 {
		return fmt.Errorf("Augment: the rows have the shape %v, and sounds are (rows, samples): augment them before their spectrograms are made", shape)
	}
	for _, v := range []amount{{"Stretch", a.Stretch}, {"Loudness", a.Loudness}} {
		if v.value >= 1 {
			return fmt.Errorf("Augment: %s is %v, and must be below 1: 0.1 is a tenth less or more", v.name, v.value)
		}
	}
	return checkAmounts(amount{"Shift", a.Shift}, amount{"Stretch", a.Stretch}, amount{"Loudness", a.Loudness}, amount{"Noise", a.Noise})
}

func (a SoundAugmentation) change(dst, src []float32, _ []int, r *draws) {
	n := len(src)
	pace := 1 + r.uniform(-a.Stretch, a.Stretch)
	shift := r.uniform(-a.Shift, a.Shift) * float64(n)
	loud := 1 + r.uniform(-a.Loudness, a.Loudness)
	middle := float64(n-1) / 2
	if pace == 1 { // whole samples stay as they are
		shift = math.Round(shift)
	}
	for i := range dst {
		at := float64((float64(i)-middle-shift)*pace) + middle
		v := 0.0
		if at >= 0 && at <= float64(n-1) {
			k := int(at)
			v = mix(src[k], src[min(k+1, n-1)], at-float64(k))
		}
		v = float64(v * loud)
		if a.Noise > 0 {
			v += r.normal(a.Noise)
		}
		dst[i] = float32(limit(v, -1, 1))
	}
}
