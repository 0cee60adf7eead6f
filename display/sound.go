package display

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/dsp/window"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Waveform draws a signal against time, samples at a rate in hertz. Of a long one it draws, for each pixel, from the lowest to the highest
// sample, so that no peak is lost.
func Waveform[T Float](samples []T, rate float64, options ...Option) *Figure {
	signal, warning, problem := sound(samples, rate)
	if problem != "" {
		return note(problem, options)
	}
	f := &Figure{columns: 1, settings: resolve(760, 240, options)}
	t := f.theme
	pl := t.newPlot()
	bounds := newSpan()
	bounds.include(signal)
	style := draw.LineStyle{Color: t.hue(0).strong, Width: vg.Length(0.75)}
	points := 0
	if n := f.width; len(signal) > 2*n {
		var e intervals
		for i := range n {
			part := newSpan()
			// One sample over the edge joins the strokes.
			part.include(signal[i*len(signal)/n : min((i+1)*len(signal)/n+1, len(signal))])
			e.at = append(e.at, interval{float64(i*len(signal)/n) / rate, part.lo, part.hi})
		}
		e.LineStyle = style
		pl.Add(e)
		points = n
	} else {
		xys := make(plotter.XYs, len(signal))
		for i, v := range signal {
			xys[i] = plotter.XY{X: float64(i) / rate, Y: v}
		}
		style.Width = 1.2
		addLine(pl, xys, style, len(xys) <= 60)
		points = len(xys)
	}
	pl.X.Label.Text, pl.Y.Label.Text = "time (s)", "amplitude"
	pl.X.Min, pl.X.Max = 0, float64(len(signal))/rate
	pl.Y.Min, pl.Y.Max = bounds.around().padded()
	pl.X.Tick.Marker, pl.Y.Tick.Marker = steps{n: 9}, steps{n: 5}
	p := &panel{plot: pl, title: "waveform", caption: soundCaption(len(signal), rate), warning: warning}
	f.add(p, points)
	f.about = "waveform of " + p.caption
	return f
}

// Spectrogram draws how loud each frequency of a signal is against time, samples at a rate in hertz, in decibels below the loudest: a
// short-time Fourier transform under Hann's window of about 25 ms that overlaps its neighbours by three quarters or, in a
// long signal, by less.
func Spectrogram[T Float](samples []T, rate float64, options ...Option) *Figure {
	signal, warning, problem := sound(samples, rate)
	if problem != "" {
		return note(problem, options)
	}
	size := 16
	for float64(size) < 0.025*rate && size < 4096 {
		size *= 2
	}
	if len(signal) < size {
		return note(fmt.Sprintf("nothing to draw: a spectrogram at %g Hz needs %d samples, and there are %d", rate, size, len(signal)), options)
	}
	const most = 600 // columns
	hop := max(size/4, (len(signal)-size)/most+1)
	power, _ := spectrum(signal, size, hop)
	frames := len(power[0])
	loudest := 0.0
	for _, row := range power {
		loudest = math.Max(loudest, slices.Max(row))
	}
	if loudest == 0 {
		return note("nothing to draw: the signal is silent", options)
	}
	const floor = -80.0
	for _, row := range power {
		for i, p := range row {
			row[i] = max(floor, 10*math.Log10(p/loudest+1e-12))
		}
	}
	f := &Figure{columns: 1, settings: resolve(760, 340, options)}
	t := f.theme
	bounds := span{floor, 0}
	pl := t.newPlot()
	seconds := float64((frames-1)*hop+size) / rate
	unit, scaleBy := "frequency (Hz)", 1.0
	if rate >= 4000 {
		unit, scaleBy = "frequency (kHz)", 1e-3
	}
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = 0, seconds, 0, rate/2*scaleBy
	pl.X.Label.Text, pl.Y.Label.Text = "time (s)", unit
	pl.X.Tick.Marker, pl.Y.Tick.Marker = steps{n: 8}, steps{n: 6}
	pl.Add(backdrop{(cells{values: power, color: t.colorsOf(t.sequential, bounds)}).image(1)})
	p := &panel{
		plot: pl, title: "spectrogram", scale: &scale{bounds: bounds, colors: t.sequential}, warning: warning,
		caption: fmt.Sprintf("%s; dB below the loudest, window %.3g ms", soundCaption(len(signal), rate), 1000*float64(size)/rate),
	}
	f.add(p, 1)
	f.about = "spectrogram of " + p.caption
	return f
}

// spectrum is the power of each band, the highest first as a matrix is drawn, in windows of a size that begin a hop apart.
func spectrum(signal []float64, size, hop int) (power [][]float64, bands int) {
	frames := (len(signal)-size)/hop + 1
	bands = size/2 + 1
	power = make([][]float64, bands)
	for b := range power {
		power[b] = make([]float64, frames)
	}
	fft := fourier.NewFFT(size)
	part, coefficients := make([]float64, size), make([]complex128, bands)
	for i := range frames {
		copy(part, signal[i*hop:i*hop+size])
		for b, c := range fft.Coefficients(coefficients, window.Hann(part)) {
			power[bands-1-b][i] = real(c)*real(c) + imag(c)*imag(c)
		}
	}
	return power, bands
}

// sound copies a signal, with silence where there is no number.
func sound[T Float](samples []T, rate float64) (signal []float64, warning, problem string) {
	if len(samples) == 0 {
		return nil, "", "nothing to draw: there are no samples"
	}
	if !(rate > 0) || math.IsInf(rate, 1) {
		return nil, "", fmt.Sprintf("nothing to draw: the sampling rate is %g; it must be above 0, in hertz", rate)
	}
	signal = wide([][]T{samples})[0]
	if c := countBad(signal); c.any() {
		if c.nan+c.inf == len(signal) {
			return nil, "", "nothing to draw: no sample is a number"
		}
		warning = "taken for silence: " + c.String()
		for i, v := range signal {
			if !finite(v) {
				signal[i] = 0
			}
		}
	}
	return signal, warning, ""
}

func soundCaption(n int, rate float64) string {
	return fmt.Sprintf("%.3g s, %s at %g Hz", float64(n)/rate, count(n, "sample"), rate)
}
