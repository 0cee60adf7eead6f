//go:build notebooks

package notebooks

import (
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var output = flag.String("output", "", "keep the executed notebooks and their pages in this folder")

// Every tutorial is executed by the kernel's own run command, as a whole and without an error: what a notebook claims, it checks
// itself. The numbers that its text names are those that its cells show.
func TestExecuted(t *testing.T) {
	dir := *output
	if dir == "" {
		dir = t.TempDir()
	}
	kernel := filepath.Join(t.TempDir(), "kernel")
	if out, err := exec.Command("go", "build", "-o", kernel, "../kernel").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, path := range tutorials(t) {
		name := strings.TrimSuffix(path, ".ipynb")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			executed, page := filepath.Join(dir, name+".ipynb"), filepath.Join(dir, name+".html")
			if err := os.MkdirAll(filepath.Dir(executed), 0o755); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(kernel, "run", path, "--output", executed, "--html", page).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			nb := read(t, executed)
			count := 0
			for _, c := range nb.Cells {
				if c.Kind != "code" {
					continue
				}
				count++
				if c.ExecutionCount == nil || *c.ExecutionCount != count {
					t.Errorf("cell %s did not run as the %d.", c.ID, count)
				}
			}
			saysTheTruth(t, nb)
		})
	}
}

var (
	// What of a text is no claim: code, formulas, and where links lead.
	noClaim = regexp.MustCompile("(?s)```.*?```|`[^`]*`|\\$\\$.*?\\$\\$|\\$[^$\n]*\\$|\\]\\([^)]*\\)")
	tryIt   = regexp.MustCompile("(?m)^## (Try it yourself|自己试一试)$")
	number  = regexp.MustCompile(`[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]\d+)?(?: ?%)?`)
	numeral = regexp.MustCompile(`[-+−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?`)
)

// saysTheTruth looks for each number of a notebook's text among those that its cells hold or show. Small whole numbers are not looked for,
// which a text has for many reasons, nor are years.
func saysTheTruth(t *testing.T, nb notebook) {
	var shown []float64
	for _, c := range nb.Cells {
		text := c.Source.String()
		if c.Kind == "code" {
			for _, o := range c.Outputs {
				text += " " + o.Text.String() + " " + o.Data.Plain.String()
			}
		} else {
			text = strings.Join(noClaim.FindAllString(text, -1), " ")
		}
		for _, s := range numeral.FindAllString(strings.ReplaceAll(text, ",", ""), -1) {
			if v, err := strconv.ParseFloat(strings.TrimPrefix(strings.ReplaceAll(s, "−", "-"), "+"), 64); err == nil {
				shown = append(shown, math.Abs(v))
			}
		}
	}
	for _, c := range nb.Cells {
		if c.Kind != "markdown" {
			continue
		}
		text := tryIt.Split(c.Source.String(), 2)[0] // what comes of that, readers shall see
		for _, s := range number.FindAllString(noClaim.ReplaceAllString(text, " "), -1) {
			if !isShown(s, shown) {
				t.Errorf("cell %s says %s, which no cell holds or shows", c.ID, s)
			}
		}
	}
}

// isShown tells whether a number of a text is, rounded to the text's digits, among the values: for a percentage also as a share.
func isShown(s string, values []float64) bool {
	s, percent := strings.CutSuffix(s, "%")
	s = strings.NewReplacer(",", "", "−", "", "-", "").Replace(strings.TrimSpace(s))
	if strings.Contains(s, "e") {
		return true // an order of magnitude
	}
	v, err := strconv.ParseFloat(s, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	if err != nil || fraction == "" && !percent && (len(whole) < 3 || v >= 1900 && v < 2100) {
		return err == nil
	}
	half := 0.5*math.Pow10(-len(fraction)) + 1e-9
	return slices.ContainsFunc(values, func(shown float64) bool {
		return math.Abs(shown-v) <= half || percent && math.Abs(100*shown-v) <= half
	})
}

// What the check above finds, and what it lets pass.
func TestIsShown(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{"0.746", true},
		{"0.75", true},
		{"0.747", false},
		{"75 %", true},
		{"74.6 %", true},
		{"74.7 %", false},
		{"7,521", true},
		{"7,522", false},
		{"−0.012", true},
		{"12", true},
		{"2015", true},
		{"1e-07", true},
		{"123", false},
	} {
		if got := isShown(c.text, []float64{0.7461, 7521, 0.01156}); got != c.want {
			t.Errorf("%s: %v, want %v", c.text, got, c.want)
		}
	}
}
