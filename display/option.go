package display

import "sync"

// Option changes how a figure looks: [Title], [Size], a [Theme], [Chinese], and for those figures that know of it [Classes],
// [AxisNames], [LogAxis], [SharedAxis], [Smooth], [Perplexity] or [Within].
type Option interface{ apply(*settings) }

type settings struct {
	title         string
	width, height int
	theme         Theme
	classes       []string
	logAxis       bool
	sharedAxis    bool
	smooth        float64
	perplexity    float64  // 0 for the usual one
	region        *[2]span // nil for what the figure chooses
	axes          [2]string
	words         words
}

type option func(*settings)

func (o option) apply(s *settings) { o(s) }

// Title sets the line above the figure.
func Title(text string) Option {
	return option(func(s *settings) { s.title = text })
}

// Size sets the figure's width and height in CSS pixels, of which a notebook's column has about 900. A zero leaves
// that side as it is; sizes below 160 by 120 are raised to it, since nothing can be read there.
func Size(width, height int) Option {
	return option(func(s *settings) {
		if width > 0 {
			s.width = min(max(width, 160), maxSide)
		}
		if height > 0 {
			s.height = min(max(height, 120), maxSide)
		}
	})
}

// Classes names the classes that labels count from 0, for all figures that show them. Classes without a name are shown
// by their number.
func Classes(names ...string) Option {
	return option(func(s *settings) { s.classes = names })
}

// LogAxis draws the values of [Curve], [Compare] and [Plot] on a logarithmic axis, where a loss that falls by the same share in
// each epoch is a straight line. Values that are not above zero have no place there; they are left out and counted.
func LogAxis() Option {
	return option(func(s *settings) { s.logAxis = true })
}

// SharedAxis draws the panels of [Ridges] over the same values, so that hills of different panels can be compared. Without it each
// panel is as wide as its own values.
func SharedAxis() Option {
	return option(func(s *settings) { s.sharedAxis = true })
}

// Smooth draws the series of [Curve] and [Compare] as moving averages, with the measured values pale behind them. A value's
// neighbours count on both sides, each by the weight, from 0 (as measured) to below 1, less than the one before it: so the
// curve does not lag behind, as averages over the past alone do. With 0.9 about twenty values are averaged.
func Smooth(weight float64) Option {
	return option(func(s *settings) { s.smooth = min(max(weight, 0), 0.999) })
}

// titled resolves the settings of a figure whose parts have a size of their own, so that a title needs more height.
func titled(width, height int, options []Option) settings {
	if resolve(0, 0, options).title != "" {
		height += titleRoom
	}
	return resolve(width, height, options)
}

// titleRoom is how many pixels a title takes.
const titleRoom = 26

// maxSide bounds a figure, so that a slip in a size does not ask for gigabytes of PNG.
const maxSide = 8000

var defaults struct {
	sync.Mutex
	options []Option
}

// Defaults sets options for every figure made from now on; what a call passes itself comes after them. Without
// arguments it returns to the defaults of the package.
//
//	display.Defaults(display.Dark)
func Defaults(options ...Option) {
	defaults.Lock()
	defer defaults.Unlock()
	defaults.options = append([]Option(nil), options...)
}

// resolve gives the settings of a figure whose natural size is width by height.
func resolve(width, height int, options []Option) settings {
	s := settings{width: width, height: height, theme: Light}
	defaults.Lock()
	all := append(append([]Option(nil), defaults.options...), options...)
	defaults.Unlock()
	for _, o := range all {
		if o != nil {
			o.apply(&s)
		}
	}
	if len(s.theme.hues) == 0 { // a zero Theme
		s.theme = Light
	}
	s.theme.words = s.words
	return s
}
