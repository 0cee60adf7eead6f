package cell

import (
	"go/token"
	"strings"
)

// A Completeness tells whether a text can be executed or wants more lines.
type Completeness string

// The three answers, by the words of Jupyter's is_complete_reply.
const (
	Complete   Completeness = "complete"
	Incomplete Completeness = "incomplete"
	Invalid    Completeness = "invalid"
)

// IsComplete tells whether a text is a whole cell. For an incomplete one it
// returns what the next line should be indented by.
func IsComplete(src string) (Completeness, string) {
	commands, text, errs := Commands(src)
	if len(errs) > 0 {
		return Invalid, ""
	}
	if n := len(commands); n > 0 && strings.HasSuffix(src, `\`) && commands[n-1].End == len(src) {
		return Incomplete, ""
	}
	toks, errs := scan(text)
	for _, e := range errs {
		// What is not ended can be; anything else cannot be mended by more text.
		if strings.Contains(e.Message, "raw string literal not terminated") || strings.Contains(e.Message, "comment not terminated") {
			return Incomplete, ""
		}
	}
	if len(errs) > 0 {
		return Invalid, ""
	}
	var open []token.Token
	for _, t := range toks {
		switch t.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open = append(open, t.tok)
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(open) == 0 || closing[open[len(open)-1]] != t.tok {
				return Invalid, ""
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return Incomplete, strings.Repeat("\t", len(open))
	}
	if len(toks) == 0 {
		return Complete, ""
	}
	// After a token that can end a statement the scanner adds a semicolon.
	if last := toks[len(toks)-1]; last.tok != token.SEMICOLON {
		return Incomplete, "\t"
	}
	if _, err := Parse(token.NewFileSet(), "", src); err != nil {
		return Invalid, ""
	}
	return Complete, ""
}
