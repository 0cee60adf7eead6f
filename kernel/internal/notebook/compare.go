package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/jpeg" // pictures of cells
	_ "image/png"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Executing a notebook again gives the same outputs to the last bit, but for what
// is different every time: how long it took, what the clock shows, where temporary
// files lie, what address a value has. In texts that is masked on both sides before
// they are compared; in markup only what can be read is masked, and pictures made of
// pixels are compared as they are. Counts of executions, which tell how a person
// went through the notebook, are not compared, nor is what the go command tells of
// modules that it gets.

// ignoreOutput is nbval's tag for a cell whose outputs differ every time.
const ignoreOutput = "nbval-ignore-output"

// A Verdict is what a comparison of one cell's outputs has found.
type Verdict struct {
	Number      int // the cell's among those with code, from 1
	ID          string
	FirstLine   string
	Ignored     bool     // the cell is tagged "nbval-ignore-output", or locks the notebook
	Masked      bool     // the outputs are the same but for what is masked
	Differences []string // each of several lines
}

// Compare compares the outputs of a notebook's cells with those of another execution
// of the same notebook.
func Compare(recorded, again *Notebook) []Verdict {
	var verdicts []Verdict
	for n, i := range recorded.Executable() {
		c := recorded.Cells[i]
		v := Verdict{Number: n + 1, ID: c.ID, FirstLine: c.FirstLine()}
		if v.Ignored = c.Tagged(ignoreOutput) || locks.MatchString(c.Source); !v.Ignored {
			v.Differences, v.Masked = compareOutputs(c.Outputs, again.Cells[i].Outputs)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

func compareOutputs(recorded, again []*Output) (differences []string, masked bool) {
	was, is := formsOf(recorded), formsOf(again)
	for i := range max(len(was), len(is)) {
		switch {
		case i >= len(is):
			differences = append(differences, fmt.Sprintf("%s is missing:\n%s", was[i].name, indent("- ", was[i].excerpt())))
		case i >= len(was):
			differences = append(differences, fmt.Sprintf("%s is new:\n%s", is[i].name, indent("+ ", is[i].excerpt())))
		case was[i].name != is[i].name:
			differences = append(differences, fmt.Sprintf("%s has become %s:\n%s\n%s",
				was[i].name, is[i].name, indent("- ", was[i].excerpt()), indent("+ ", is[i].excerpt())))
			return differences, masked // the rest is out of step
		case was[i].content == is[i].content:
		case was[i].maskedContent() == is[i].maskedContent():
			masked = true
		default:
			differences = append(differences, was[i].difference(is[i]))
		}
	}
	return differences, masked
}

// A form is one form of an output.
type form struct {
	name    string // "stdout", "output 2, image/png"
	mime    string
	content string // of pictures, their bytes
}

// formsOf returns all that outputs show. What is printed to one stream without a
// pause is one.
func formsOf(outputs []*Output) []form {
	var forms []form
	shown := 0
	for _, out := range outputs {
		switch out.Type {
		case Stream:
			text := goTells.ReplaceAllString(overwrite(out.Text), "")
			if text == "" {
				continue
			}
			if n := len(forms); n > 0 && forms[n-1].name == out.Name {
				forms[n-1].content += text
				continue
			}
			forms = append(forms, form{out.Name, "text/plain", text})
		case Error:
			text := withoutEscapes(strings.Join(out.Traceback, "\n"))
			if text == "" {
				text = out.ErrorName + ": " + out.ErrorValue
			}
			forms = append(forms, form{"the error", "text/plain", cellCounts.ReplaceAllString(text, "Cell [‹n›]")})
		default:
			shown++
			for _, mime := range slices.Sorted(maps.Keys(out.Data)) {
				text, isText := out.Data[mime].(string)
				if !isText {
					plain, err := toPlain(out.Data[mime])
					if err != nil {
						continue
					}
					json, _ := appendJSON(nil, plain, "\n")
					text = string(json)
				}
				if strings.HasPrefix(mime, "image/") && mime != svgType {
					if data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
						text = string(data)
					}
				}
				forms = append(forms, form{fmt.Sprintf("output %d, %s", shown, mime), mime, text})
			}
		}
	}
	return forms
}

const svgType = "image/svg+xml"

func (f form) isPicture() bool { return strings.HasPrefix(f.mime, "image/") && f.mime != svgType }

func (f form) isMarkup() bool { return f.mime == "text/html" || f.mime == svgType }

var (
	// locks is the command that tells of the file in which it has stored something.
	locks = regexp.MustCompile(`(?m)^\s*%lock\b`)
	// goTells is what the go command tells of modules that it gets, which a locked
	// notebook has already.
	goTells    = regexp.MustCompile(`(?m)^go: (?:added|upgraded|downgraded|removed|downloading) .*\n?`)
	cellCounts = regexp.MustCompile(`Cell \[\d+\]`)
	markupTag  = regexp.MustCompile(`<[^<>]*>`)
)

// masks are what is different every time, and what stands for it.
var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?(?: [A-Z]{3,4})?(?: m=[+-][\d.]+)?)?\b`), "‹time›"},
	{regexp.MustCompile(`\b\d\d?:\d\d:\d\d(?:[.,]\d+)?\b`), "‹time›"},
	{regexp.MustCompile(`\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:e[+-]\d+)?[ \x{a0}\x{202f}]?(?:ns|µs|μs|us|ms|s|sec|seconds?|min|minutes?|h|hours?)\b`), "‹duration›"},
	{regexp.MustCompile(`\b\d+(?:\.\d+)?[ \x{a0}\x{202f}]?[kMG]?\w*/s(?:ec|econd)?\b`), "‹rate›"},
	{regexp.MustCompile(`每秒[ \x{a0}\x{202f}]?\d+(?:\.\d+)?`), "每秒‹rate›"}, // display.Chinese
	{regexp.MustCompile(`(?:/private)?/(?:tmp|var/tmp|var/folders|dev/shm)/[^\s"'<>:,;()]+`), "‹path›"},
	{regexp.MustCompile(`(^|[\s"'(=])/(?:[\w.@+~-]+/)+`), "${1}‹path›/"},
	{regexp.MustCompile(`\b0x[0-9a-f]{6,16}\b`), "‹address›"},
	{regexp.MustCompile(`\bgoroutine \d+\b`), "goroutine ‹n›"},
}

// identity is what tells things apart in one process: UUIDs, and the eight digits of
// gonbui's ids behind a name, which stand in markup's tags too.
var identity = regexp.MustCompile(`\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b([A-Za-z]\w*[-_])[0-9a-f]{8}\b`)

func mask(text string) string {
	for _, m := range masks {
		text = m.pattern.ReplaceAllString(text, m.with)
	}
	return text
}

// maskedContent is the content without what is different every time.
func (f form) maskedContent() string {
	if f.isPicture() {
		return f.content
	}
	content := identity.ReplaceAllString(f.content, "${1}‹id›")
	if !f.isMarkup() {
		return mask(content)
	}
	var b strings.Builder
	at := 0
	for _, tag := range markupTag.FindAllStringIndex(content, -1) {
		b.WriteString(mask(content[at:tag[0]]) + content[tag[0]:tag[1]])
		at = tag[1]
	}
	b.WriteString(mask(content[at:]))
	return b.String()
}

// difference says how another form of the same name differs.
func (f form) difference(now form) string {
	if f.isPicture() {
		return f.name + ": " + pixels(f.content, now.content)
	}
	was, is := strings.Split(f.maskedContent(), "\n"), strings.Split(now.maskedContent(), "\n")
	first, last := 0, 0
	for first < len(was) && first < len(is) && was[first] == is[first] {
		first++
	}
	for last < len(was)-first && last < len(is)-first && was[len(was)-1-last] == is[len(is)-1-last] {
		last++
	}
	was, is = was[first:len(was)-last], is[first:len(is)-last]
	column := 0 // where the first lines begin to differ
	if len(was) > 0 && len(is) > 0 {
		for column < len(was[0]) && column < len(is[0]) && was[0][column] == is[0][column] {
			column++
		}
	}
	return fmt.Sprintf("%s, line %d:\n%s%s", f.name, first+1, someLines("- ", was, column), strings.TrimSuffix(someLines("+ ", is, column), "\n"))
}

const (
	shownLines = 6
	shownWidth = 100
)

// someLines returns the first lines of many, cut around a column if they are long.
func someLines(prefix string, lines []string, column int) string {
	var b strings.Builder
	for i, line := range lines {
		if i == shownLines {
			fmt.Fprintf(&b, "%s… %d more lines\n", prefix, len(lines)-i)
			break
		}
		b.WriteString(prefix + window(line, column) + "\n")
	}
	return b.String()
}

// window returns the part of a line around a byte of it.
func window(line string, at int) string {
	if len(line) <= shownWidth {
		return line
	}
	from := max(0, min(at, len(line))-shownWidth/3)
	for from > 0 && !utf8.RuneStart(line[from]) {
		from--
	}
	to := min(len(line), from+shownWidth)
	for to < len(line) && !utf8.RuneStart(line[to]) {
		to++
	}
	text := line[from:to]
	if from > 0 {
		text = "…" + text
	}
	if to < len(line) {
		text += "…"
	}
	return text
}

func (f form) excerpt() string {
	if f.isPicture() {
		return fmt.Sprintf("a picture of %d bytes", len(f.content))
	}
	return strings.TrimSuffix(someLines("", strings.Split(strings.TrimRight(f.content, "\n"), "\n"), 0), "\n")
}

func indent(prefix, text string) string {
	return prefix + strings.ReplaceAll(text, "\n", "\n"+prefix)
}

// pixels says how two pictures differ.
func pixels(was, is string) string {
	a, _, errA := image.Decode(bytes.NewReader([]byte(was)))
	b, _, errB := image.Decode(bytes.NewReader([]byte(is)))
	switch {
	case errA != nil || errB != nil:
		return fmt.Sprintf("%d bytes have become %d other ones", len(was), len(is))
	case a.Bounds().Size() != b.Bounds().Size():
		return fmt.Sprintf("%v pixels have become %v", a.Bounds().Size(), b.Bounds().Size())
	}
	size := a.Bounds().Size()
	differ, most := 0, uint32(0)
	for y := range size.Y {
		for x := range size.X {
			var d uint32
			r1, g1, b1, a1 := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y).RGBA()
			r2, g2, b2, a2 := b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y).RGBA()
			for _, p := range [][2]uint32{{r1, r2}, {g1, g2}, {b1, b2}, {a1, a2}} {
				d = max(d, max(p[0], p[1])-min(p[0], p[1]))
			}
			if d > 0 {
				differ++
			}
			most = max(most, d>>8)
		}
	}
	if differ == 0 {
		return "the same pixels in another file"
	}
	return fmt.Sprintf("%d of %d pixels differ, by at most %d of 255", differ, size.X*size.Y, most)
}
