package notebook

// TeX to MathML.
//
// The formulas of a tutorial are a small part of TeX: letters, scripts,
// fractions, roots, sums, accents, fonts, delimiters that grow, matrices. They
// are translated to MathML, which browsers draw by themselves, so that a page
// needs neither a script nor a font. The parser reads tokens from left to right
// and writes MathML as it goes; a row of nodes is looked at once more, since
// what space an operator has depends on its neighbours: the minus of a − b is
// wider than that of −b. A formula that holds anything else is shown as it was
// written.

import (
	"errors"
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mathHTML returns a formula as MathML, or its TeX as code where it cannot be
// translated.
func mathHTML(tex string, display bool) string {
	body, err := mathML(tex)
	if err != nil {
		code := "<code class=\"tex\">" + html.EscapeString(strings.TrimSpace(tex)) + "</code>"
		if display {
			return `<span class="formula">` + code + `</span>`
		}
		return code
	}
	mode, before, after := "", "", ""
	if display {
		// Within a paragraph there can be no div; the span lets wide ones scroll.
		mode, before, after = ` display="block"`, `<span class="formula">`, `</span>`
	}
	return fmt.Sprintf(`%s<math%s alttext="%s">%s</math>%s`,
		before, mode, html.EscapeString(strings.Join(strings.Fields(tex), " ")), body, after)
}

// mathML translates a formula.
func mathML(tex string) (string, error) {
	p := &texParser{rest: tex}
	body := p.table("", "")
	if p.err == nil && p.peek() != "" {
		p.fail("unexpected %s", p.peek())
	}
	return body, p.err
}

// A texClass is what a node is to its neighbours in a row.
type texClass int

const (
	texOrd   texClass = iota
	texOp             // an operator or a relation
	texSign           // + or -: an operator, or the sign of what follows
	texOpen           // an opening delimiter
	texClose          // a closing one
	texFunc           // a function's name
	texSpace
)

// A texNode is a translated piece.
type texNode struct {
	xml    string
	class  texClass
	limits bool // scripts go below and above
}

type texParser struct {
	rest  string
	font  string // of \mathbf and the like, in force
	depth int
	err   error
}

var errTeX = errors.New("not translated")

func (p *texParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: "+format, append([]any{errTeX}, args...)...)
	}
	p.rest = ""
}

// token returns the next token without the space before it, and what follows:
// a command with its backslash, or one character. At the end it returns "".
func (p *texParser) token() (token, after string) {
	s := p.rest
	for {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		if !strings.HasPrefix(s, "%") {
			break
		}
		_, s, _ = strings.Cut(s, "\n") // a comment
	}
	n := 0
	if strings.HasPrefix(s, `\`) {
		n = 1
		for n < len(s) && isLetter(s[n]) {
			n++
		}
		if n > 1 {
			return s[:n], s[n:]
		}
	}
	_, size := utf8.DecodeRuneInString(s[n:])
	return s[:n+size], s[n+size:]
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func (p *texParser) peek() string {
	t, _ := p.token()
	return t
}

func (p *texParser) next() string {
	t, after := p.token()
	p.rest = after
	return t
}

func (p *texParser) accept(token string) bool {
	t, after := p.token()
	if t != token {
		return false
	}
	p.rest = after
	return true
}

// row translates up to a token that ends a row and leaves that.
func (p *texParser) row() string {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > 100 {
		p.fail("nested too deeply")
	}
	var nodes []texNode
	for p.err == nil {
		switch t := p.peek(); t {
		case "", "}", "&", `\\`, `\cr`, `\right`, `\middle`, `\end`:
			return joinRow(nodes)
		}
		if node, ok := p.scripted(); ok {
			nodes = append(nodes, node)
		}
	}
	return ""
}

// joinRow puts nodes side by side. Signs that follow no operand are prefixes,
// and names of functions are set off from what they stand beside.
func joinRow(nodes []texNode) string {
	var b strings.Builder
	const thin = `<mspace width="0.167em"></mspace>`
	before := texOpen
	count := 0
	for i, n := range nodes {
		after := texClose
		if i+1 < len(nodes) {
			after = nodes[i+1].class
		}
		switch n.class {
		case texSign:
			if before == texOpen || before == texOp || before == texSign || before == texFunc {
				n.xml = strings.Replace(n.xml, "<mo>", `<mo form="prefix" lspace="0" rspace="0">`, 1)
			}
		case texFunc:
			if before == texOrd || before == texClose {
				n.xml = thin + n.xml
				count++
			}
			if after == texOrd || after == texFunc {
				n.xml += thin
				count++
			}
		}
		b.WriteString(n.xml)
		count++
		if n.class != texSpace {
			before = n.class
		}
		if n.class == texFunc && (after == texOrd || after == texFunc) {
			before = texOpen // the space is there already
		}
	}
	if count == 1 {
		return b.String()
	}
	return "<mrow>" + b.String() + "</mrow>"
}

// scripted translates one piece with its primes, sub- and superscript.
func (p *texParser) scripted() (texNode, bool) {
	var base texNode
	if t := p.peek(); t == "^" || t == "_" {
		base = texNode{xml: "<mrow></mrow>"}
	} else {
		var ok bool
		if base, ok = p.piece(); !ok {
			return base, false
		}
	}
	var sub, sup string
	for p.err == nil {
		switch {
		case p.accept(`\limits`):
			base.limits = true
			continue
		case p.accept(`\nolimits`):
			base.limits = false
			continue
		case p.accept("'"):
			var primes strings.Builder
			primes.WriteString("′")
			for p.accept("'") {
				primes.WriteString("′")
			}
			sup = "<mo>" + primes.String() + "</mo>" + sup
			continue
		case p.accept("_"):
			if sub != "" {
				p.fail("two subscripts")
			}
			sub = p.argument()
			continue
		case p.accept("^"):
			if strings.Contains(sup, "<m") && !strings.HasPrefix(sup, "<mo>′") {
				p.fail("two superscripts")
			}
			sup += p.argument()
			continue
		}
		break
	}
	if strings.HasPrefix(sup, "<mo>′") {
		sup = "<mrow>" + sup + "</mrow>"
	}
	tag := map[[3]bool]string{
		{true, false, false}: "msub", {false, true, false}: "msup", {true, true, false}: "msubsup",
		{true, false, true}: "munder", {false, true, true}: "mover", {true, true, true}: "munderover",
	}[[3]bool{sub != "", sup != "", base.limits}]
	if tag != "" {
		base.xml = "<" + tag + ">" + base.xml + sub + sup + "</" + tag + ">"
	}
	return base, p.err == nil
}

// argument translates what a command or a script is applied to: a group or one
// token.
func (p *texParser) argument() string {
	switch t := p.peek(); {
	case t == "{":
		return p.group()
	case t == "" || t == "}" || t == "&" || t == "^" || t == "_":
		p.fail("something is missing before %q", t)
		return ""
	case len(t) == 1 && '0' <= t[0] && t[0] <= '9':
		p.next()
		return "<mn>" + p.styled(t) + "</mn>"
	}
	p.depth++ // commands take commands as arguments
	defer func() { p.depth-- }()
	if p.depth > 100 {
		p.fail("nested too deeply")
		return ""
	}
	node, _ := p.piece()
	return node.xml
}

func (p *texParser) group() string {
	if !p.accept("{") {
		p.fail("{ is missing")
		return ""
	}
	row := p.row()
	if !p.accept("}") {
		p.fail("} is missing")
	}
	return row
}

// raw returns the text of a group, which is not translated.
func (p *texParser) raw() string {
	if !p.accept("{") {
		p.fail("{ is missing")
		return ""
	}
	depth := 1
	for i := 0; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				text := p.rest[:i]
				p.rest = p.rest[i+1:]
				return text
			}
		}
	}
	p.fail("} is missing")
	return ""
}

// option returns the text of an optional argument in brackets.
func (p *texParser) option() string {
	if p.peek() != "[" {
		return ""
	}
	p.next()
	text, after, ok := strings.Cut(p.rest, "]")
	if !ok {
		p.fail("] is missing")
	}
	p.rest = after
	return text
}

// sub translates a text in the parser's state.
func (p *texParser) sub(tex string) string {
	q := &texParser{rest: tex, font: p.font, depth: p.depth}
	row := q.row()
	if q.err != nil || q.peek() != "" {
		p.fail("cannot read %s", tex)
	}
	return row
}

// piece translates one token, with its arguments if it is a command. It reports
// false if there is nothing to show for it.
func (p *texParser) piece() (texNode, bool) {
	t := p.peek()
	switch {
	case t == "":
		return texNode{}, false
	case t == "{":
		return texNode{xml: p.group()}, p.err == nil
	case t[0] == '\\':
		p.next()
		return p.command(t[1:])
	case '0' <= t[0] && t[0] <= '9' || t == "." && len(p.rest) > 1:
		return texNode{xml: p.number()}, true
	}
	p.next()
	r, _ := utf8.DecodeRuneInString(t)
	if unicode.IsLetter(r) {
		if r > unicode.MaxLatin1 && !unicode.In(r, unicode.Greek) {
			return texNode{xml: "<mtext>" + t + "</mtext>"}, true
		}
		return texNode{xml: p.letter(t)}, true
	}
	switch t {
	case "(", "[":
		return texNode{xml: fence(t), class: texOpen}, true
	case ")", "]", "!", "?":
		return texNode{xml: fence(t), class: texClose}, true
	case "|":
		return texNode{xml: `<mo stretchy="false" lspace="0" rspace="0">|</mo>`}, true
	case "/":
		return texNode{xml: `<mo lspace="0" rspace="0">/</mo>`, class: texOp}, true
	case "-":
		return texNode{xml: "<mo>−</mo>", class: texSign}, true
	case "+":
		return texNode{xml: "<mo>+</mo>", class: texSign}, true
	case "*":
		return texNode{xml: "<mo>∗</mo>", class: texOp}, true
	case "~":
		return texNode{xml: space("0.333em"), class: texSpace}, true
	case "$", "#", "}", "&":
		p.fail("unexpected %s", t)
		return texNode{}, false
	}
	return texNode{xml: "<mo>" + html.EscapeString(t) + "</mo>", class: texOp}, true
}

func fence(t string) string { return `<mo stretchy="false">` + html.EscapeString(t) + `</mo>` }

func space(width string) string { return `<mspace width="` + width + `"></mspace>` }

func (p *texParser) number() string {
	s := strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	n := 0
	for n < len(s) && ('0' <= s[n] && s[n] <= '9' || s[n] == '.' && n+1 < len(s) && '0' <= s[n+1] && s[n+1] <= '9') {
		n++
	}
	if n == 0 { // a full stop
		p.next()
		return "<mo>.</mo>"
	}
	p.rest = s[n:]
	return "<mn>" + p.styled(s[:n]) + "</mn>"
}

// letter translates a variable.
func (p *texParser) letter(t string) string {
	switch p.font {
	case "rm":
		return `<mi mathvariant="normal">` + t + `</mi>`
	case "":
		return "<mi>" + t + "</mi>"
	}
	return "<mi>" + p.styled(t) + "</mi>"
}

// styled returns the text in the letters of the font in force.
func (p *texParser) styled(text string) string {
	return strings.Map(func(r rune) rune { return mathLetter(p.font, r) }, text)
}

// command translates a command whose name, without backslash, was read.
func (p *texParser) command(name string) (texNode, bool) {
	if s, ok := texLetters[name]; ok {
		r, _ := utf8.DecodeRuneInString(s)
		if unicode.IsUpper(r) && p.font == "" {
			return texNode{xml: `<mi mathvariant="normal">` + s + `</mi>`}, true
		}
		return texNode{xml: p.letter(s)}, true
	}
	if s, ok := texOperators[name]; ok {
		class := texOp
		if name == "pm" || name == "mp" {
			class = texSign
		}
		return texNode{xml: "<mo>" + s + "</mo>", class: class}, true
	}
	if s, ok := texSymbols[name]; ok {
		return texNode{xml: `<mi mathvariant="normal">` + s + `</mi>`}, true
	}
	if s, ok := texBig[name]; ok {
		isIntegral := strings.HasSuffix(name, "int")
		if isIntegral {
			return texNode{xml: "<mo>" + s + "</mo>"}, true
		}
		return texNode{xml: `<mo movablelimits="true">` + s + `</mo>`, limits: true}, true
	}
	if texFunctions[name] {
		return texNode{xml: "<mi>" + name + "</mi>", class: texFunc}, true
	}
	if s, ok := texLimits[name]; ok {
		return limitsOperator(s), true
	}
	if s, ok := texSpaces[name]; ok {
		return texNode{xml: space(s), class: texSpace}, true
	}
	if s, ok := texAccents[name]; ok {
		over := fmt.Sprintf(`<mo stretchy="%t">%s</mo>`, s.stretchy, s.char)
		if s.under {
			return texNode{xml: `<munder>` + p.argument() + over + `</munder>`, limits: s.brace}, p.err == nil
		}
		return texNode{xml: `<mover accent="true">` + p.argument() + over + `</mover>`, limits: s.brace}, p.err == nil
	}
	if font, ok := texFonts[name]; ok {
		return p.fontCommand(font), p.err == nil
	}
	if s, ok := texDelimiters[name]; ok {
		class := texOrd
		switch {
		case strings.HasPrefix(name, "l") || name == "{":
			class = texOpen
		case strings.HasPrefix(name, "r") || name == "}":
			class = texClose
		}
		xml := fence(s)
		if class == texOrd {
			xml = `<mo stretchy="false" lspace="0" rspace="0">` + s + `</mo>`
		}
		return texNode{xml: xml, class: class}, true
	}
	switch name {
	case "frac", "dfrac", "tfrac", "cfrac":
		frac := "<mfrac>" + p.argument() + p.argument() + "</mfrac>"
		switch name {
		case "dfrac", "cfrac":
			frac = `<mstyle displaystyle="true" scriptlevel="0">` + frac + "</mstyle>"
		case "tfrac":
			frac = `<mstyle displaystyle="false" scriptlevel="0">` + frac + "</mstyle>"
		}
		return texNode{xml: frac}, p.err == nil
	case "binom", "dbinom", "tbinom":
		return texNode{xml: `<mrow><mo>(</mo><mfrac linethickness="0">` + p.argument() + p.argument() + `</mfrac><mo>)</mo></mrow>`}, p.err == nil
	case "sqrt":
		if index := p.option(); index != "" {
			root := p.sub(index)
			return texNode{xml: "<mroot>" + p.argument() + root + "</mroot>"}, p.err == nil
		}
		return texNode{xml: "<msqrt>" + p.argument() + "</msqrt>"}, p.err == nil
	case "overset", "stackrel":
		over := p.argument()
		return texNode{xml: "<mover>" + p.argument() + over + "</mover>", class: texOp}, p.err == nil
	case "underset":
		under := p.argument()
		return texNode{xml: "<munder>" + p.argument() + under + "</munder>", class: texOp}, p.err == nil
	case "boxed":
		return texNode{xml: `<mrow class="boxed">` + p.argument() + "</mrow>"}, p.err == nil
	case "phantom":
		return texNode{xml: "<mphantom>" + p.argument() + "</mphantom>"}, p.err == nil
	case "substack":
		return texNode{xml: p.sub(`\begin{matrix}` + p.raw() + `\end{matrix}`)}, p.err == nil
	case "text", "textrm", "textnormal", "mbox", "textit", "textbf", "texttt", "textsf":
		return p.textCommand(name), p.err == nil
	case "operatorname":
		if p.accept("*") {
			return limitsOperator(html.EscapeString(p.plain())), p.err == nil
		}
		return texNode{xml: "<mi>" + html.EscapeString(p.plain()) + "</mi>", class: texFunc}, p.err == nil
	case "left":
		return p.fenced(), p.err == nil
	case "big", "Big", "bigg", "Bigg", "bigl", "Bigl", "biggl", "Biggl", "bigr", "Bigr", "biggr", "Biggr", "bigm", "Bigm":
		return p.bigDelimiter(name), p.err == nil
	case "begin":
		return p.environment(), p.err == nil
	case "not":
		struck := p.argument()
		end := strings.LastIndex(struck, "</")
		if end < 0 {
			p.fail(`nothing after \not`)
			return texNode{}, false
		}
		return texNode{xml: struck[:end] + "\u0338" + struck[end:], class: texOp}, p.err == nil
	case "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "nonumber", "notag", "hfill":
		return texNode{}, false
	case "label":
		p.raw()
		return texNode{}, false
	case "tag":
		return texNode{xml: space("2em") + "<mtext>(" + html.EscapeString(p.raw()) + ")</mtext>", class: texSpace}, p.err == nil
	case "bmod", "mod":
		return texNode{xml: "<mo>mod</mo>", class: texOp}, true
	case "pmod":
		return texNode{xml: space("0.5em") + "<mrow><mo>(</mo><mi>mod</mi>" + space("0.333em") + p.argument() + "<mo>)</mo></mrow>"}, p.err == nil
	}
	p.fail(`\%s is not known`, name)
	return texNode{}, false
}

// limitsOperator is a name such as lim or argmax whose subscript goes below in a
// displayed formula.
func limitsOperator(name string) texNode {
	return texNode{xml: `<mo movablelimits="true" lspace="0" rspace="0">` + name + `</mo>`, class: texFunc, limits: true}
}

// plain returns the text of a group without commands for spaces.
func (p *texParser) plain() string {
	text := strings.NewReplacer(`\,`, "\u2009", `\ `, " ", `\-`, "", `\text`, "", "{", "", "}", "").Replace(p.raw())
	if strings.Contains(text, `\`) {
		p.fail("a command in a name")
	}
	return text
}

// fontCommand translates the argument of \mathbf and the like.
func (p *texParser) fontCommand(font string) texNode {
	if font == "rm" && p.peek() == "{" {
		// A word in upright letters is one identifier.
		mark := p.rest
		if word := p.raw(); word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			if len(word) == 1 {
				return texNode{xml: `<mi mathvariant="normal">` + word + `</mi>`}
			}
			return texNode{xml: "<mi>" + word + "</mi>"}
		}
		if p.err != nil {
			return texNode{}
		}
		p.rest = mark
	}
	before := p.font
	p.font = font
	xml := p.argument()
	p.font = before
	return texNode{xml: xml}
}

// textCommand translates \text{…}, in which $…$ is mathematics again.
func (p *texParser) textCommand(name string) texNode {
	text := p.raw()
	style := map[string]string{"textit": "font-style:italic", "textbf": "font-weight:bold", "texttt": "font-family:monospace", "textsf": "font-family:sans-serif"}[name]
	if style != "" {
		style = ` style="` + style + `"`
	}
	var b strings.Builder
	for i, part := range strings.Split(text, "$") {
		if i%2 == 1 {
			b.WriteString(p.sub(part))
			continue
		}
		part = strings.NewReplacer(`\ `, " ", `\,`, "\u2009", `\%`, "%", `\_`, "_", `\&`, "&", `\#`, "#", `\{`, "{", `\}`, "}", "~", "\u00a0").Replace(part)
		if strings.Contains(part, `\`) {
			p.fail("a command in a text")
		}
		if part == "" {
			continue
		}
		// Space at the ends would be dropped.
		lead := len(part) - len(strings.TrimLeft(part, " "))
		part = strings.Repeat("\u00a0", min(lead, 1)) + strings.TrimLeft(part, " ")
		if trimmed := strings.TrimRight(part, " "); trimmed != part {
			part = trimmed + "\u00a0"
		}
		fmt.Fprintf(&b, "<mtext%s>%s</mtext>", style, html.EscapeString(part))
	}
	return texNode{xml: "<mrow>" + b.String() + "</mrow>"}
}

// delimiter reads what follows \left, \right or \big.
func (p *texParser) delimiter() string {
	t := p.next()
	switch t {
	case "(", ")", "[", "]", "|", "/":
		return t
	case "<", `\lt`:
		return "⟨"
	case ">", `\gt`:
		return "⟩"
	case ".":
		return ""
	}
	if s, ok := texDelimiters[strings.TrimPrefix(t, `\`)]; ok && t[0] == '\\' {
		return s
	}
	p.fail("%q is not a delimiter", t)
	return ""
}

// fenced translates \left( … \right), the \left being read.
func (p *texParser) fenced() texNode {
	var b strings.Builder
	stretchy := func(form, delimiter string) {
		if delimiter != "" {
			fmt.Fprintf(&b, `<mo form="%s" stretchy="true" fence="true">%s</mo>`, form, delimiter)
		}
	}
	stretchy("prefix", p.delimiter())
	for p.err == nil {
		b.WriteString(p.row())
		if !p.accept(`\middle`) {
			break
		}
		fmt.Fprintf(&b, `<mo form="infix" stretchy="true" lspace="0.167em" rspace="0.167em">%s</mo>`, p.delimiter())
	}
	if !p.accept(`\right`) {
		p.fail(`\right is missing`)
		return texNode{}
	}
	stretchy("postfix", p.delimiter())
	return texNode{xml: "<mrow>" + b.String() + "</mrow>"}
}

func (p *texParser) bigDelimiter(name string) texNode {
	sizes := map[string]string{"big": "1.2em", "Big": "1.8em", "bigg": "2.4em", "Bigg": "3em"}
	class := texOrd
	size, ok := sizes[name]
	if !ok {
		size = sizes[name[:len(name)-1]]
		switch name[len(name)-1] {
		case 'l':
			class = texOpen
		case 'r':
			class = texClose
		case 'm':
			class = texOp
		}
	}
	return texNode{
		xml:   fmt.Sprintf(`<mo stretchy="true" symmetric="true" minsize="%s" maxsize="%[1]s" lspace="0" rspace="0">%s</mo>`, size, p.delimiter()),
		class: class,
	}
}

// environment translates \begin{name} … \end{name}, the \begin being read.
func (p *texParser) environment() texNode {
	name := strings.TrimSuffix(p.raw(), "*")
	env, ok := texEnvironments[name]
	if !ok {
		p.fail("the environment %q is not known", name)
		return texNode{}
	}
	align := env.align
	switch name {
	case "array":
		align = arrayAlign(p.raw())
	case "alignat", "alignedat":
		p.raw() // how many columns
	}
	body := p.table(env.class, align)
	if !p.accept(`\end`) || strings.TrimSuffix(p.raw(), "*") != name {
		p.fail(`\end{%s} is missing`, name)
		return texNode{}
	}
	if env.open == "" && env.close == "" {
		return texNode{xml: body}
	}
	var b strings.Builder
	b.WriteString("<mrow>")
	for _, d := range [][2]string{{"prefix", env.open}, {"", ""}, {"postfix", env.close}} {
		switch {
		case d[0] == "":
			b.WriteString(body)
		case d[1] != "":
			fmt.Fprintf(&b, `<mo form="%s" stretchy="true" fence="true">%s</mo>`, d[0], d[1])
		}
	}
	b.WriteString("</mrow>")
	return texNode{xml: b.String()}
}

// arrayAlign keeps the letters of an array's columns.
func arrayAlign(spec string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("lcr", r) {
			return r
		}
		return -1
	}, spec)
}

// table translates rows of cells. A class is wanted for tables proper; without
// one, a single cell is just a row. The letters of align are those of the
// columns, repeated from the first.
func (p *texParser) table(class, align string) string {
	rows := [][]string{{}}
	for p.err == nil {
		rows[len(rows)-1] = append(rows[len(rows)-1], p.row())
		if p.accept("&") {
			continue
		}
		if p.accept(`\\`) || p.accept(`\cr`) {
			p.option() // more space, as in \\[4pt]
			for p.accept(`\hline`) {
			}
			rows = append(rows, nil)
			continue
		}
		break
	}
	if last := rows[len(rows)-1]; len(rows) > 1 && len(last) == 1 && last[0] == "<mrow></mrow>" {
		rows = rows[:len(rows)-1]
	}
	if class == "" {
		if len(rows) == 1 && len(rows[0]) == 1 {
			return rows[0][0]
		}
		class, align = "aligned", "rl"
	}
	var b strings.Builder
	display := ""
	if class == "aligned" {
		display = ` displaystyle="true"`
	}
	fmt.Fprintf(&b, `<mtable class="%s"%s>`, class, display)
	for _, row := range rows {
		b.WriteString("<mtr>")
		for i, cell := range row {
			attr := ""
			if align != "" {
				switch align[i%len(align)] {
				case 'l':
					attr = ` class="left"`
				case 'r':
					attr = ` class="right"`
				}
			}
			fmt.Fprintf(&b, "<mtd%s>%s</mtd>", attr, cell)
		}
		b.WriteString("</mtr>")
	}
	b.WriteString("</mtable>")
	return b.String()
}
