package data

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/draw"
	_ "image/gif" // the formats that LoadImages reads
	_ "image/jpeg"
	_ "image/png"
	"io"
	"math"
	"path/filepath"

	"github.com/seed5607215b/nnkit/nnkit"
)

// LoadImages reads a folder that has a folder of pictures for each class, named after it: dogs/1.jpg is a dog. The
// pictures, PNG, JPEG or GIF (its first frame), are resized to height and width, and become grey for 1 channel; with 3
// they have red, green and blue. X gets the shape (pictures, height, width, channels) and goes from 0 to 1.
func LoadImages(dir string, height, width, channels int) (*Examples, error) {
	if err := checkPicture("LoadImages", height, width, channels); err != nil {
		return nil, err
	}
	x, y, classes, err := loadFolder("LoadImages", dir, height*width*channels, []string{".png", ".jpg", ".jpeg", ".gif"},
		func(f io.Reader, row []float32) error {
			m, err := decodeImage(f)
			if err != nil {
				return err
			}
			resample(row, m, height, width, channels)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return &Examples{
		Name: filepath.Base(dir), X: tensor(x, len(y), height, width, channels), Y: tensor(y, len(y)), Classes: classes,
	}, nil
}

// ImageTensor makes a batch of one picture, (1, height, width, channels), of an image, resized, as [LoadImages] does:
// what model.Predict wants.
func ImageTensor(m image.Image, height, width, channels int) (*nnkit.Tensor, error) {
	if err := checkPicture("ImageTensor", height, width, channels); err != nil {
		return nil, err
	}
	if m == nil || m.Bounds().Empty() {
		return nil, fmt.Errorf("ImageTensor: there are no pixels in the image")
	}
	row := make([]float32, height*width*channels)
	resample(row, m, height, width, channels)
	return nnkit.NewTensor(row, 1, height, width, channels)
}

const mostPixels = 1 << 27 // a picture of 128 megapixels takes half a gigabyte

func checkPicture(call string, height, width, channels int) error {
	switch {
	case channels != 1 && channels != 3:
		return fmt.Errorf("%s: pictures have 1 channel, grey, or 3, red, green and blue, and not %d", call, channels)
	case height < 1 || width < 1 || height > mostPixels/width:
		return fmt.Errorf("%s: pictures of %d×%d pixels: height and width must be at least 1, and their product at most %d", call, height,
			width, mostPixels)
	}
	return nil
}

// decodeImage reads a picture, unless its first bytes promise an unreasonable size.
func decodeImage(f io.Reader) (image.Image, error) {
	b := bufio.NewReader(f)
	var start bytes.Buffer
	c, _, err := image.DecodeConfig(io.TeeReader(b, &start))
	if err != nil {
		return nil, fmt.Errorf("it is no PNG, JPEG or GIF: %w", err)
	}
	if c.Width < 1 || c.Height < 1 || c.Height > mostPixels/c.Width {
		return nil, fmt.Errorf("it has %d×%d pixels, and must have at least one and at most %d", c.Height, c.Width, mostPixels)
	}
	m, _, err := image.Decode(io.MultiReader(&start, b))
	return m, err
}

// resample brings an image to height and width: each new pixel is the mean of those under it, weighted by a triangle
// as wide as two of the coarser pixels, which is bilinear interpolation where the image grows and does not flicker
// where it shrinks. What is transparent is black.
func resample(dst []float32, m image.Image, height, width, channels int) {
	b := m.Bounds()
	rgba := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(rgba, rgba.Bounds(), m, b.Min, draw.Src)

	// First each row, then the columns of what that gives.
	across, down := triangles(b.Dx(), width), triangles(b.Dy(), height)
	narrow := make([]float64, b.Dy()*width*channels)
	for y := range b.Dy() {
		line := rgba.Pix[y*rgba.Stride:]
		for x, t := range across {
			at := narrow[(y*width+x)*channels:][:channels]
			for i, w := range t.weight {
				p := line[4*(t.from+i):]
				if channels == 1 {
					// The brightness of Rec. 601.
					at[0] += float64(w * (float64(0.299*float64(p[0])) + float64(0.587*float64(p[1])) + float64(0.114*float64(p[2]))))
					continue
				}
				for c := range at {
					at[c] += float64(w * float64(p[c]))
				}
			}
		}
	}
	for y, t := range down {
		for at := range width * channels {
			sum := 0.0
			for i, w := range t.weight {
				sum += float64(w * narrow[(t.from+i)*width*channels+at])
			}
			dst[y*width*channels+at] = float32(sum / 255)
		}
	}
}

// triangles returns of which of n pixels each of m is made, and how much of each.
func triangles(n, m int) []band {
	scale := float64(n) / float64(m)
	reach := math.Max(1, scale)
	all := make([]band, m)
	for i := range all {
		middle := float64((float64(i) + 0.5) * scale)
		from := max(0, int(math.Floor(middle-reach)))
		to := min(n-1, int(math.Ceil(middle+reach)))
		t := band{from: from}
		sum := 0.0
		for k := from; k <= to; k++ {
			w := math.Max(0, 1-math.Abs(float64(k)+0.5-middle)/reach)
			t.weight = append(t.weight, w)
			sum += w
		}
		for k := range t.weight {
			t.weight[k] /= sum
		}
		all[i] = t
	}
	return all
}
