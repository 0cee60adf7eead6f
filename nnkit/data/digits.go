package data

import (
	"fmt"
	"math"
)

// digitSize is the height and width of a rendered digit, as of MNIST's.
const digitSize = 28

// Digits draws n digits with a pen, 28×28 pixels of one channel: strokes whose points are moved a little, turned,
// slanted, scaled and shifted, with a line of varying thickness and darkness and some noise, all at random. It is a
// stand-in for MNIST where there is no network, and like it to look at; a small convolutional network reads some 98 %.
// Row i shows the digit i modulo 10. Pixels go from 0, paper, to 1, ink.
func Digits(n, seed int) (*Examples, error) {
	if err := checkRows("Digits", n, digitSize*digitSize); err != nil {
		return nil, err
	}
	e := &Examples{Name: "Digits (rendered)"}
	x, y := make([]float32, n*digitSize*digitSize), make([]float32, n)
	inBlocks(n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			drawDigit(x[i*digitSize*digitSize:][:digitSize*digitSize], i%10, rowDraws(seed, i))
			y[i] = float32(i % 10)
		}
	})
	for d := range 10 {
		e.Classes = append(e.Classes, fmt.Sprint(d))
	}
	e.X, e.Y = tensor(x, n, digitSize, digitSize, 1), tensor(y, n)
	return e, nil
}

type point struct{ x, y float64 }

// stroke is a line that goes smoothly through its points, or straight where it is not curved. The digit lies between
// (0, 0), top left, and (1, 1).
type stroke struct {
	curved bool
	points []point
}

func curve(points ...point) stroke { return stroke{true, points} }
func line(points ...point) stroke  { return stroke{false, points} }

// digitForms has the ways to write each digit.
var digitForms = [10][][]stroke{
	{
		{curve(point{0.5, 0}, point{0.2, 0.15}, point{0.12, 0.5}, point{0.2, 0.85}, point{0.5, 1}, point{0.8, 0.85}, point{0.88, 0.5}, point{0.8, 0.15}, point{0.5, 0})},
		{curve(point{0.62, 0.02}, point{0.25, 0.2}, point{0.15, 0.6}, point{0.3, 0.95}, point{0.6, 0.95}, point{0.85, 0.6}, point{0.8, 0.2}, point{0.5, 0.05})},
	},
	{
		{line(point{0.5, 0}, point{0.5, 1})},
		{line(point{0.28, 0.22}, point{0.55, 0}, point{0.55, 1})},
		{line(point{0.3, 0.2}, point{0.52, 0}, point{0.52, 1}), line(point{0.25, 1}, point{0.8, 1})},
	},
	{
		{curve(point{0.15, 0.25}, point{0.3, 0.04}, point{0.6, 0}, point{0.82, 0.2}, point{0.75, 0.45}, point{0.45, 0.72}, point{0.12, 1}), line(point{0.12, 1}, point{0.9, 1})},
		{
			curve(point{0.18, 0.2}, point{0.45, 0}, point{0.75, 0.15}, point{0.72, 0.45}, point{0.4, 0.85}, point{0.2, 0.97}, point{0.15, 0.85}, point{0.3, 0.78}, point{0.6, 0.95}, point{0.9, 0.93}),
		},
	},
	{
		{
			curve(point{0.15, 0.12}, point{0.45, 0}, point{0.78, 0.12}, point{0.75, 0.38}, point{0.42, 0.48}),
			curve(point{0.42, 0.48}, point{0.8, 0.58}, point{0.85, 0.82}, point{0.5, 1}, point{0.12, 0.88}),
		},
		{line(point{0.18, 0.02}, point{0.8, 0.02}, point{0.45, 0.4}), curve(point{0.45, 0.4}, point{0.82, 0.52}, point{0.85, 0.8}, point{0.5, 1}, point{0.15, 0.9})},
	},
	{
		{line(point{0.62, 0}, point{0.1, 0.65}, point{0.92, 0.65}), line(point{0.68, 0.35}, point{0.66, 1})},
		{line(point{0.2, 0.02}, point{0.14, 0.52}, point{0.82, 0.52}), line(point{0.8, 0.02}, point{0.74, 1})},
		{line(point{0.7, 1}, point{0.7, 0}, point{0.12, 0.68}, point{0.9, 0.68})},
	},
	{
		{line(point{0.82, 0}, point{0.28, 0}, point{0.22, 0.42}), curve(point{0.22, 0.42}, point{0.5, 0.36}, point{0.82, 0.52}, point{0.82, 0.8}, point{0.5, 1}, point{0.15, 0.9})},
		{line(point{0.26, 0}, point{0.24, 0.4}), curve(point{0.24, 0.4}, point{0.65, 0.42}, point{0.82, 0.7}, point{0.55, 1}, point{0.15, 0.92}), line(point{0.26, 0.02}, point{0.85, 0})},
	},
	{
		{curve(point{0.72, 0.02}, point{0.38, 0.2}, point{0.17, 0.6}, point{0.25, 0.92}, point{0.55, 1}, point{0.82, 0.82}, point{0.72, 0.54}, point{0.42, 0.5}, point{0.18, 0.7})},
		{curve(point{0.45, 0}, point{0.22, 0.4}, point{0.2, 0.8}, point{0.45, 1}, point{0.76, 0.9}, point{0.74, 0.62}, point{0.45, 0.58}, point{0.2, 0.78})},
	},
	{
		{line(point{0.12, 0.02}, point{0.88, 0.02}, point{0.4, 1})},
		{line(point{0.12, 0.02}, point{0.86, 0.02}, point{0.42, 1}), line(point{0.3, 0.5}, point{0.78, 0.5})},
		{line(point{0.14, 0.16}, point{0.14, 0.02}), curve(point{0.14, 0.02}, point{0.5, 0.06}, point{0.86, 0.02}, point{0.6, 0.45}, point{0.5, 1})},
	},
	{
		{curve(point{0.5, 0.47}, point{0.2, 0.3}, point{0.28, 0.06}, point{0.5, 0}, point{0.72, 0.06}, point{0.8, 0.3}, point{0.5, 0.47}, point{0.15, 0.7}, point{0.25, 0.95}, point{0.5, 1}, point{0.75, 0.95}, point{0.85, 0.7}, point{0.5, 0.47})},
		{curve(point{0.78, 0.1}, point{0.45, 0}, point{0.24, 0.2}, point{0.5, 0.46}, point{0.78, 0.75}, point{0.5, 1}, point{0.22, 0.78}, point{0.48, 0.48}, point{0.78, 0.12})},
	},
	{
		{curve(point{0.8, 0.3}, point{0.55, 0.5}, point{0.25, 0.42}, point{0.2, 0.15}, point{0.5, 0}, point{0.78, 0.12}, point{0.82, 0.4}, point{0.72, 0.75}, point{0.45, 1})},
		{curve(point{0.76, 0.12}, point{0.45, 0}, point{0.2, 0.2}, point{0.35, 0.46}, point{0.68, 0.38}, point{0.78, 0.1}), line(point{0.78, 0.1}, point{0.74, 1})},
	},
}

// drawDigit draws one digit into an image of zeros.
func drawDigit(image []float32, digit int, r *draws) {
	forms := digitForms[digit]
	form := forms[r.pick(len(forms))]
	var (
		turn          = r.normal(0.02) // of a full circle
		slant         = r.normal(0.15)
		width, height = r.uniform(10, 17), r.uniform(16, 21)
		dx, dy        = r.uniform(-2, 2), r.uniform(-2, 2)
		radius        = r.uniform(0.7, 1.6)
		ink           = r.uniform(0.8, 1)
		noise         = r.uniform(0, 0.06)
		cos, sin      = cosine(turn), sine(turn)
	)
	distance := make([]float64, len(image)) // of each pixel from the line, squared
	for i := range distance {
		distance[i] = math.Inf(1)
	}
	for _, s := range form {
		moved := make([]point, len(s.points))
		for i, p := range s.points {
			x := float64(width * (p.x - 0.5 + r.normal(0.025)))
			y := float64(height * (p.y - 0.5 + r.normal(0.018)))
			x -= float64(slant * y)
			moved[i] = point{
				float64(cos*x) - float64(sin*y) + digitSize/2 + dx,
				float64(sin*x) + float64(cos*y) + digitSize/2 + dy,
			}
		}
		if s.curved {
			moved = smooth(moved)
		}
		for i := range len(moved) - 1 {
			nearSegment(distance, moved[i], moved[i+1], radius+1)
		}
	}
	for i, d := range distance {
		v := float64(ink*limit(radius+0.5-math.Sqrt(d), 0, 1)) + r.normal(noise)
		image[i] = float32(limit(v, 0, 1))
	}
}

// smooth puts points between those given, on the Catmull-Rom spline through them.
func smooth(p []point) []point {
	const parts = 6
	at := func(i int) point { return p[min(max(i, 0), len(p)-1)] }
	var out []point
	for i := range len(p) - 1 {
		a, b, c, d := at(i-1), at(i), at(i+1), at(i+2)
		for k := range parts {
			t := float64(k) / parts
			out = append(out, point{spline(a.x, b.x, c.x, d.x, t), spline(a.y, b.y, c.y, d.y, t)})
		}
	}
	return append(out, p[len(p)-1])
}

func spline(a, b, c, d, t float64) float64 {
	q1 := c - a
	q2 := 2*a - float64(5*b) + 4*c - d
	q3 := float64(3*(b-c)) + d - a
	y := float64(q3 * t)
	y = float64((y + q2) * t)
	y = float64((y + q1) * t)
	return b + y/2
}

// nearSegment lowers the squared distances of the pixels within reach of a segment.
func nearSegment(distance []float64, a, b point, reach float64) {
	from := func(v, w float64) int { return max(0, int(math.Floor(math.Min(v, w)-reach))) }
	to := func(v, w float64) int { return min(digitSize-1, int(math.Ceil(math.Max(v, w)+reach))) }
	ux, uy := b.x-a.x, b.y-a.y
	length := float64(ux*ux) + float64(uy*uy)
	for y := from(a.y, b.y); y <= to(a.y, b.y); y++ {
		for x := from(a.x, b.x); x <= to(a.x, b.x); x++ {
			px, py := float64(x)+0.5-a.x, float64(y)+0.5-a.y
			t := 0.0
			if length > 0 {
				t = limit((float64(px*ux)+float64(py*uy))/length, 0, 1)
			}
			px -= float64(t * ux)
			py -= float64(t * uy)
			at := y*digitSize + x
			distance[at] = math.Min(distance[at], float64(px*px)+float64(py*py))
		}
	}
}
