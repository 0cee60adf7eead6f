package complete

import (
	"unicode"
	"unicode/utf8"
)

// Jupyter counts Unicode code points, Go bytes. A byte that belongs to no character
// of UTF-8 counts for itself, as it does where Go ranges over a text.

// Offset is where in a text, in bytes, a position in code points is. A position
// that lies outside of the text is taken for its nearer end.
func Offset(text string, position int) int {
	if position <= 0 {
		return 0
	}
	for offset := range text {
		if position == 0 {
			return offset
		}
		position--
	}
	return len(text)
}

// Position is where in a text, in code points, an offset in bytes is. An offset
// inside of a character is taken for the character's beginning.
func Position(text string, offset int) int {
	offset = min(max(0, offset), len(text))
	for offset > 0 && offset < len(text) && !utf8.RuneStart(text[offset]) && inside(text, offset) {
		offset--
	}
	return utf8.RuneCountInString(text[:offset])
}

// inside tells whether an offset is inside of a character, and not at a byte that
// only looks like a part of one.
func inside(text string, offset int) bool {
	start := offset - 1
	for start > 0 && offset-start < utf8.UTFMax && !utf8.RuneStart(text[start]) {
		start--
	}
	r, size := utf8.DecodeRuneInString(text[start:])
	return (r != utf8.RuneError || size > 1) && start+size > offset
}

// lastRune is the last character of a text.
func lastRune(text string) (rune, int) { return utf8.DecodeLastRuneInString(text) }

// isIdent tells whether a text ends with a character that identifiers have.
func isIdent(text string) bool {
	r, _ := lastRune(text)
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
}
