package display

import (
	"fmt"
	"html"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
)

// updateEvery is the least time between two pictures: four a second are as many as the eye follows, and few enough
// that drawing them costs training nothing.
const updateEvery = 250 * time.Millisecond

// A picture that took long, on a slow or a busy machine, is followed by a pause of a hundred times as long, so that
// pictures cost a run one part in a hundred at most; but by no more than longestPause.
const (
	pausePerCost = 100
	longestPause = time.Second
)

// The curve is most of a picture's cost, and changes with each epoch only. A run of short epochs shows its progress four times a
// second and its curve more seldom: curves cost it one part in a thousand, unless that were less than one in longestCurvePause.
const (
	pausePerCurve     = 1000
	longestCurvePause = 5 * time.Second
)

// A run is the picture of a training run that is going on. Its owner reports every batch and every epoch; most
// reports end at a look whether a picture is due. That is a flag which a timer raises, since the clock itself costs a
// hundredth of the smallest networks' batches.
type run struct {
	settings
	now   func() time.Time
	after func(time.Duration, func())
	open  func() screen // called once for each run

	due      atomic.Bool
	position atomic.Uint64 // the epoch that is running, from 1, and in the lower half the batches of it that have ended

	mu       sync.Mutex
	screen   screen
	started  time.Time
	shown    time.Time // when the last picture was made
	pause    time.Duration
	epochs   int
	batches  int // per epoch; 0 when not known
	names    []string
	current  map[string]float64
	history  Metrics
	curve    string // the <img> of history
	drawn    int    // how many epochs curve shows
	redraw   time.Time
	finished bool
}

func newRun(options []Option) *run {
	r := &run{settings: resolve(720, 0, options), now: time.Now, open: newTextScreen}
	r.after = func(d time.Duration, f func()) { time.AfterFunc(d, f) }
	if gonbui.IsNotebook {
		r.open = newNotebookScreen
	}
	return r
}

// A screen is where pictures are seen. It says whether it wants more than the line of text, and at which moments.
type screen interface {
	html() bool
	wants(at moment) bool
	show(page, text string, at moment)
}

// A moment says why a picture was made.
type moment int

const (
	batchEnded moment = iota
	epochEnded
	runEnded
)

// begin starts the clock, again when one callback serves two runs. Each run has a picture of its own.
func (r *run) begin(epochs, batches int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = r.now()
	r.epochs, r.batches = epochs, batches
	r.at(1, 0)
	r.names, r.current = nil, map[string]float64{}
	r.history, r.curve, r.drawn, r.redraw, r.finished = Metrics{}, "", 0, time.Time{}, false
	r.screen = r.open()
	r.picture("", r.started, batchEnded)
}

// step reports that a batch has ended: epoch from 1, batch counted from 1. The values it is given are read only when
// it is time for a picture.
func (r *run) step(epoch, batch int, values func(set func(name string, value float64))) {
	r.at(epoch, batch)
	if !r.due.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches = max(r.batches, batch)
	now := r.now()
	if r.finished || now.Sub(r.shown) < r.pause || !r.screen.wants(batchEnded) {
		return
	}
	if values != nil {
		values(r.set)
	}
	r.picture("", now, batchEnded)
}

// epochEnd reports the values of an epoch that has ended.
func (r *run) epochEnd(epoch int, values func(set func(name string, value float64))) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at(epoch, r.batches)
	if values != nil {
		values(func(name string, value float64) {
			r.set(name, value)
			r.history[name] = append(r.history[name], value)
		})
	}
	if !r.due.Load() {
		return
	}
	now := r.now()
	if r.finished || now.Sub(r.shown) < r.pause {
		return
	}
	r.picture("", now, epochEnded)
}

// end makes the last picture. The outcome says how the run ended; it is empty when all epochs were run.
func (r *run) end(outcome string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finished || r.started.IsZero() {
		return
	}
	r.finished = true
	if outcome == "" {
		outcome = "done"
	}
	r.picture(outcome, r.now(), runEnded)
}

// at notes where the run is.
func (r *run) at(epoch, batch int) { r.position.Store(uint64(epoch)<<32 | uint64(uint32(batch))) }

func (r *run) where() (epoch, batch int) {
	p := r.position.Load()
	return int(p >> 32), int(uint32(p))
}

func (r *run) set(name string, value float64) {
	if _, known := r.current[name]; !known {
		r.names = append(r.names, name)
	}
	r.current[name] = value
}

// picture shows the run as it is.
func (r *run) picture(outcome string, now time.Time, at moment) {
	defer func() {
		r.shown = r.now()
		r.pause = min(max(updateEvery, r.shown.Sub(now)*pausePerCost), longestPause)
		r.due.Store(false)
		if at != runEnded {
			r.after(r.pause, func() { r.due.Store(true) })
		}
	}()
	head, clock := r.status(outcome, now)
	text := head + ", " + clock
	if r.title != "" {
		text = r.title + ": " + text
	}
	for i, name := range r.names {
		text += []string{"; ", ", "}[min(i, 1)] + name + " " + number(r.current[name])
	}
	page := ""
	if r.screen.html() {
		page = r.html(head, clock, outcome)
	}
	r.screen.show(page, text, at)
}

func (r *run) status(outcome string, now time.Time) (head, clock string) {
	epoch, batch := r.where()
	head = r.theme.say("epoch %d of %d", epoch, r.epochs)
	if r.batches > 0 && !(outcome != "" && batch == r.batches) {
		head = r.theme.say("%s, batch %d of %d", head, batch, max(r.batches, batch))
	}
	if outcome != "" {
		head = r.theme.say("%s, %s", r.theme.word(outcome), head)
	}
	elapsed := now.Sub(r.started)
	clock = duration(elapsed)
	done, all := r.progress()
	if done > 0 && elapsed > 0 {
		clock = r.theme.say("%s, %s batches/s", clock, rate(done/elapsed.Seconds()))
		if outcome == "" && done < all {
			clock = r.theme.say("%s, %s left", clock, duration(time.Duration(float64(elapsed)*(all-done)/done)))
		}
	}
	return head, clock
}

// progress counts batches, of those that have ended and of the whole run.
func (r *run) progress() (done, all float64) {
	per := float64(max(r.batches, 1))
	epoch, batch := r.where()
	return float64(epoch-1)*per + float64(batch), float64(r.epochs) * per
}

func (r *run) html(head, clock, outcome string) string {
	t := r.theme
	var b strings.Builder
	b.WriteString(r.openCard("13px/1.45"))
	fmt.Fprintf(&b, `<div><b style="margin-right:16px">%s</b> <span style="float:right;color:%s">%s</span></div>`,
		html.EscapeString(head), css(t.quiet), html.EscapeString(clock))
	done, all := r.progress()
	share := 0.0
	if all > 0 {
		share = min(max(done/all, 0), 1)
	}
	color := t.hue(0).strong
	if outcome != "" && outcome != "done" {
		color = t.warn
	}
	fmt.Fprintf(&b, `<div style="clear:both;height:6px;border-radius:3px;background:%s;margin:7px 0 8px">`+
		`<div style="height:6px;border-radius:3px;background:%s;width:%.1f%%"></div></div>`, css(t.grid), css(color), share*100)
	if len(r.names) > 0 {
		b.WriteString(`<div>`)
		for _, name := range r.names {
			v := r.current[name]
			ink := t.text
			if !finite(v) {
				ink = t.warn
			}
			fmt.Fprintf(&b, `<span style="display:inline-block;margin-right:22px"><span style="color:%s">%s</span> <span style="color:%s">%s</span></span> `,
				css(t.quiet), html.EscapeString(t.word(readable(name))), css(ink), number(v))
		}
		b.WriteString(`</div>`)
	}
	b.WriteString(r.curveImage(outcome))
	b.WriteString(`</div>`)
	return b.String()
}

// curveImage draws the history without a card of its own, again when an epoch has ended since and the last drawing is paid for. While the run goes on the axis is as long as the run will
// be, so that the curve grows into it.
func (r *run) curveImage(outcome string) string {
	epochs := 0
	for _, s := range r.history {
		epochs = max(epochs, len(s))
	}
	if epochs == 0 {
		return ""
	}
	start := r.now()
	if outcome != "" || epochs != r.drawn && !start.Before(r.redraw) {
		bare := r.theme
		bare.border = bare.card
		f := Curve(ordered{r.names, r.history}, bare, Title(""), Size(r.width-2, r.height))
		if outcome == "" && r.epochs > epochs {
			for _, p := range f.Plots() {
				p.X.Min, p.X.Max = 1, float64(r.epochs)
			}
		}
		r.curve, r.drawn = `<div style="margin:0 -16px -12px">`+f.HTML()+`</div>`, epochs
		end := r.now()
		r.redraw = end.Add(min(end.Sub(start)*pausePerCurve, longestCurvePause))
	}
	return r.curve
}

// ordered is Metrics in the order in which they were reported.
type ordered struct {
	names []string
	Metrics
}

func (o ordered) Names() []string { return o.names }

func css(c interface{ RGBA() (r, g, b, a uint32) }) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

// duration writes a time as one reads it off a watch.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
}

func rate(perSecond float64) string {
	if perSecond >= 10 {
		return fmt.Sprintf("%.0f", perSecond)
	}
	return fmt.Sprintf("%.2g", perSecond)
}
