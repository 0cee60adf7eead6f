package display

import (
	"bytes"
	"encoding/base64"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a time that passes only when told to.
type clock struct {
	mu    sync.Mutex
	t     time.Time
	wakes []wake
}

type wake struct {
	at time.Time
	f  func()
}

func newClock() *clock { return &clock{t: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	c.wakes = slices.DeleteFunc(c.wakes, func(w wake) bool {
		if w.at.After(c.t) {
			return false
		}
		w.f()
		return true
	})
}

// after calls f when d has passed.
func (c *clock) after(d time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakes = append(c.wakes, wake{c.t.Add(d), f})
}

// record is a screen that keeps what it was shown and when.
type record struct {
	clock *clock
	text  bool
	shown []string
	at    []time.Time
	why   []moment
}

func (r *record) html() bool { return !r.text }

func (r *record) wants(moment) bool { return true }

func (r *record) show(page, text string, at moment) {
	if r.text {
		page = text
	}
	r.shown = append(r.shown, page)
	r.at = append(r.at, r.clock.now())
	r.why = append(r.why, at)
}

func recorded(text bool, options ...Option) (*run, *record, *clock) {
	c := newClock()
	rec := &record{clock: c, text: text}
	r := newRun(options)
	r.now, r.after = c.now, c.after
	r.open = func() screen { return rec }
	return r, rec, c
}

// train reports a run of epochs times batches, each batch taking d.
func train(r *run, c *clock, epochs, batches int, d time.Duration) {
	r.begin(epochs, batches)
	for e := 1; e <= epochs; e++ {
		loss := math.Exp(-float64(e) / 4)
		for b := 1; b <= batches; b++ {
			c.pass(d)
			r.step(e, b, func(set func(string, float64)) { set("loss", loss*1.01) })
		}
		r.epochEnd(e, func(set func(string, float64)) {
			set("loss", loss)
			set("accuracy", 1-loss/2)
			set("val_loss", loss*1.1)
			set("val_accuracy", 1-loss/1.9)
		})
	}
}

func TestLiveShowsAtMostFourPicturesASecond(t *testing.T) {
	for _, d := range []time.Duration{time.Microsecond, 300 * time.Microsecond, 40 * time.Millisecond, time.Second} {
		r, rec, c := recorded(false)
		train(r, c, 20, 50, d)
		r.end("")
		for i := 1; i < len(rec.at)-1; i++ { // the last picture may come at any time
			if gap := rec.at[i].Sub(rec.at[i-1]); gap < updateEvery {
				t.Errorf("batches of %v: pictures %d and %d are %v apart", d, i-1, i, gap)
			}
		}
		if most := int(rec.at[len(rec.at)-1].Sub(rec.at[0])/updateEvery) + 2; len(rec.at) > most {
			t.Errorf("batches of %v: %d pictures, want %d at most", d, len(rec.at), most)
		}
		if rec.why[len(rec.why)-1] != runEnded {
			t.Errorf("batches of %v: the last picture was not made at the end", d)
		}
	}
}

func TestLivePicture(t *testing.T) {
	r, rec, c := recorded(false, Title("a <b> & c"))
	train(r, c, 10, 20, 20*time.Millisecond)
	r.end("")
	last := rec.shown[len(rec.shown)-1]
	for _, want := range []string{"done, epoch 10 of 10", "4.0 s", "50 batches/s", "width:100.0%", "val accuracy", "a &lt;b&gt; &amp; c"} {
		if !strings.Contains(last, want) {
			t.Errorf("the last picture lacks %q", want)
		}
	}
	if strings.Contains(last, "left") {
		t.Error("the last picture speaks of time left")
	}
	m := regexp.MustCompile(`data:image/svg\+xml;base64,([^"]+)`).FindStringSubmatch(last)
	if m == nil {
		t.Fatal("the last picture has no curve")
	}
	svg, err := base64.StdEncoding.DecodeString(m[1])
	if err != nil {
		t.Fatal(err)
	}
	checkSVG(t, string(svg))
	half := rec.shown[len(rec.shown)/2]
	if !strings.Contains(half, " left") || !strings.Contains(half, "batch ") {
		t.Errorf("a picture on the way lacks batch or remaining time: %.400s", half)
	}
}

func TestLiveInterrupted(t *testing.T) {
	r, rec, c := recorded(false)
	r.begin(10, 20)
	c.pass(time.Second)
	r.step(1, 7, func(set func(string, float64)) { set("loss", math.NaN()) })
	r.end("interrupted")
	r.end("") // a second end changes nothing
	r.step(1, 8, nil)
	last := rec.shown[len(rec.shown)-1]
	for _, want := range []string{"interrupted, epoch 1 of 10, batch 7 of 20", "NaN", css(Light.warn)} {
		if !strings.Contains(last, want) {
			t.Errorf("the last picture lacks %q", want)
		}
	}
	if len(rec.shown) != 3 {
		t.Errorf("%d pictures, want 3", len(rec.shown))
	}
}

func TestLiveServesTwoRuns(t *testing.T) {
	r, rec, c := recorded(true)
	opened := 0
	open := r.open
	r.open = func() screen { opened++; return open() }
	for range 2 {
		train(r, c, 2, 3, time.Second)
		r.end("")
	}
	if opened != 2 {
		t.Errorf("%d places for two runs", opened)
	}
	last := rec.shown[len(rec.shown)-1]
	if want := "done, epoch 2 of 2, 6.0 s, 1 batches/s; loss 0.6065, accuracy 0.6967, val_loss 0.6672, val_accuracy 0.6808"; last != want {
		t.Errorf("last line\n%s\nwant\n%s", last, want)
	}
}

func TestTextScreen(t *testing.T) {
	var b bytes.Buffer
	for _, s := range []textScreen{{&b, false}, {&b, true}} {
		s.show("", "batch", batchEnded)
		s.show("", "epoch", epochEnded)
		s.show("", "end", runEnded)
	}
	want := "epoch\nend\n\r\x1b[Kbatch\r\x1b[Kepoch\r\x1b[Kend\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// In a file each epoch has a line, but for those that end within a quarter of a second of the one before.
func TestTextOfEpochs(t *testing.T) {
	for d, want := range map[time.Duration]int{100 * time.Millisecond: 6 + 1, 10 * time.Millisecond: 2 + 1} {
		var b bytes.Buffer
		r, _, c := recorded(true)
		r.open = func() screen { return textScreen{&b, false} }
		train(r, c, 6, 10, d)
		r.end("")
		if lines := strings.Count(b.String(), "\n"); lines != want {
			t.Errorf("batches of %v: %d lines, want %d:\n%s", d, lines, want, b.String())
		}
	}
}

// Reports may come from one goroutine and the end from another, as when a run is cancelled.
func TestLiveFromTwoGoroutines(t *testing.T) {
	r, _, c := recorded(false)
	r.begin(3, 100)
	var wg sync.WaitGroup
	wg.Go(func() {
		for b := 1; b <= 100; b++ {
			c.pass(10 * time.Millisecond)
			r.step(1, b, func(set func(string, float64)) { set("loss", 1/float64(b)) })
		}
		r.epochEnd(1, func(set func(string, float64)) { set("loss", 0.1) })
	})
	wg.Go(func() { r.end("interrupted") })
	wg.Wait()
}

// What Live costs a batch is a look at a flag.
func BenchmarkLiveBetweenPictures(b *testing.B) {
	r := newRun(nil)
	rec := &record{clock: newClock()}
	r.open = func() screen { return rec }
	r.after = func(time.Duration, func()) {}
	r.begin(1, b.N)
	b.ReportAllocs()
	for i := range b.N {
		r.step(1, i, nil)
	}
}

func BenchmarkLivePicture(b *testing.B) {
	r, _, c := recorded(false)
	train(r, c, 100, 1, time.Millisecond)
	for b.Loop() {
		r.drawn = 0 // an epoch has ended since
		r.picture("", c.now(), epochEnded)
	}
}
