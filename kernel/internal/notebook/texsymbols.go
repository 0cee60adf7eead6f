package notebook

import "strings"

// pairs makes a table of "name char name char …".
func pairs(text string) map[string]string {
	m := make(map[string]string)
	words := strings.Fields(text)
	for i := 0; i+1 < len(words); i += 2 {
		m[words[i]] = words[i+1]
	}
	return m
}

var texLetters = pairs(`
	alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι
	kappa κ lambda λ mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ
	upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω
	Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
	partial ∂ ell ℓ hbar ℏ imath ı jmath ȷ`)

var texSymbols = pairs(`
	infty ∞ nabla ∇ forall ∀ exists ∃ nexists ∄ emptyset ∅ varnothing ∅ aleph ℵ Re ℜ Im ℑ wp ℘
	top ⊤ bot ⊥ angle ∠ triangle △ prime ′ degree ° square □ Box □ checkmark ✓ dagger † ddagger ‡
	ldots … dots … dotsc … dotsb ⋯ cdots ⋯ vdots ⋮ ddots ⋱ % % # # & &amp; _ _ $ $ backslash \ S § copyright ©`)

var texOperators = pairs(`
	cdot ⋅ times × div ÷ pm ± mp ∓ ast ∗ star ⋆ circ ∘ bullet ∙ oplus ⊕ ominus ⊖ otimes ⊗ odot ⊙ oslash ⊘
	cap ∩ cup ∪ setminus ∖ wedge ∧ land ∧ vee ∨ lor ∨ neg ¬ lnot ¬ sqcup ⊔ sqcap ⊓ uplus ⊎ bmod mod
	le ≤ leq ≤ leqslant ⩽ ge ≥ geq ≥ geqslant ⩾ ne ≠ neq ≠ lt &lt; gt &gt; ll ≪ gg ≫ approx ≈ equiv ≡ sim ∼
	simeq ≃ cong ≅ propto ∝ triangleq ≜ coloneqq ≔ doteq ≐ asymp ≍ prec ≺ succ ≻ preceq ⪯ succeq ⪰
	in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ mid ∣ nmid ∤ parallel ∥ perp ⊥ models ⊨ vdash ⊢
	to → rightarrow → leftarrow ← gets ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ implies ⟹
	impliedby ⟸ iff ⟺ mapsto ↦ longmapsto ⟼ longrightarrow ⟶ longleftarrow ⟵ Longrightarrow ⟹ uparrow ↑ downarrow ↓
	nearrow ↗ searrow ↘ hookrightarrow ↪ rightharpoonup ⇀ colon : therefore ∴ because ∵`)

var texBig = pairs(`
	sum ∑ prod ∏ coprod ∐ bigcup ⋃ bigcap ⋂ bigoplus ⨁ bigotimes ⨂ bigvee ⋁ bigwedge ⋀ bigsqcup ⨆
	int ∫ iint ∬ iiint ∭ oint ∮`)

var texDelimiters = pairs(`
	{ { } } lbrace { rbrace } lbrack [ rbrack ] langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉
	lvert | rvert | vert | lVert ‖ rVert ‖ Vert ‖ | ‖ uparrow ↑ downarrow ↓ lgroup ⟮ rgroup ⟯`)

var texFunctions = map[string]bool{
	"sin": true, "cos": true, "tan": true, "cot": true, "sec": true, "csc": true,
	"arcsin": true, "arccos": true, "arctan": true, "sinh": true, "cosh": true, "tanh": true, "coth": true,
	"exp": true, "log": true, "ln": true, "lg": true, "arg": true, "deg": true, "dim": true, "ker": true, "hom": true,
}

// texLimits are the functions whose subscript may go below.
var texLimits = map[string]string{
	"lim": "lim", "limsup": "lim\u2009sup", "liminf": "lim\u2009inf", "max": "max", "min": "min", "sup": "sup", "inf": "inf",
	"det": "det", "gcd": "gcd", "Pr": "Pr", "argmax": "arg\u2009max", "argmin": "arg\u2009min",
}

var texSpaces = map[string]string{
	",": "0.167em", "thinspace": "0.167em", ":": "0.222em", ">": "0.222em", ";": "0.278em", "!": "-0.167em",
	" ": "0.333em", "\n": "0.333em", "\t": "0.333em", "enspace": "0.5em", "quad": "1em", "qquad": "2em",
}

var texAccents = map[string]struct {
	char            string
	stretchy, under bool
	brace           bool // scripts go below or above the brace
}{
	"hat": {char: "^"}, "widehat": {char: "^", stretchy: true},
	"tilde": {char: "~"}, "widetilde": {char: "~", stretchy: true},
	"bar": {char: "‾"}, "overline": {char: "‾", stretchy: true}, "underline": {char: "_", stretchy: true, under: true},
	"vec": {char: "→"}, "overrightarrow": {char: "→", stretchy: true},
	"dot": {char: "˙"}, "ddot": {char: "¨"}, "check": {char: "ˇ"}, "breve": {char: "˘"}, "acute": {char: "´"}, "grave": {char: "`"},
	"overbrace": {char: "⏞", stretchy: true, brace: true}, "underbrace": {char: "⏟", stretchy: true, under: true, brace: true},
}

var texFonts = map[string]string{
	"mathbf": "bf", "boldsymbol": "bm", "bm": "bm", "pmb": "bm", "mathrm": "rm", "mathit": "", "mathnormal": "",
	"mathsf": "sf", "mathtt": "tt", "mathcal": "cal", "mathscr": "cal", "mathbb": "bb", "mathfrak": "frak",
}

var texEnvironments = map[string]struct{ class, align, open, close string }{
	"matrix": {class: "matrix"}, "smallmatrix": {class: "matrix"},
	"pmatrix": {class: "matrix", open: "(", close: ")"}, "bmatrix": {class: "matrix", open: "[", close: "]"},
	"Bmatrix": {class: "matrix", open: "{", close: "}"}, "vmatrix": {class: "matrix", open: "|", close: "|"},
	"Vmatrix": {class: "matrix", open: "‖", close: "‖"},
	"cases":   {class: "cases", align: "l", open: "{"}, "rcases": {class: "cases", align: "l", close: "}"},
	"array": {class: "matrix"}, "subarray": {class: "matrix"},
	"align": {class: "aligned", align: "rl"}, "aligned": {class: "aligned", align: "rl"}, "split": {class: "aligned", align: "rl"},
	"alignat": {class: "aligned", align: "rl"}, "alignedat": {class: "aligned", align: "rl"}, "eqnarray": {class: "aligned", align: "rcl"},
	"gather": {class: "aligned", align: "c"}, "gathered": {class: "aligned", align: "c"}, "multline": {class: "aligned", align: "c"},
	"equation": {class: "", align: ""}, "displaymath": {class: "", align: ""}, "math": {class: "", align: ""},
}

// mathAlphabets say where Unicode has the letters of a font: A, a, 0, Α and α.
var mathAlphabets = map[string]struct{ upper, lower, digit, greekUpper, greekLower rune }{
	"bf":   {0x1d400, 0x1d41a, 0x1d7ce, 0x1d6a8, 0x1d6c2},
	"bm":   {0x1d468, 0x1d482, 0x1d7ce, 0x1d71c, 0x1d736},
	"cal":  {upper: 0x1d49c, lower: 0x1d4b6},
	"frak": {upper: 0x1d504, lower: 0x1d51e},
	"bb":   {upper: 0x1d538, lower: 0x1d552, digit: 0x1d7d8},
	"sf":   {upper: 0x1d5a0, lower: 0x1d5ba, digit: 0x1d7e2},
	"tt":   {upper: 0x1d670, lower: 0x1d68a, digit: 0x1d7f6},
}

// mathLetterlike are those that Unicode had before it had the alphabets.
var mathLetterlike = map[string]map[rune]rune{
	"cal": {
		'B': 'ℬ', 'E': 'ℰ', 'F': 'ℱ', 'H': 'ℋ', 'I': 'ℐ', 'L': 'ℒ', 'M': 'ℳ', 'R': 'ℛ',
		'e': 'ℯ', 'g': 'ℊ', 'o': 'ℴ',
	},
	"frak": {'C': 'ℭ', 'H': 'ℌ', 'I': 'ℑ', 'R': 'ℜ', 'Z': 'ℨ'},
	"bb":   {'C': 'ℂ', 'H': 'ℍ', 'N': 'ℕ', 'P': 'ℙ', 'Q': 'ℚ', 'R': 'ℝ', 'Z': 'ℤ'},
	"bf":   {'∇': '𝛁', '∂': '𝛛', 'ϵ': '𝛜', 'ϑ': '𝛝', 'ϕ': '𝛟', 'ϱ': '𝛠', 'ϖ': '𝛡'},
	"bm":   {'∇': '𝜵', '∂': '𝝏', 'ϵ': '𝝐', 'ϑ': '𝝑', 'ϕ': '𝝓', 'ϱ': '𝝔', 'ϖ': '𝝕'},
}

// mathLetter returns a letter or digit in a font, itself where there is none.
func mathLetter(font string, r rune) rune {
	if special, ok := mathLetterlike[font][r]; ok {
		return special
	}
	a := mathAlphabets[font]
	for _, s := range []struct{ first, last, to rune }{
		{'A', 'Z', a.upper},
		{'a', 'z', a.lower},
		{'0', '9', a.digit},
		{'Α', 'Ω', a.greekUpper},
		{'α', 'ω', a.greekLower},
	} {
		if s.first <= r && r <= s.last && s.to != 0 {
			return s.to + r - s.first
		}
	}
	return r
}
