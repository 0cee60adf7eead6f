package data

import (
	"bytes"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// write writes a file of a new folder.
func write(t *testing.T, dir, name string, encode func(w io.Writer) error) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoadImages(t *testing.T) {
	dir := t.TempDir()
	plain := func(c color.Color) image.Image {
		m := image.NewPaletted(image.Rect(0, 0, 8, 6), color.Palette{c})
		return m
	}
	red, blue := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}
	write(t, dir, "blue/a.gif", func(w io.Writer) error { return gif.Encode(w, plain(blue), nil) })
	write(t, dir, "red/a.png", func(w io.Writer) error { return png.Encode(w, plain(red)) })
	write(t, dir, "red/b.JPG", func(w io.Writer) error { return jpeg.Encode(w, plain(red), nil) })
	write(t, dir, "red/notes.txt", func(w io.Writer) error { return nil })
	write(t, dir, ".hidden/a.png", func(w io.Writer) error { return nil })
	write(t, dir, "none.png", func(w io.Writer) error { return nil })

	e := must(LoadImages(dir, 3, 4, 3))(t)
	if !slices.Equal(e.X.Shape(), []int{3, 3, 4, 3}) || !slices.Equal(e.Classes, []string{"blue", "red"}) || !slices.Equal(e.Labels(), []float64{0, 1, 1}) {
		t.Fatalf("%v %v", e, e.Labels())
	}
	for i, row := range e.X.Rows() {
		want := []float64{1, 0, 0}
		if i == 0 {
			want = []float64{0, 0, 1}
		}
		for at, v := range row {
			if math.Abs(float64(v)-want[at%3]) > 0.02 { // what JPEG makes of it
				t.Errorf("row %d: value %d is %v, want %v", i, at, v, want[at%3])
				break
			}
		}
	}

	for _, test := range []struct {
		name, want string
		file       []byte
	}{
		{"cut", "not enough pixel data", must(os.ReadFile(filepath.Join(dir, "red/a.png")))(t)[:60]},
		{"other", "it is no PNG, JPEG or GIF", []byte("hello")},
		{"huge", "pixels, and must have at least one and at most", hugePNG()},
	} {
		broken := t.TempDir()
		write(t, broken, "x/"+test.name+".png", func(w io.Writer) error { _, err := w.Write(test.file); return err })
		_, err := LoadImages(broken, 3, 4, 3)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.name+".png") {
			t.Errorf("%s: the error is %v, want %q in it", test.name, err, test.want)
		}
	}
	checkFailures(t, []failure{
		{second(LoadImages(t.TempDir(), 3, 4, 3)), "it wants a folder for each class"},
		{second(LoadImages(filepath.Join(dir, "none"), 3, 4, 3)), "no such file"},
		{second(LoadImages(dir, 3, 4, 2)), "pictures have 1 channel, grey, or 3"},
		{second(LoadImages(dir, 0, 4, 3)), "height and width must be at least 1"},
		{second(LoadImages(dir, 1<<40, 1<<40, 3)), "height and width must be at least 1"},
		{second(ImageTensor(nil, 2, 2, 1)), "there are no pixels in the image"},
	})
}

// hugePNG has a head that promises a picture of 2^15 pixels squared.
func hugePNG() []byte {
	var b bytes.Buffer
	if png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))) != nil {
		return nil
	}
	file := b.Bytes()
	copy(file[16:], []byte{0, 0, 0x80, 0, 0, 0, 0x80, 0})
	crc := crc32.ChecksumIEEE(file[12:29])
	copy(file[29:], []byte{byte(crc >> 24), byte(crc >> 16), byte(crc >> 8), byte(crc)})
	return file
}
