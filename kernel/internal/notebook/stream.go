package notebook

import (
	"strings"
	"unicode/utf8"
)

// overwrite returns the text that remains to be seen when a terminal has printed
// text: what follows a carriage return is written over the line, as progress
// bars do. Lines in which the cursor only goes forward stay as they are.
func overwrite(text string) string {
	if !strings.ContainsAny(text, "\r\b") {
		return text
	}
	var b strings.Builder
	var s style
	for part := range strings.SplitAfterSeq(text, "\n") {
		line, isWhole := strings.CutSuffix(part, "\n")
		line = strings.TrimRight(line, "\r") // nothing is written over it
		line, s = overwriteLine(line, s)
		b.WriteString(line)
		if isWhole {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// overwriteLine prints one line. Styles go from line to line.
func overwriteLine(text string, s style) (string, style) {
	type place struct {
		char string
		style
	}
	var places []place
	began := s
	moved := strings.ContainsAny(text, "\r\b")
	at := 0
	for rest := text; rest != ""; {
		if seq, params, final := cutEscape(rest); seq != "" {
			rest = rest[len(seq):]
			switch {
			case final == 'm':
				s = s.apply(params)
			case !moved || final != 'K': // K erases
			case params == "1":
				for i := range min(at, len(places)) {
					places[i] = place{char: " "}
				}
			case params == "2":
				places = nil
			default:
				places = places[:min(at, len(places))]
			}
			continue
		}
		_, size := utf8.DecodeRuneInString(rest)
		char := rest[:size]
		rest = rest[size:]
		switch {
		case !moved: // only the style matters
		case char == "\r":
			at = 0
		case char == "\b":
			at = max(at-1, 0)
		default:
			for len(places) <= at {
				places = append(places, place{char: " "})
			}
			places[at] = place{char, s}
			at++
		}
	}
	if !moved {
		return text, s
	}

	var b strings.Builder
	shown := began
	for _, p := range places {
		b.WriteString(shown.change(p.style))
		b.WriteString(p.char)
		shown = p.style
	}
	b.WriteString(shown.change(s))
	return b.String(), s
}
