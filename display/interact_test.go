package display

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

func TestControls(t *testing.T) {
	s := Slider("smoothing", 0, 0.9, 2)
	if s.Value() != 0.9 {
		t.Errorf("a slider that begins beyond its end stands at %g", s.Value())
	}
	for _, said := range []string{"10 0.5", "9 0.1", "nothing", "11 NaN", "12", ""} { // of which the first alone counts
		s.take(said)
	}
	if s.Value() != 0.5 {
		t.Errorf("the slider stands at %g, want 0.5", s.Value())
	}
	s.take("13 -7")
	if s.Value() != 0 {
		t.Errorf("the slider stands at %g, want its end, 0", s.Value())
	}
	c := Select("shape", "round", "square")
	c.take("1 1")
	if c.Index() != 1 || c.Value() != "square" {
		t.Errorf("chosen is %d, %q", c.Index(), c.Value())
	}
	b := Button("again")
	b.take("1 3")
	if b.Clicks() != 3 {
		t.Errorf("%d clicks", b.Clicks())
	}
	for want, c := range map[string]Control{
		`Slider "a" from 3 to 1 at 2`:      Slider("a", 3, 1, 2),
		`Slider "b" from 0 to NaN`:         Slider("b", 0, math.NaN(), 0),
		`LogSlider "c" from 0 to 1`:        LogSlider("c", 0, 1, 0.5),
		`Steps(5) must be above 0 and fit`: Slider("d", 0, 1, 0).Steps(5),
		`there are no options`:             Select("e"),
		`control 1 is nil`:                 (*SliderControl)(nil),
	} {
		if got := newInteraction(nil, []Control{c}).problem(); !strings.Contains(got, want) {
			t.Errorf("the problem is %q, want %q", got, want)
		}
	}
	if got := Select("e").Value(); got != "" {
		t.Errorf("of no options %q is chosen", got)
	}
}

// The page's script gets what it needs, and words stand where it cannot run.
func TestPanelOfControls(t *testing.T) {
	i := newInteraction(nil, []Control{LogSlider("rate <r>", 1e-4, 1, 0.01), Select("shape", "</script>", "square"), Button("again")})
	panel := i.panel()
	if want := "rate &lt;r&gt; from 0.0001 to 1; shape: &lt;/script&gt;, square; again</div><script>"; !strings.Contains(panel, want) {
		t.Errorf("the words of %.600s", panel)
	}
	if strings.Count(panel, "</script>") != 1 {
		t.Error("an option ends the script")
	}
	given := regexp.MustCompile(`(?s)\}\)\("nnkit-controls-[^"]+", "/nnkit/[^"]+", "", (\[.*\]), (\{[^{}]*\})\)</script>$`).FindStringSubmatch(panel)
	if given == nil {
		t.Fatalf("the script ends with %s", panel[max(0, len(panel)-700):])
	}
	var controls []map[string]any
	if err := json.Unmarshal([]byte(given[1]), &controls); err != nil || len(controls) != 3 {
		t.Fatalf("%v in %s", err, given[1])
	}
	if c := controls[0]; c["kind"] != "slider" || c["logarithmic"] != true || c["value"] != 0.01 || c["address"] == controls[1]["address"] {
		t.Errorf("the slider is %v", c)
	}
}

// What goes wrong in the function of an Interact is said in the figure's place.
func TestInteractionSaysWhatIsWrong(t *testing.T) {
	for want, draw := range map[string]func() *Figure{
		"Interact was given no function":       nil,
		"returned no figure":                   func() *Figure { return nil },
		"the figure could not be drawn: a bug": func() *Figure { panic("a bug") },
	} {
		if got := newInteraction(draw, nil).drawn().String(); !strings.Contains(got, want) {
			t.Errorf("says %q, want %q", got, want)
		}
	}
}

// After a move the figure is drawn again: by itself, or in a training that has the interaction, by this training alone.
func TestInteraction(t *testing.T) {
	power := Slider("power", 0, 10, 1)
	shown := make(chan string, 100000)
	training := false // written and read without a lock: the race detector tells when both happen at once
	draw := func() *Figure {
		return Curve(Metrics{"loss": {1, 2}}, Title(fmt.Sprintf("power %g, %v", power.Value(), training)))
	}
	i := &Interaction{interaction: newInteraction(draw, []Control{power})}
	var third atomic.Bool // whether a figure with 3 has been shown
	i.screen = func(f *Figure) {
		if strings.HasPrefix(f.String(), "power 3") {
			third.Store(true)
		}
		shown <- f.String()
	}
	i.redraw(false)
	i.listen()
	expect := func(want string) {
		t.Helper()
		for got := range shown {
			if strings.HasPrefix(got, want) {
				return
			}
		}
	}
	expect("power 1, false")
	power.take("1 2")
	expect("power 2, false")

	clinic := data.Clinic(1)
	m := exampleModel()
	if err := m.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy); err != nil {
		t.Fatal(err)
	}
	moved := nnkit.OnBatchEnd(func(tr *nnkit.Training) {
		training = true
		if tr.Epoch == 1 && tr.Batch == 1 {
			power.take("2 3")
		}
		if third.Load() { // some batches later, since it is noticed in a goroutine
			tr.Stop("it is drawn")
		}
	})
	if _, err := m.Fit(clinic.X, clinic.Y, nnkit.Epochs(100000), nnkit.Verbose(0), moved, i); err != nil {
		t.Fatal(err)
	}
	expect("power 3, true")
	power.take("3 4")
	expect("power 4, true")
}

// A page that is loaded while the program lives is told how the controls stand and, since no display id leads to what it shows, each figure.
func TestInteractionMeetsPages(t *testing.T) {
	power, shape := Slider("power", 0, 10, 1), Select("shape", "round", "square")
	i := newInteraction(func() *Figure {
		return Curve(Metrics{"loss": {1, 2}}, Title(fmt.Sprintf("power %g", power.Value())))
	}, []Control{power, shape})
	i.screen = func(*Figure) {}
	var said []string
	i.tell = func(text string) { said = append(said, text) }
	for _, tt := range []struct {
		does func()
		want string // what is said then, with the figure's title in the place of its picture
	}{
		{func() { i.redraw(false) }, ``},
		{func() { i.meet("first") }, `{"values":[1,0]}`},
		{func() { power.take("7 3"); shape.take("5 1"); i.redraw(false) }, ``},
		{func() { i.meet("first") }, `{"values":[3,1],"last":7}`},
		{func() { i.meet("later") }, `{"values":[3,1],"last":7,"figure":"power 3"}`},
		{func() { power.take("8 4"); i.redraw(true) }, `{"figure":"power 4"}`},
	} {
		said = nil
		tt.does()
		got := regexp.MustCompile(`"figure":"\\u003cimg [^}]*alt=\\"(power \d)[^}]*"`).ReplaceAllString(strings.Join(said, "\n"), `"figure":"$1"`)
		if got != tt.want {
			t.Errorf("says %.300s, want %s", got, tt.want)
		}
	}
}

// Outside a notebook a figure that nobody can move prints its line.
func ExampleInteract() {
	smooth := Slider("smoothing", 0, 0.99, 0.6)
	Interact(func() *Figure {
		return Curve(Metrics{"loss": {3, 2, 1}}, Smooth(smooth.Value()))
	}, smooth)
	// Output: loss over 3 epochs; loss best training 1.0000 at epoch 3
}
