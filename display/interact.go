package display

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Control is what a person moves to change a figure of [Interact]: a [Slider], a [LogSlider], a [Select] or a [Button].
type Control interface{ part() *control }

// control is what all of them are. Its value is a number: of a select the index, of a button how often it was pressed.
type control struct {
	Kind        string   `json:"kind"`
	Label       string   `json:"label"`
	Address     string   `json:"address"`
	Min         float64  `json:"min"`
	Max         float64  `json:"max"`
	Start       float64  `json:"value"`
	Step        float64  `json:"step"`
	Logarithmic bool     `json:"logarithmic"`
	Options     []string `json:"options"`

	problem string // why it cannot be shown
	value   atomic.Uint64

	mu      sync.Mutex
	heard   bool  // whether the page's values come here
	latest  int64 // the number of the last of them
	movings []func()
}

func newControl(kind, label string, lo, hi, start float64) *control {
	c := &control{Kind: kind, Label: label, Address: newAddress(), Min: lo, Max: hi, Start: start}
	c.set(start)
	return c
}

func newAddress() string { return "/nnkit/" + gonbui.UniqueId() }

func (c *control) part() *control { return c }

func (c *control) set(v float64) { c.value.Store(math.Float64bits(v)) }

func (c *control) get() float64 { return math.Float64frombits(c.value.Load()) }

// SliderControl is what [Slider] and [LogSlider] return.
type SliderControl struct{ *control }

// Slider is a [Control] for a number from min to max, which begins at value. A value outside is moved to the nearer end. It is for the figures
// of [Interact] and needs nothing but a page that runs scripts. The slider of package display/widgets is one of ipywidgets: it needs that, calls a
// function of yours, and is drawn by itself.
func Slider(label string, min, max, value float64) *SliderControl {
	c := newControl("slider", label, min, max, math.Min(math.Max(value, min), max))
	if !finite(min) || !finite(max) || min >= max || math.IsNaN(value) {
		c.problem = fmt.Sprintf("Slider %q from %g to %g at %g: the first must be below the second, and all must be numbers", label, min, max, value)
	}
	return &SliderControl{c}
}

// LogSlider is a [Slider] on which equal ways are equal factors, as for a learning rate. Its numbers are above 0.
func LogSlider(label string, min, max, value float64) *SliderControl {
	s := Slider(label, min, max, value)
	s.Logarithmic = true
	if s.problem == "" && min <= 0 {
		s.problem = fmt.Sprintf("LogSlider %q from %g to %g: both must be above 0", label, min, max)
	}
	return s
}

// Steps makes the slider move in steps, from its min on: Steps(1) for whole numbers. It returns the slider.
func (s *SliderControl) Steps(step float64) *SliderControl {
	s.Step = step
	if s.problem == "" && !(step > 0 && step <= s.Max-s.Min) {
		s.problem = fmt.Sprintf("Slider %q from %g to %g: Steps(%g) must be above 0 and fit between", s.Label, s.Min, s.Max, step)
	}
	return s
}

// Value returns the number at which the slider stands.
func (s *SliderControl) Value() float64 { return s.get() }

// SelectControl is what [Select] returns.
type SelectControl struct{ *control }

// Select is a [Control] for one of several options; the first is chosen at the beginning.
func Select(label string, options ...string) *SelectControl {
	c := newControl("select", label, 0, float64(len(options)-1), 0)
	c.Options = options
	if len(options) == 0 {
		c.problem = fmt.Sprintf("Select %q: there are no options to choose from", label)
	}
	return &SelectControl{c}
}

// Index returns which option is chosen, counted from 0.
func (s *SelectControl) Index() int { return int(s.get()) }

// Value returns the chosen option, "" where there are none.
func (s *SelectControl) Value() string {
	if len(s.Options) == 0 {
		return ""
	}
	return s.Options[s.Index()]
}

// ButtonControl is what [Button] returns.
type ButtonControl struct{ *control }

// Button is a [Control] that asks for the figure again.
func Button(label string) *ButtonControl {
	return &ButtonControl{newControl("button", label, 0, math.MaxInt32, 0)}
}

// Clicks returns how often the button has been pressed.
func (b *ButtonControl) Clicks() int { return int(b.get()) }

// hear takes what the page says from now on, and calls moved after each move.
func (c *control) hear(moved func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.movings = append(c.movings, moved)
	if !c.heard {
		c.heard = true
		comms.Subscribe(c.Address, func(_, said string) { c.take(said) })
	}
}

// take takes a value with its number. Values are delivered at once, each by a goroutine of its own, so an earlier one may come later.
func (c *control) take(said string) {
	number, text, _ := strings.Cut(said, " ")
	n, err := strconv.ParseInt(number, 10, 64)
	v, err2 := strconv.ParseFloat(text, 64)
	if err != nil || err2 != nil || math.IsNaN(v) {
		return // not of our script
	}
	c.mu.Lock()
	if n <= c.latest {
		c.mu.Unlock()
		return
	}
	c.latest = n
	c.set(math.Min(math.Max(v, c.Min), c.Max))
	movings := c.movings
	c.mu.Unlock()
	for _, moved := range movings {
		moved()
	}
}

// interaction is a figure that is drawn again, in its place, when a control has moved.
type interaction struct {
	settings
	draw     func() *Figure
	controls []*control
	screen   func(*Figure) // shows a figure in the place of the one before
	address  string        // of what the program and the page say of the whole
	tell     func(string)  // says something there

	moved   chan struct{}
	drawing sync.Mutex
	lent    bool        // whether a training draws, at its own times; guarded by drawing
	due     atomic.Bool // whether it should
	shown   time.Time   // when the last figure was, in a training
	figure  *Figure     // the last one; guarded by drawing
	page    string      // the page that was there when it was shown first; guarded by drawing
	later   bool        // whether a page was loaded since, which has to be told the figure; guarded by drawing
}

func newInteraction(draw func() *Figure, controls []Control) *interaction {
	i := &interaction{settings: resolve(560, 0, nil), draw: draw, moved: make(chan struct{}, 1), address: newAddress()}
	i.tell = func(text string) { comms.Send(i.address, text) }
	for _, c := range controls {
		var part *control
		if !isNil(c) {
			part = c.part()
		}
		i.controls = append(i.controls, part)
	}
	return i
}

// start shows the controls and the figure, and begins to follow the controls.
func (i *interaction) start() {
	if !gonbui.IsNotebook {
		i.screen = (*Figure).Show
		i.redraw(false)
		return
	}
	id := "nnkit-figure-" + gonbui.UniqueId()
	i.screen = func(f *Figure) { f.showIn(id) }
	if problem := i.problem(); problem != "" {
		i.screen(note("nothing to move: "+problem, []Option{i.theme}))
		return
	}
	if len(i.controls) > 0 {
		comms.Subscribe(i.address, func(_, page string) { i.meet(page) }) // before the page can ask
		gonbui.SendData(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
			protocol.MIMETextHTML: i.panel(), protocol.MIMETextPlain: i.words(),
		}})
	}
	i.redraw(false)
	i.listen()
}

// listen follows the controls from now on.
func (i *interaction) listen() {
	for _, c := range i.controls {
		c.hear(func() {
			select {
			case i.moved <- struct{}{}:
			default: // somebody sees to it already
			}
		})
	}
	go i.follow()
}

func (i *interaction) problem() string {
	for n, c := range i.controls {
		switch {
		case c == nil:
			return fmt.Sprintf("control %d is nil", n+1)
		case c.problem != "":
			return c.problem
		}
	}
	return ""
}

// follow draws again when a control has moved, for as long as the program lives.
func (i *interaction) follow() {
	for range i.moved {
		i.drawing.Lock()
		lent := i.lent
		if !lent {
			i.show(i.drawn())
		}
		i.drawing.Unlock()
		if lent {
			i.due.Store(true)
			continue
		}
		gonbui.Sync() // so that pictures do not pile up before a page that is slower
	}
}

// redraw shows the figure as it is now, and says who draws from now on.
func (i *interaction) redraw(lent bool) {
	i.drawing.Lock()
	defer i.drawing.Unlock()
	i.due.Store(false)
	i.show(i.drawn())
	i.shown, i.lent = time.Now(), lent
}

// show shows a figure in the place of the one before, on all pages. The caller holds the mutex.
func (i *interaction) show(f *Figure) {
	i.figure = f
	i.screen(f)
	if i.later {
		i.say(standing{Figure: f.HTML()})
	}
}

// standing is what the program tells a page of an interaction, as JSON.
type standing struct {
	Values []float64 `json:"values,omitempty"` // of the controls
	Last   int64     `json:"last,omitempty"`   // the highest number of one that has come from a page
	Figure string    `json:"figure,omitempty"`
}

func (i *interaction) say(s standing) {
	text, _ := json.Marshal(s) // of finite numbers and a string, which have a JSON
	i.tell(string(text))
}

// meet tells a page how the controls stand. The first page that asks is the one where the outputs have appeared, in which the notebook keeps the
// figure up to date by its display id. One that is loaded later gets saved outputs, whose ids no notebook keeps: it is told the figure, too.
func (i *interaction) meet(page string) {
	i.drawing.Lock()
	defer i.drawing.Unlock()
	if i.page == "" {
		i.page = page
	}
	var s standing
	for _, c := range i.controls {
		c.mu.Lock()
		s.Last = max(s.Last, c.latest)
		c.mu.Unlock()
		s.Values = append(s.Values, c.get())
	}
	if page != i.page && i.figure != nil {
		i.later = true
		s.Figure = i.figure.HTML()
	}
	i.say(s)
}

// drawn is the figure to show. What goes wrong in the user's function must not end the program from a goroutine of ours.
func (i *interaction) drawn() (f *Figure) {
	defer func() {
		if r := recover(); r != nil {
			f = note(fmt.Sprintf("the figure could not be drawn: %v", r), []Option{i.theme})
		}
	}()
	if i.draw == nil {
		return note("nothing to draw: Interact was given no function", []Option{i.theme})
	}
	if f = i.draw(); f == nil {
		return note("nothing to draw: the function of Interact returned no figure", []Option{i.theme})
	}
	return f
}

// words names the controls and what they can be moved to.
func (i *interaction) words() string {
	var words []string
	for _, c := range i.controls {
		switch c.Kind {
		case "slider":
			words = append(words, fmt.Sprintf("%s from %s to %s", c.Label, short(c.Min), short(c.Max)))
		case "select":
			words = append(words, fmt.Sprintf("%s: %s", c.Label, strings.Join(c.Options, ", ")))
		default:
			words = append(words, c.Label)
		}
	}
	return strings.Join(words, "; ")
}

//go:embed interact.js
var interactScript string

// panel is the controls as a part of the page: words, which a script makes into controls while there is a program behind them.
func (i *interaction) panel() string {
	t := i.theme
	id := "nnkit-controls-" + gonbui.UniqueId()
	controls, err := json.Marshal(i.controls)
	if err != nil {
		return html.EscapeString("the controls could not be shown: " + err.Error()) // a number that is none, which problem has seen
	}
	look, _ := json.Marshal(map[string]string{ // of strings, which have a JSON
		"card": css(t.card), "border": css(t.border), "text": css(t.text), "quiet": css(t.quiet), "accent": css(t.hue(0).strong),
	})
	card := fmt.Sprintf(`box-sizing:border-box;display:inline-block;max-width:100%%;padding:5px 16px;margin-bottom:6px;border:1px solid %s;`+
		`border-radius:7px;background:%s;color:%s;font:13px/1.6 'Liberation Sans',Arial,Helvetica,sans-serif`, css(t.border), css(t.card), css(t.quiet))
	return fmt.Sprintf(`<div id="%s" style="%s">%s</div><script>%s(%q, %q, %q, %s, %s)</script>`,
		id, card, html.EscapeString(i.words()), strings.TrimSpace(interactScript), id, i.address, os.Getenv(protocol.GONB_JUPYTER_KERNEL_ID_ENV), controls, look)
}
