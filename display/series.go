package display

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// bad counts the values that no axis has a place for.
type bad struct{ nan, inf, low int }

func countBad(values []float64) bad {
	var b bad
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.nan++
		case math.IsInf(v, 0):
			b.inf++
		}
	}
	return b
}

// add sums up the counts of several series.
func (b *bad) add(c bad) { b.nan, b.inf, b.low = b.nan+c.nan, b.inf+c.inf, b.low+c.low }

// countNotPositive adds the finite values that a logarithmic axis has no place for.
func (b *bad) countNotPositive(values []float64) {
	for _, v := range values {
		if finite(v) && v <= 0 {
			b.low++
		}
	}
}

func (b bad) any() bool { return b.nan+b.inf+b.low > 0 }

func (b bad) String() string {
	var said []string
	if b.nan > 0 {
		said = append(said, fmt.Sprintf("%d NaN", b.nan))
	}
	if b.inf > 0 {
		said = append(said, fmt.Sprintf("%d Inf", b.inf))
	}
	if b.low > 0 {
		said = append(said, fmt.Sprintf("%d not above 0", b.low))
	}
	return strings.Join(said, ", ")
}

// span is the range of the finite values seen.
type span struct{ lo, hi float64 }

func newSpan() span { return span{math.Inf(1), math.Inf(-1)} }

func (s *span) include(values []float64) {
	for _, v := range values {
		if finite(v) {
			s.lo, s.hi = math.Min(s.lo, v), math.Max(s.hi, v)
		}
	}
}

func (s span) empty() bool { return s.lo > s.hi }

// padded widens the span so that no curve runs along an edge. A constant gets an axis around it. What lies within
// 0 and 1, as a share does, is not padded beyond them.
func (s span) padded() (lo, hi float64) {
	pad := (s.hi - s.lo) * 0.06
	if s.hi-s.lo <= 1e-12*math.Max(math.Abs(s.lo), math.Abs(s.hi)) {
		pad = math.Max(math.Abs(s.hi)*0.05, 1e-6)
		if s.hi == 0 {
			pad = 1
		}
	}
	lo, hi = s.lo-pad, s.hi+pad
	if s.lo >= 0 {
		lo = math.Max(lo, 0)
	}
	if s.hi <= 1 && s.lo >= 0 && s.lo < 1 {
		hi = math.Min(hi, 1)
	}
	return lo, hi
}

// share is where a value lies between the ends, from 0 to 1.
func (s span) share(v float64) float64 {
	if s.hi <= s.lo {
		return 0.5
	}
	return (v - s.lo) / (s.hi - s.lo)
}

// readable turns a name as code has it into one for a heading.
func readable(name string) string { return strings.ReplaceAll(name, "_", " ") }

// count writes a number with its noun.
func count(n int, noun string) string { return plural(n, noun, noun+"s") }

// list joins names as a sentence does.
func list(names []string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// isNil reports whether v is nil or holds a nil pointer or map, as a History that was never made does.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Interface:
		return r.IsNil()
	default:
		return false
	}
}

// plural writes a number with its noun where that takes more than an s.
func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// joinNonEmpty writes sentences in a row.
func joinNonEmpty(parts []string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}
