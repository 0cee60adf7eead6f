package notebook

import (
	"html"
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	xhtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTML within Markdown and in outputs is shown, as in Jupyter, but cannot run
// anything, load anything, or break or cover the page around it. A policy decides
// tag by tag what stays. Before, the text is read as a browser reads it and written
// from what that gives, so that the policy sees what a browser would see; and after,
// since a tag that is gone may have held others together, until it stays as it is.

// sanitize returns the HTML made harmless. What an img, a video or the like shows
// is replaced by what resource says, or it is left out.
func sanitize(text string, resource func(url string) (string, bool)) string {
	return apply(foreignPolicy(), text, resource)
}

// maxReadings is how often HTML may become other HTML when it is read again, as a
// link within a link does. No text is known that takes more than three.
const maxReadings = 8

func apply(policy *bluemonday.Policy, text string, resource func(url string) (string, bool)) string {
	clean := policy.Sanitize(balance(text))
	for range maxReadings {
		again, err := reread(clean, func(n *xhtml.Node) { embed(n, resource) })
		if err != nil {
			break
		}
		if again == clean {
			return clean
		}
		clean = again
	}
	return asText(text)
}

// balance returns the HTML as a browser understands it: no element is left open, and
// none is closed that the text has not opened.
func balance(text string) string {
	again, err := reread(text, func(*xhtml.Node) {})
	if err != nil {
		return asText(text)
	}
	return again
}

// reread reads HTML as it is read within a page, and writes it again. An error says
// that it nests deeper than in browsers, too.
func reread(text string, change func(*xhtml.Node)) (string, error) {
	nodes, err := xhtml.ParseFragment(strings.NewReader(text), &xhtml.Node{Type: xhtml.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, top := range nodes {
		change(top)
		for n := range top.Descendants() {
			change(n)
		}
		if err := xhtml.Render(&b, top); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// asText shows HTML that is not to be had as such.
func asText(text string) string { return "<pre>" + html.EscapeString(text) + "</pre>" }

// ownIDs are those of the page's own elements, to which its links and styles refer.
var ownIDs = []string{"content", "contents", "hide-code"}

// embed has an element refer to nothing but what is in the page: what it loads is
// replaced by what resource says, and what cannot be had by its name.
func embed(n *xhtml.Node, resource func(url string) (string, bool)) {
	if n.Type != xhtml.ElementNode {
		return
	}
	missing := ""
	n.Attr = slices.DeleteFunc(n.Attr, func(a xhtml.Attribute) bool {
		return (a.Key == "id" || a.Key == "for" || a.Key == "name") && slices.Contains(ownIDs, a.Val)
	})
	for i := 0; i < len(n.Attr); i++ {
		a := &n.Attr[i]
		if !(a.Key == "src" || a.Key == "poster" || a.Key == "href" && n.Data == "image") {
			continue
		}
		if url, ok := resource(a.Val); ok {
			a.Val = url
			continue
		}
		missing = a.Val
		n.Attr = slices.Delete(n.Attr, i, i+1)
		i--
	}
	if missing != "" && n.DataAtom == atom.Img {
		nameMissing(n, missing)
	}
}

// nameMissing makes an image what stands for a picture that the page does not
// contain.
func nameMissing(img *xhtml.Node, url string) {
	name := url
	for _, a := range img.Attr {
		if a.Key == "alt" && a.Val != "" {
			name = a.Val
		}
	}
	img.Data, img.DataAtom = "span", atom.Span
	img.Attr = []xhtml.Attribute{{Key: "class", Val: "missing"}}
	if strings.Contains(url, "://") && harmlessLink.MatchString(url) {
		img.Data, img.DataAtom = "a", atom.A
		img.Attr = append(img.Attr, xhtml.Attribute{Key: "href", Val: url})
	}
	img.AppendChild(&xhtml.Node{Type: xhtml.TextNode, Data: name})
}
