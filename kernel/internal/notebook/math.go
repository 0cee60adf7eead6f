package notebook

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Formulas in Markdown: $…$ within a line, $$…$$ and \begin{…}…\end{…}
// displayed. They are taken out before Markdown sees their underscores and
// asterisks; what is a formula is decided as Jupyter does, save that a dollar
// before a digit may be money ("from $5 to $10").

var (
	kindMath      = ast.NewNodeKind("Math")
	kindMathBlock = ast.NewNodeKind("MathBlock")
)

// mathNode is a formula within a paragraph.
type mathNode struct {
	ast.BaseInline
	tex     string
	display bool
}

// Kind implements ast.Node.
func (n *mathNode) Kind() ast.NodeKind { return kindMath }

// Dump implements ast.Node.
func (n *mathNode) Dump(source []byte, level int) {
	ast.DumpHelper(n, source, level, map[string]string{"TeX": n.tex}, nil)
}

// mathBlock is a formula that is a block of its own.
type mathBlock struct {
	ast.BaseBlock
	end  string // what ends it
	done bool
}

// Kind implements ast.Node.
func (n *mathBlock) Kind() ast.NodeKind { return kindMathBlock }

// IsRaw implements ast.Node: there is no Markdown in it.
func (n *mathBlock) IsRaw() bool { return true }

// Dump implements ast.Node.
func (n *mathBlock) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// tex returns the formula without its dollars.
func (n *mathBlock) tex(source []byte) string {
	tex := strings.TrimSpace(string(n.Lines().Value(source)))
	if n.end == "$$" {
		tex = strings.TrimSuffix(strings.TrimPrefix(tex, "$$"), "$$")
	}
	return tex
}

type mathInlineParser struct{}

// Trigger implements parser.InlineParser.
func (mathInlineParser) Trigger() []byte { return []byte{'$'} }

// Parse implements parser.InlineParser.
func (mathInlineParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	savedLine, savedSegment := block.Position()
	line, _ := block.PeekLine()
	marks := "$"
	if bytes.HasPrefix(line, []byte("$$")) {
		marks = "$$"
	}
	block.Advance(len(marks))

	var tex []byte
	for {
		line, _ := block.PeekLine()
		if line == nil {
			break
		}
		if end := mathEnd(line, marks); end >= 0 {
			tex = append(tex, line[:end]...)
			after := line[end+len(marks):]
			isMoney := marks == "$" && len(after) > 0 && '0' <= after[0] && after[0] <= '9'
			if isMoney || len(bytes.TrimSpace(tex)) == 0 || isOneSided(tex) {
				break
			}
			block.Advance(end + len(marks))
			return &mathNode{tex: string(tex), display: marks == "$$"}
		}
		tex = append(tex, line...)
		block.AdvanceLine()
	}
	block.SetPosition(savedLine, savedSegment)
	block.Advance(len(marks))
	return ast.NewTextSegment(savedSegment.WithStop(savedSegment.Start + len(marks)))
}

// isOneSided reports whether there is a space at the end only: the dollar there
// rather opens something ("from $5 to $x").
func isOneSided(tex []byte) bool {
	return !util.IsSpace(tex[0]) && util.IsSpace(tex[len(tex)-1]) && '0' <= tex[0] && tex[0] <= '9'
}

// mathEnd returns where in a line the marks are that end a formula.
func mathEnd(line []byte, marks string) int {
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\':
			i++
		case marks == "$" && bytes.HasPrefix(line[i:], []byte("$$")):
			i++
		case bytes.HasPrefix(line[i:], []byte(marks)):
			return i
		}
	}
	return -1
}

type mathBlockParser struct{}

// Trigger implements parser.BlockParser.
func (mathBlockParser) Trigger() []byte { return []byte{'$', '\\'} }

var beginEnvironment = regexp.MustCompile(`^\\begin\{([a-zA-Z]+\*?)\}`)

// Open implements parser.BlockParser.
func (mathBlockParser) Open(_ ast.Node, reader text.Reader, _ parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	line = bytes.TrimSpace(line)
	var end string
	if bytes.HasPrefix(line, []byte("$$")) {
		end = "$$"
		line = line[2:]
	} else if m := beginEnvironment.FindSubmatch(line); m != nil {
		end = `\end{` + string(m[1]) + "}"
	} else {
		return nil, parser.NoChildren
	}
	node := &mathBlock{end: end}
	if at := bytes.Index(line, []byte(end)); at >= 0 {
		if at+len(end) < len(line) {
			return nil, parser.NoChildren // text follows: a paragraph
		}
		node.done = true
	} else {
		// Without an end it is no formula.
		rest := reader.Source()[segment.Stop:]
		if blank := blankLine.FindIndex(rest); blank != nil {
			rest = rest[:blank[0]]
		}
		if !bytes.Contains(rest, []byte(end)) {
			return nil, parser.NoChildren
		}
	}
	node.Lines().Append(segment)
	reader.AdvanceToEOL()
	return node, parser.NoChildren
}

var blankLine = regexp.MustCompile(`(?m)^[ \t]*$`)

// Continue implements parser.BlockParser.
func (mathBlockParser) Continue(node ast.Node, reader text.Reader, _ parser.Context) parser.State {
	n := node.(*mathBlock)
	if n.done {
		return parser.Close
	}
	line, segment := reader.PeekLine()
	if line == nil || util.IsBlank(line) {
		return parser.Close
	}
	n.Lines().Append(segment)
	n.done = bytes.HasSuffix(bytes.TrimSpace(line), []byte(n.end))
	reader.AdvanceToEOL()
	return parser.Continue | parser.NoChildren
}

// Close implements parser.BlockParser.
func (mathBlockParser) Close(ast.Node, text.Reader, parser.Context) {}

// CanInterruptParagraph implements parser.BlockParser.
func (mathBlockParser) CanInterruptParagraph() bool { return true }

// CanAcceptIndentedLine implements parser.BlockParser.
func (mathBlockParser) CanAcceptIndentedLine() bool { return false }
