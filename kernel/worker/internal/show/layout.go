package show

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	lineWidth = 80
	indent    = "    "
)

// node is a part of a literal: a text, or a composite of parts in braces.
type node struct {
	text    string
	short   bool // the text is a word: several can stand in a line
	numeric bool // the text is a number
	gap     bool // the text stands for elements that are not shown

	composite bool
	bare      bool   // a list of numbers by itself: [1 2 3], as fmt prints it
	head      string // before the braces
	parts     []part
}

// part is a part of a composite, after its field or key.
type part struct {
	key string
	node
}

// flat returns the literal in a line.
func (n node) flat() string {
	if !n.composite {
		return n.text
	}
	parts := make([]string, len(n.parts))
	for i, p := range n.parts {
		parts[i] = p.key + p.flat()
	}
	if n.bare {
		return "[" + strings.Join(parts, " ") + "]"
	}
	return n.head + "{" + strings.Join(parts, ", ") + "}"
}

// layout returns the literal in a line if it fits, and otherwise broken at its
// braces.
func (n node) layout() string {
	var b strings.Builder
	n.write(&b, "", 0)
	return b.String()
}

// write writes the literal where a line, indented by margin, has used so many
// columns.
func (n node) write(b *strings.Builder, margin string, used int) {
	flat := n.flat()
	if !n.composite || len(n.parts) == 0 || used+width(flat) < lineWidth {
		b.WriteString(flat)
		return
	}
	if n.bare {
		var lines strings.Builder
		n.fill(&lines, " ")
		b.WriteString("[" + strings.TrimSpace(lines.String()) + "]")
		return
	}
	b.WriteString(n.head + "{\n")
	inner := margin + indent
	if n.isList() {
		n.fill(b, inner)
	} else {
		for _, p := range n.parts {
			b.WriteString(inner + p.key)
			p.write(b, inner, len(inner)+width(p.key)+1)
			b.WriteString(",\n")
		}
	}
	b.WriteString(margin + "}")
}

// isList tells whether the parts can stand in lines.
func (n node) isList() bool {
	return !slices.ContainsFunc(n.parts, func(p part) bool { return p.key != "" || !p.short && !p.gap })
}

// fill writes a list in lines. Short numbers stand in columns.
func (n node) fill(b *strings.Builder, margin string) {
	column := 0
	for _, p := range n.parts {
		if !p.numeric && !p.gap {
			column = 0
			break
		}
		if !p.gap {
			column = max(column, width(p.text))
		}
	}
	used, comma := 0, ","
	if n.bare {
		comma = ""
	}
	for i, p := range n.parts {
		space := margin
		w := max(column, width(p.text)) + len(comma) + 1
		switch breaks := p.gap || i > 0 && n.parts[i-1].gap || used+w > lineWidth; {
		case used > 0 && breaks:
			b.WriteString("\n")
			used = len(margin)
		case used > 0:
			space = " "
		default:
			used = len(margin)
		}
		b.WriteString(space)
		if !p.gap {
			b.WriteString(strings.Repeat(" ", max(0, column-width(p.text))))
		}
		b.WriteString(p.text + comma)
		used += w
	}
	b.WriteString("\n")
}

func width(s string) int { return utf8.RuneCountInString(s) }
