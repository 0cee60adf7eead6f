// Command contact writes every kind of figure in both themes into a folder, as SVG and PNG, with a sheet of all of them for each theme: for
// those who change how figures look, and for the test that opens them in a browser.
//
//	go run ./display/contact -o DIR
package main

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"

	"github.com/seed5607215b/nnkit/display"
	"github.com/seed5607215b/nnkit/display/internal/gallery"
)

func main() {
	dir := flag.String("o", "", "the folder to write into; it is made when it is not there")
	flag.Parse()
	if *dir == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: go run ./display/contact -o DIR")
		os.Exit(2)
	}
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "contact:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, theme := range map[string]display.Theme{"light": display.Light, "dark": display.Dark} {
		var pictures []image.Image
		for _, p := range gallery.Pictures(theme) {
			path := filepath.Join(dir, p.Name+"-"+name)
			if err := p.Figure.Save(path + ".svg"); err != nil {
				return err
			}
			if err := os.WriteFile(path+".png", p.Figure.PNG(), 0o644); err != nil {
				return err
			}
			img, err := png.Decode(bytes.NewReader(p.Figure.PNG()))
			if err != nil {
				return err
			}
			pictures = append(pictures, img)
		}
		page := color.RGBA{0xf3, 0xf4, 0xf6, 0xff}
		if name == "dark" {
			page = color.RGBA{0x0d, 0x11, 0x17, 0xff}
		}
		if err := save(filepath.Join(dir, "sheet-"+name+".png"), sheet(pictures, page)); err != nil {
			return err
		}
		fmt.Println(filepath.Join(dir, "sheet-"+name+".png"))
	}
	return nil
}

// sheet puts pictures of half their size into columns, each into the shortest.
func sheet(pictures []image.Image, page color.RGBA) image.Image {
	const columns, width, gap = 3, 980, 20
	heights := make([]int, columns)
	places := make([]image.Point, len(pictures))
	for i, p := range pictures {
		c := 0
		for j, h := range heights {
			if h < heights[c] {
				c = j
			}
		}
		places[i] = image.Pt(gap+c*(width+gap), gap+heights[c])
		heights[c] += p.Bounds().Dy()/2 + gap
	}
	tallest := 0
	for _, h := range heights {
		tallest = max(tallest, h)
	}
	img := image.NewRGBA(image.Rect(0, 0, gap+columns*(width+gap), tallest+gap))
	draw.Draw(img, img.Bounds(), image.NewUniform(page), image.Point{}, draw.Src)
	for i, p := range pictures {
		small := halved(p)
		draw.Draw(img, small.Bounds().Add(places[i]), small, image.Point{}, draw.Over)
	}
	return img
}

// halved is an image with one pixel for each four.
func halved(img image.Image) image.Image {
	b := img.Bounds()
	out := image.NewRGBA64(image.Rect(0, 0, b.Dx()/2, b.Dy()/2))
	for y := range out.Bounds().Dy() {
		for x := range out.Bounds().Dx() {
			var sum [4]uint32
			for i := range 4 {
				r, g, bl, a := img.At(b.Min.X+2*x+i%2, b.Min.Y+2*y+i/2).RGBA()
				sum[0], sum[1], sum[2], sum[3] = sum[0]+r, sum[1]+g, sum[2]+bl, sum[3]+a
			}
			out.SetRGBA64(x, y, color.RGBA64{uint16(sum[0] / 4), uint16(sum[1] / 4), uint16(sum[2] / 4), uint16(sum[3] / 4)})
		}
	}
	return out
}

func save(path string, img image.Image) error {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
