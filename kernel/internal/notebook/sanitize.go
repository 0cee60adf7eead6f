package notebook

import (
	"html"
	"slices"
	"strings"
)

// HTML within Markdown and in outputs is shown, as in Jupyter, but cannot run
// anything, load anything, or break or cover the page around it: elements that do
// are dropped, the rest is closed where its author forgot to.

// dropped are the elements that are dropped; of those mapped to true the content
// is dropped too.
var dropped = map[string]bool{
	"script": true, "style": true, "iframe": true, "object": true, "template": true, "noscript": true, "title": true,
	"textarea": true, "xmp": true, "noembed": true, "noframes": true, "plaintext": true, "applet": true, "frameset": true, "select": true,
	"embed": false, "link": false, "meta": false, "base": false, "frame": false, "html": false, "head": false, "body": false,
	"main": false, "form": false, "portal": false, "animate": false, "set": false,
}

// allowed are the elements that are shown, of HTML, SVG and MathML. Of all others
// only the content is.
var allowed = setOf(`
	a abbr acronym address area article aside audio b bdi bdo big blockquote br button caption center cite code col colgroup data datalist
	dd del details dfn div dl dt em fieldset figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img input ins kbd label
	legend li map mark menu meter nav nobr ol optgroup option output p picture pre progress q rp rt ruby s samp search section small source
	span strike strong sub summary sup table tbody td tfoot th thead time tr track tt u ul var video wbr
	svg circle clippath defs desc ellipse feblend fecolormatrix fecomponenttransfer fecomposite feflood fefunca fefuncb fefuncg fefuncr
	fegaussianblur femerge femergenode femorphology feoffset filter g image line lineargradient marker mask path pattern polygon polyline
	radialgradient rect stop switch symbol text textpath tspan use view
	math annotation maction menclose merror mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace
	msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none semantics`)

func setOf(names string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		set[name] = true
	}
	return set
}

var voidElements = map[string]bool{
	"area": true, "br": true, "col": true, "hr": true, "img": true, "input": true, "source": true, "track": true, "wbr": true,
	"embed": true, "link": true, "meta": true, "base": true, "frame": true, "param": true,
}

// optionalEnds are the elements that may end without saying so.
var optionalEnds = map[string]bool{
	"p": true, "li": true, "dt": true, "dd": true, "td": true, "th": true, "tr": true, "thead": true, "tbody": true, "tfoot": true,
	"option": true, "rt": true, "rp": true, "colgroup": true, "caption": true,
}

// A tag is one tag of HTML.
type tag struct {
	name  string
	end   bool // </name>
	empty bool // <name/>
	attrs [][2]string
}

// sanitize returns the HTML made harmless. What an img, a video or the like shows
// is replaced by what resource says, or it is dropped; a nil resource drops all.
func sanitize(text string, resource func(url string) (string, bool)) string {
	return rewrite(text, true, resource)
}

// balance returns the HTML as it is, but for elements that are left open or
// closed without having been opened.
func balance(text string) string {
	return rewrite(text, false, nil)
}

func rewrite(text string, strict bool, resource func(url string) (string, bool)) string {
	var b strings.Builder
	var open []string
	for text != "" {
		at := strings.IndexByte(text, '<')
		if at < 0 {
			at = len(text)
		}
		b.WriteString(text[:at])
		text = text[at:]
		if text == "" {
			break
		}
		if rest, ok := skipComment(text); ok {
			text = rest
			continue
		}
		t, rest, ok := parseTag(text)
		if !ok {
			b.WriteString("&lt;")
			text = text[1:]
			continue
		}
		asWritten := text[:len(text)-len(rest)]
		text = rest
		withContent, drop := dropped[t.name]
		switch {
		case strict && drop:
			if withContent && !t.end {
				text, _ = skipElement(text, t.name)
			}
			continue
		case strict && !allowed[t.name]:
			continue
		case withContent && rawText[t.name] && !t.end:
			// What is in it are no tags.
			after, closed := skipElement(text, t.name)
			b.WriteString(asWritten + text[:len(text)-len(after)])
			if !closed {
				b.WriteString("</" + t.name + ">")
			}
			text = after
			continue
		case t.end:
			i := lastIndex(open, t.name)
			if i < 0 {
				continue
			}
			closeElements(&b, open[i+1:])
			open = open[:i]
			b.WriteString("</" + t.name + ">")
			continue
		case strict:
			writeTag(&b, t, resource)
		default:
			b.WriteString(asWritten)
		}
		// In HTML the slash means nothing, but in SVG and MathML it ends.
		if !voidElements[t.name] && (!t.empty || !isForeign(open, t.name)) {
			open = append(open, t.name)
		}
	}
	closeElements(&b, open)
	return b.String()
}

// rawText are the elements whose content is text, whatever it looks like.
var rawText = map[string]bool{
	"script": true, "style": true, "iframe": true, "title": true, "textarea": true, "xmp": true, "noembed": true, "noframes": true,
}

func closeElements(b *strings.Builder, open []string) {
	for _, name := range slices.Backward(open) {
		if !optionalEnds[name] {
			b.WriteString("</" + name + ">")
		}
	}
}

func lastIndex(list []string, s string) int {
	for i, v := range slices.Backward(list) {
		if v == s {
			return i
		}
	}
	return -1
}

func isForeign(open []string, name string) bool {
	return name == "svg" || name == "math" || slices.Contains(open, "svg") || slices.Contains(open, "math")
}

// skipComment skips a comment, a declaration or an instruction.
func skipComment(text string) (string, bool) {
	end := ">"
	switch {
	case strings.HasPrefix(text, "<!--"):
		end = "-->"
	case strings.HasPrefix(text, "<!"), strings.HasPrefix(text, "<?"):
	default:
		return text, false
	}
	_, rest, _ := strings.Cut(text, end)
	return rest, true
}

// skipElement returns what follows the end tag, and whether there is one.
func skipElement(text, name string) (rest string, closed bool) {
	lower := asciiLower(text)
	for at := 0; ; {
		i := strings.Index(lower[at:], "</"+name)
		if i < 0 {
			return "", false
		}
		at += i + 2 + len(name)
		if at == len(text) || strings.IndexByte(" \t\n\f\r/>", text[at]) >= 0 {
			_, rest, closed := strings.Cut(text[at:], ">")
			return rest, closed
		}
	}
}

// asciiLower is strings.ToLower that keeps the length.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// parseTag parses the tag that text begins with. A tag that does not end is none.
func parseTag(text string) (t tag, rest string, ok bool) {
	const spaces = " \t\n\f\r"
	s := text[1:]
	if s, t.end = strings.CutPrefix(s, "/"); s == "" || !isLetter(s[0]) {
		return t, "", false
	}
	n := strings.IndexAny(s, spaces+"/>")
	if n < 0 {
		return t, "", false
	}
	t.name = asciiLower(s[:n])
	if strings.Trim(t.name, "abcdefghijklmnopqrstuvwxyz0123456789-:_") != "" {
		return t, "", false
	}
	s = s[n:]
	for {
		s = strings.TrimLeft(s, spaces)
		switch {
		case s == "":
			return t, "", false
		case s[0] == '>':
			return t, s[1:], true
		case s[0] == '/':
			s = s[1:]
			t.empty = strings.HasPrefix(s, ">")
			continue
		}
		n := strings.IndexAny(s[1:], spaces+"/>=") + 1
		if n == 0 {
			return t, "", false
		}
		attr := [2]string{asciiLower(s[:n])}
		s = strings.TrimLeft(s[n:], spaces)
		if value, has := strings.CutPrefix(s, "="); has {
			s = strings.TrimLeft(value, spaces)
			if s == "" {
				return t, "", false
			}
			if quote := s[0]; quote == '"' || quote == '\'' {
				value, after, closed := strings.Cut(s[1:], string(quote))
				if !closed {
					return t, "", false
				}
				attr[1], s = value, after
			} else {
				n := strings.IndexAny(s, spaces+">")
				if n < 0 {
					return t, "", false
				}
				attr[1], s = s[:n], s[n:]
			}
		}
		attr[1] = html.UnescapeString(attr[1])
		t.attrs = append(t.attrs, attr)
	}
}

func writeTag(b *strings.Builder, t tag, resource func(url string) (string, bool)) {
	var attrs strings.Builder
	var alt, missing string
	for _, a := range t.attrs {
		name, value := a[0], a[1]
		switch name {
		case "alt":
			alt = value
		case "src", "poster", "background", "data":
			var ok bool
			if resource != nil {
				value, ok = resource(a[1])
			}
			if !ok {
				missing = a[1]
				continue
			}
		case "srcset", "srcdoc", "action", "formaction", "ping", "attributionsrc", "autofocus", "target", "nonce",
			"popover", "popovertarget", "popovertargetaction", "command", "commandfor", "is", "slot":
			continue
		case "href", "xlink:href":
			if !isHarmlessLink(value) || t.name != "a" && t.name != "area" && !strings.HasPrefix(value, "#") {
				continue
			}
		case "style":
			if css := asciiLower(value); strings.Contains(css, "url(") || strings.Contains(css, "image(") ||
				strings.Contains(css, "image-set(") || strings.Contains(css, `\`) || strings.Contains(css, "fixed") || strings.Contains(css, "absolute") {
				continue
			}
		default:
			if strings.HasPrefix(name, "on") || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-:_.") != "" || painting[name] && loads(value) {
				continue
			}
		}
		attrs.WriteString(" " + name + `="` + html.EscapeString(value) + `"`)
	}
	if missing != "" && t.name == "img" {
		writeMissing(b, alt, missing)
		return
	}
	b.WriteString("<" + t.name + attrs.String())
	if t.empty {
		b.WriteString("/")
	}
	b.WriteString(">")
}

// painting are the attributes of SVG whose value can be a reference, as in CSS.
var painting = setOf("fill stroke mask filter clip-path cursor marker marker-start marker-mid marker-end")

// loads tells whether such a value refers to more than to a part of the page.
func loads(value string) bool {
	value = asciiLower(value)
	if strings.Contains(value, `\`) && strings.Contains(value, "(") { // u\72l(
		return true
	}
	for {
		_, after, found := strings.Cut(value, "url(")
		if !found {
			return false
		}
		if value = strings.TrimLeft(after, " \t\n\f\r\"'"); !strings.HasPrefix(value, "#") {
			return true
		}
	}
}

// writeMissing writes what stands for a picture that the page does not contain.
func writeMissing(b *strings.Builder, alt, url string) {
	if alt == "" {
		alt = url
	}
	if isHarmlessLink(url) && strings.Contains(url, "://") {
		b.WriteString(`<a class="missing" href="` + html.EscapeString(url) + `">` + html.EscapeString(alt) + `</a>`)
		return
	}
	b.WriteString(`<span class="missing">` + html.EscapeString(alt) + `</span>`)
}

// isHarmlessLink reports whether following the link runs nothing.
func isHarmlessLink(url string) bool {
	// Browsers ignore control characters and space here.
	url = strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, asciiLower(url))
	scheme, _, has := strings.Cut(url, ":")
	if !has || strings.ContainsAny(scheme, "/?#") {
		return true
	}
	return slices.Contains([]string{"http", "https", "mailto", "ftp", "tel"}, scheme)
}
