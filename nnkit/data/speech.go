package data

import (
	"math"
	"strings"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// speechRate is that of a telephone: enough for speech.
const speechRate = 8000

// SpokenDigits synthesizes n spoken digits, a second each at 8000 samples a second: the sounds of "zero" to "nine" by a
// buzzing or hissing source and resonators that move as a mouth does (D. H. Klatt, Software for a cascade/parallel
// formant synthesizer, 1980, much simplified). Voices differ at random in pitch and its course, size of the mouth, pace,
// loudness and where in the second they speak, and there is noise in the room. No person's voice is in it. Row i says
// the digit i modulo 10.
func SpokenDigits(n, seed int) (*Examples, error) {
	return speech("SpokenDigits", "Spoken digits (synthetic)", n, seed, speechRate, []word{
		{"zero", "z iy r ow o"},
		{"one", "w ah ah n"},
		{"two", "- t uw uw"},
		{"three", "th r iy iy"},
		{"four", "f ao ao r"},
		{"five", "f aa y v"},
		{"six", "s ih - k s"},
		{"seven", "s eh v ah n"},
		{"eight", "eh ey - t"},
		{"nine", "n aa y n"},
	})
}

// Vowels synthesizes n vowels, half a second each at 8000 samples a second, by voices as those of [SpokenDigits]. Row i
// is the vowel i modulo 5 of a, e, i, o and u as Italian has them.
func Vowels(n, seed int) (*Examples, error) {
	return speech("Vowels", "Vowels (synthetic)", n, seed, speechRate/2, []word{
		{"a", "aa aa"}, {"e", "ey ey"}, {"i", "iy iy"}, {"o", "ao ao"}, {"u", "uw uw"},
	})
}

// phone is a sound of speech: three resonances of the mouth, how loud the voice and the hissing are, and around which
// frequency it hisses.
type phone struct {
	formant      [3]float64 // Hz
	voice, hiss  float64
	at           float64 // Hz
	milliseconds float64
}

// The vowels' resonances are near the means that G. E. Peterson and H. L. Barney, Control Methods Used in a Study of the
// Vowels, 1952, measured; "o" and "y" are the ends of the diphthongs in zero and five, and "-" is the silence before
// a burst.
var phones = map[string]phone{
	"iy": {formant: [3]float64{270, 2290, 3010}, voice: 1, milliseconds: 110},
	"ih": {formant: [3]float64{390, 1990, 2550}, voice: 1, milliseconds: 110},
	"eh": {formant: [3]float64{530, 1840, 2480}, voice: 1, milliseconds: 110},
	"ey": {formant: [3]float64{400, 2100, 2650}, voice: 1, milliseconds: 130},
	"ah": {formant: [3]float64{640, 1190, 2390}, voice: 1, milliseconds: 90},
	"aa": {formant: [3]float64{730, 1090, 2440}, voice: 1, milliseconds: 130},
	"ao": {formant: [3]float64{570, 840, 2410}, voice: 1, milliseconds: 110},
	"ow": {formant: [3]float64{500, 950, 2400}, voice: 1, milliseconds: 90},
	"o":  {formant: [3]float64{350, 800, 2300}, voice: 0.8, milliseconds: 90},
	"y":  {formant: [3]float64{350, 2100, 2700}, voice: 0.9, milliseconds: 110},
	"uw": {formant: [3]float64{300, 870, 2240}, voice: 0.9, milliseconds: 110},
	"w":  {formant: [3]float64{300, 610, 2200}, voice: 0.6, milliseconds: 80},
	"r":  {formant: [3]float64{350, 1060, 1450}, voice: 0.7, milliseconds: 80},
	"n":  {formant: [3]float64{250, 1400, 2500}, voice: 0.35, milliseconds: 90},
	"v":  {formant: [3]float64{250, 1100, 2200}, voice: 0.3, hiss: 0.06, at: 2600, milliseconds: 70},
	"z":  {formant: [3]float64{250, 1600, 2600}, voice: 0.25, hiss: 0.25, at: 3500, milliseconds: 90},
	"s":  {formant: [3]float64{300, 1600, 2600}, hiss: 0.4, at: 3500, milliseconds: 120},
	"f":  {formant: [3]float64{300, 1100, 2200}, hiss: 0.12, at: 2400, milliseconds: 100},
	"th": {formant: [3]float64{300, 1400, 2500}, hiss: 0.1, at: 3000, milliseconds: 90},
	"t":  {formant: [3]float64{300, 1700, 2600}, hiss: 0.5, at: 3200, milliseconds: 30},
	"k":  {formant: [3]float64{300, 1900, 2500}, hiss: 0.5, at: 1900, milliseconds: 30},
	"-":  {formant: [3]float64{300, 1700, 2600}, milliseconds: 50},
}

// word is what is said, and of which phones.
type word struct{ name, phones string }

func speech(call, name string, n, seed, samples int, words []word) (*Examples, error) {
	if err := checkRows(call, n, samples); err != nil {
		return nil, err
	}
	x, y := make([]float32, n*samples), make([]float32, n)
	inBlocks(n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			speak(x[i*samples:][:samples], words[i%len(words)], rowDraws(seed, i))
			y[i] = float32(i % len(words))
		}
	})
	e := &Examples{Name: name, X: tensor(x, n, samples), Y: tensor(y, n), Rate: speechRate}
	for _, w := range words {
		e.Classes = append(e.Classes, w.name)
	}
	return e, nil
}

// speak synthesizes one word.
func speak(out []float32, w word, r *draws) {
	names := strings.Fields(w.phones)
	var (
		pitch    = r.uniform(90, 240)                                 // Hz
		fall     = r.uniform(0.75, 1)                                 // of the pitch, to the end
		mouth    = 0.9 + float64(0.2*(pitch-90)/150) + r.normal(0.06) // high voices come from small mouths, with high resonances
		pace     = r.uniform(0.7, 1.3)
		loudness = r.uniform(0.3, 0.9)
		room     = loudness * r.uniform(0.005, 0.12)
	)
	ends := make([]int, len(names)) // of the phones, in samples from the word's beginning
	length := 0
	for i, name := range names {
		length += int(phones[name].milliseconds * pace * r.uniform(0.75, 1.25) * speechRate / 1000)
		ends[i] = length
	}
	length = min(length, len(out))
	start := int(r.uniform(0, float64(len(out)-length)))

	// Blurred, the course of the phones is that of a mouth.
	const blur = speechRate / 50
	var voice, hiss, hissAt mover
	var formant [3]mover
	var resonance [4]resonator
	var hissing resonator
	sound := make([]float64, length)
	phase, most, phoneAt := 0.0, 1e-9, 0
	for i := range sound {
		for phoneAt < len(names)-1 && i >= ends[phoneAt] {
			phoneAt++
		}
		p := phones[names[phoneAt]]
		for j, f := range p.formant {
			formant[j].toward(math.Min(f*mouth, 3700), blur, i == 0)
		}
		voice.toward(p.voice, blur/2, i == 0)
		hiss.toward(p.hiss, blur/4, i == 0)
		hissAt.toward(p.at, blur/8, i == 0)

		course := float64(i) / float64(length)
		phase += pitch * (1 - float64((1-fall)*course)) / speechRate
		buzz := 0.0
		if phase >= 1 {
			phase -= math.Floor(phase)
			buzz = 1 + r.normal(0.05)
		}
		if i%64 == 0 {
			for j := range formant {
				resonance[j].tune(formant[j].value, 60+40*float64(j))
			}
			resonance[3].tune(3600, 250)
			hissing.tune(math.Min(math.Max(hissAt.value, 500), 3800), 900)
		}
		noise := r.normal(1)
		y := float64(voice.value * (float64(6*buzz) + float64(0.02*noise)))
		for j := range resonance {
			y = resonance[j].pass(y)
		}
		y += float64(hiss.value * hissing.pass(noise) * 0.6)
		envelope := limit(math.Min(float64(i), float64(length-i))/(speechRate/100), 0, 1)
		sound[i] = y * envelope
		most = math.Max(most, math.Abs(sound[i]))
	}
	for i := range out {
		v := r.normal(room)
		if at := i - start; at >= 0 && at < length {
			v += float64(loudness * sound[at] / most)
		}
		out[i] = float32(limit(v, -1, 1))
	}
}

// mover follows a target slowly.
type mover struct{ value float64 }

func (m *mover) toward(target, samples float64, at bool) {
	if at {
		m.value = target
	}
	m.value += (target - m.value) / samples
}

// resonator is a filter of second order: y = a·x + b·y₁ + c·y₂.
type resonator struct{ a, b, c, y1, y2 float64 }

func (f *resonator) tune(hertz, bandwidth float64) {
	r := simd.Exp64(-math.Pi * bandwidth / speechRate)
	f.c = -r * r
	f.b = 2 * r * cosine(hertz/speechRate)
	f.a = 1 - f.b - f.c
}

func (f *resonator) pass(x float64) float64 {
	y := float64(f.a*x) + float64(f.b*f.y1) + float64(f.c*f.y2)
	f.y2, f.y1 = f.y1, y
	return y
}
