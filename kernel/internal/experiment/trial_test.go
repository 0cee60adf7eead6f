package experiment

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestGrid(t *testing.T) {
	var axes []Axis
	for _, text := range []string{"rate=0.1, 0.01", "layers=[]int{1,2},[]int{3}", `name="a,b",c`} {
		a, err := ParseAxis(text)
		if err != nil {
			t.Fatal(err)
		}
		axes = append(axes, a)
	}
	want := []Axis{{"rate", []string{"0.1", "0.01"}}, {"layers", []string{"[]int{1,2}", "[]int{3}"}}, {"name", []string{`"a,b"`, "c"}}}
	if !reflect.DeepEqual(axes, want) {
		t.Errorf("the axes are %q, want %q", axes, want)
	}
	grid := Grid(axes)
	if len(grid) != 8 || !reflect.DeepEqual(grid[1], []Setting{{"rate", "0.1"}, {"layers", "[]int{1,2}"}, {"name", "c"}}) || grid[7][0].Value != "0.01" {
		t.Errorf("the grid is %q", grid)
	}
	if got := Grid(nil); len(got) != 1 || got[0] != nil {
		t.Errorf("without axes it is %q", got)
	}
	for _, text := range []string{"rate", "=1", "a=", "a=1,", "a=,1"} {
		if _, err := ParseAxis(text); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

// Whatever is written, the values joined by commas are what was written.
func FuzzParseAxis(f *testing.F) {
	for _, text := range []string{"a=1,2", "a=[]int{1,2},(3", "a=\"x,\\\"y\",`z,`", "a=}),("} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := strings.Join(splitValues(text), ","); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
		if a, err := ParseAxis(text); err == nil && len(a.Values) == 0 {
			t.Errorf("%q has no values", text)
		}
	})
}

// log is a run log of one training.
func log(metrics string) string {
	return `{"names": ["loss", "accuracy"], "maximize": ["accuracy"], "metrics": ` + metrics + `, "duration": 1.5}` + "\n"
}

func trials(t *testing.T, logs ...string) []Trial {
	t.Helper()
	var list []Trial
	for i, text := range logs {
		trial := Trial{Settings: []Setting{{"rate", "<" + string(rune('a'+i)) + ">"}}, Name: string(rune('1' + i))}
		var err error
		if trial.Trainings, err = parseRunLog("log", []byte(text)); err != nil {
			t.Fatal(err)
		}
		list = append(list, trial)
	}
	return list
}

// The best comes first, whichever way is better, and failures last.
func TestSort(t *testing.T) {
	order := func(list []Trial) string {
		var names []string
		for _, t := range list {
			names = append(names, t.Name)
		}
		return strings.Join(names, "")
	}
	list := trials(t, log(`{"loss": [0.9, 0.5], "accuracy": [0.1, 0.2]}`), log(`{"loss": [0.1, 0.4], "accuracy": [0.1, 0.1]}`)+log(`{"loss": [0.9, 0.3], "accuracy": [0.2, 0.9]}`), "",
		log(`{"loss": [0.01], "accuracy": [1]}`), log(`{"loss": [0.2, null], "accuracy": [0.3, 0.3]}`))
	list[3].Failure = "boom"
	if metric := DefaultMetric(list); metric != "loss" {
		t.Errorf("compared by %q", metric)
	}
	Sort(list, "loss")
	if got := order(list); got != "21354" {
		t.Errorf("by loss the order is %s", got)
	}
	Sort(list, "accuracy")
	if got := order(list); got != "25134" {
		t.Errorf("by accuracy the order is %s", got)
	}
	if v := list[0].Value("loss"); v != 0.3 {
		t.Errorf("the last training counts, not %v", v)
	}
	if v := list[3].Value("loss"); list[3].Name == "3" && !math.IsNaN(v) {
		t.Errorf("no training has the loss %v", v)
	}
}

// The page escapes what is not its own, and shows runs that failed or trained nothing.
func TestComparison(t *testing.T) {
	file := filepath.Join(t.TempDir(), "index.html")
	list := trials(t, log(`{"loss": [0.9, 0.5], "accuracy": [0.1, 0.2]}`), "", log(`{"loss": [0.7], "accuracy": [0.1]}`))
	list[1].Failure = "panic: <b>"
	metric, err := WriteComparisonFile(file, "A <title> & more", list, "")
	if err != nil || metric != "loss" {
		t.Fatal(metric, err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, want := range []string{
		"<title>A &lt;title&gt; &amp; more: 3 runs</title>", "&lt;a&gt;", "panic: &lt;b&gt;", "1 failed", `<polyline class="curve c1" points="52.0,`, `<circle class="dot c2"`,
		`<td class="number best">0.5</td>`, "(less is better)", `href="1.ipynb"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, not := range []string{"<script", "http://", "https://", "NaN", "ZgotmplZ"} {
		if strings.Contains(page, not) {
			t.Errorf("the page contains %s", not)
		}
	}
	if _, err := WriteComparisonFile(file, "t", list, "f1"); err == nil || !strings.Contains(err.Error(), "no such metric, but loss, accuracy") {
		t.Errorf("an unknown metric: %v", err)
	}
	if _, err := WriteComparisonFile(file, "t", trials(t, "", ""), ""); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{
		{0, 1, []float64{0, 0.5, 1}},
		{0.21, 0.78, []float64{0.4, 0.6}},
		{3, 3, []float64{3}},
		{-5, 1200, []float64{0, 500, 1000}},
		{1e-7, 9e-7, []float64{2e-7, 4e-7, 6e-7, 8e-7}},
	} {
		got := niceTicks(c.low, c.high)
		if len(got) != len(c.want) {
			t.Errorf("from %v to %v: %v, want %v", c.low, c.high, got, c.want)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-9*math.Abs(c.want[i]) {
				t.Errorf("from %v to %v: %v, want %v", c.low, c.high, got, c.want)
			}
		}
	}
}

// Any text is a run log or an error.
func FuzzRunLog(f *testing.F) {
	f.Add([]byte(log(`{"loss": [0.9, null]}`)))
	f.Add([]byte("{}\n\n[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := parseRunLog("log", data)
		if err != nil {
			return
		}
		list := []Trial{{Settings: []Setting{{"a", "1"}}, Trainings: found}}
		Sort(list, DefaultMetric(list))
		var b strings.Builder
		if err := comparison.Execute(&b, newComparison("t", list, DefaultMetric(list))); err != nil {
			t.Error(err)
		}
	})
}
