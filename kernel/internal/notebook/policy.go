package notebook

import (
	"regexp"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

// A policy lists what HTML, SVG and MathML of others may have; what is not here is
// left out. An attribute that loads nothing and runs nothing does so on any element,
// so there is one list of those.

// foreignPolicy is for what a cell shows.
var foreignPolicy = sync.OnceValue(func() *bluemonday.Policy {
	p := newPolicy(`
		a abbr acronym address area article aside audio b bdi bdo big blockquote br button caption center cite code col colgroup data
		dd del details dfn div dl dt em fieldset figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img input ins kbd label
		legend li map mark menu meter nav nobr ol output p picture pre progress q rp rt ruby s samp search section small source
		span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var video wbr
		svg circle clippath defs desc ellipse feblend fecolormatrix fecomponenttransfer fecomposite feflood fefunca fefuncb fefuncg fefuncr
		fegaussianblur femerge femergenode femorphology feoffset filter g image line lineargradient marker mask path pattern polygon polyline
		radialgradient rect stop switch symbol text textpath tspan use view`)
	p.AllowAttrs("href", "xlink:href").Matching(harmlessLink).OnElements("a", "area")
	p.AllowAttrs("href", "xlink:href").Matching(fragment).OnElements(
		"clippath", "filter", "lineargradient", "marker", "mask", "pattern", "radialgradient", "textpath", "use")
	p.AllowAttrs("usemap").Matching(fragment).OnElements("img")
	p.AllowAttrs("name").OnElements("a", "map")
	// What these load, embed takes into the page, or out of it.
	p.AllowAttrs("src").OnElements("audio", "img", "source", "video")
	p.AllowAttrs("poster").OnElements("video")
	p.AllowAttrs("href", "xlink:href").OnElements("image")
	return p
})

// headingPolicy is for what a heading shows in the table of contents, where it is
// within a link.
var headingPolicy = sync.OnceValue(func() *bluemonday.Policy {
	return newPolicy("abbr b bdi bdo big cite code del dfn em i ins kbd mark q s samp small span strike strong sub sup tt u var")
})

// newPolicy returns a policy of formulas and the elements named.
func newPolicy(elements string) *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowNoAttrs().OnElements(strings.Fields(elements + `
		math annotation maction menclose merror mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace
		msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none semantics`)...)
	// Of all others the content is shown, but not of these and of those that
	// bluemonday knows, such as scripts and frames.
	p.SkipElementsContent("applet", "datalist", "plaintext", "select", "template", "textarea", "xmp")
	p.AllowAttrs(strings.Fields(`
		class dir hidden id lang role title translate xml:lang xml:space xmlns xmlns:xlink
		aria-describedby aria-hidden aria-label aria-labelledby aria-level

		abbr align alt axis bgcolor border cellpadding cellspacing char charoff checked clear color cols colspan compact controls coords
		datetime decoding disabled face for headers height high hreflang hspace label loading loop low max media min muted
		noshade nowrap open optimum placeholder preload readonly rel reversed rowspan rules scope shape size span start step
		summary type valign value vspace width

		alignment-baseline amplitude baseline-shift clip-rule clippathunits color-interpolation color-interpolation-filters cx cy d direction
		display dominant-baseline dx dy exponent fill-opacity fill-rule filterunits flood-color flood-opacity font-family font-size
		font-size-adjust font-stretch font-style font-variant font-weight fr fx fy gradienttransform gradientunits image-rendering in in2
		intercept k1 k2 k3 k4 lengthadjust letter-spacing markerheight markerunits markerwidth maskcontentunits maskunits method mode
		offset opacity operator order orient paint-order pathlength patterncontentunits patterntransform patternunits points
		preserveaspectratio primitiveunits r radius refx refy result rotate rx ry shape-rendering slope spacing spreadmethod startoffset
		stddeviation stop-color stop-opacity stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit
		stroke-opacity stroke-width tablevalues text-anchor text-decoration text-rendering textlength transform unicode-bidi values
		vector-effect version viewbox visibility word-spacing writing-mode x x1 x2 y y1 y2

		accent accentunder alttext close columnalign columnlines columnspacing columnspan depth displaystyle encoding fence form frame
		largeop linethickness lspace mathbackground mathcolor mathsize mathvariant maxsize minsize movablelimits notation rowalign rowlines
		rowspacing rspace scriptlevel separator separators stretchy symmetric voffset`)...).Globally()
	p.AllowAttrs("tabindex").Matching(regexp.MustCompile(`^(0|-1)$`)).Globally()
	p.AllowAttrs("clip-path", "fill", "filter", "marker", "marker-end", "marker-mid", "marker-start", "mask", "stroke").Matching(harmlessPaint).Globally()
	// Styles are let through or left out whole. bluemonday's own filter of single
	// declarations takes twenty times as long, and asks for a value in which the
	// escapes are undone, but keeps the one in which they are not.
	p.AllowAttrs("style").Matching(harmlessStyle).Globally()
	return p
}

var (
	// harmlessLink are the links that run nothing: what stands before a colon is no
	// part of a path, and is a scheme that leads away.
	harmlessLink = regexp.MustCompile(`(?i)^[\x00-\x20]*(?:(?:https?|mailto|ftp|tel):|[^:/?#]*(?:[/?#]|$))`)

	// fragment is a part of the page.
	fragment = regexp.MustCompile(`^[\x00-\x20]*#`)

	// harmlessPaint is what SVG paints with: colours, and parts of the page.
	harmlessPaint = regexp.MustCompile(`(?i)^(?:` + cssWords + `|` + cssColor + `|` + cssFragment + `)*$`)

	// harmlessStyle are declarations that load nothing, and leave what they style in the
	// flow of the page. What is larger than its place is clipped by page.css.
	harmlessStyle = regexp.MustCompile(`(?i)^[\s;]*(?:(?:` +
		`(?:background|background-color|border|border-[a-z-]+|box-sizing|caption-side|clear|clip-rule|color|color-scheme|columns?|column-[a-z]+|` +
		`direction|display|dominant-baseline|empty-cells|fill-[a-z]+|flex|flex-[a-z]+|float|flood-[a-z]+|font|font-[a-z-]+|gap|grid-[a-z-]+|` +
		`(?:align|justify)-[a-z]+|height|hyphens|image-rendering|letter-spacing|line-height|list-style|list-style-[a-z]+|margin|margin-[a-z]+|` +
		`(?:max|min)-(?:height|width)|object-fit|opacity|overflow|overflow-[a-z]+|padding|padding-[a-z]+|paint-order|shape-rendering|` +
		`stop-color|stop-opacity|stroke-[a-z]+|tab-size|table-layout|text-[a-z-]+|unicode-bidi|vector-effect|vertical-align|visibility|` +
		`white-space|width|word-[a-z]+|writing-mode)\s*:(?:` + cssWords + `|` + cssColor + `|` + cssGradient + `|` + cssText + `)*` +
		`|(?:clip-path|fill|filter|marker|marker-[a-z]+|mask|stroke)\s*:(?:` + cssWords + `|` + cssColor + `|` + cssFragment + `)*` +
		`)(?:;[\s;]*|$))*$`)
)

const (
	cssWords    = `[-\w\s#%.,+/!]`
	cssColor    = `(?:rgb|rgba|hsl|hsla|var)\([-\w\s#%.,+/]*\)`
	cssGradient = `(?:linear|radial)-gradient\((?:` + cssWords + `|` + cssColor + `)*\)`
	cssText     = `"[-\w\s,.]*"|'[-\w\s,.]*'`
	cssFragment = `url\(\s*["']?#[^()"'\\]*["']?\s*\)`
)
