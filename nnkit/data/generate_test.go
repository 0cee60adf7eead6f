package data

import (
	"fmt"
	"math"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
)

// What a seed gives is a promise: the same on every machine, for any number of cores and in every version.
func TestGeneratedStaysTheSame(t *testing.T) {
	table := func(d *Dataset, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all := []any{d.Y}
		for _, row := range d.X {
			all = append(all, row)
		}
		return hash(t, all...)
	}
	examples := func(e *Examples, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return hash(t, e.X.Data(), e.Y.Data())
	}
	digits, words := must(Digits(20, 1))(t), must(SpokenDigits(10, 1))(t)
	compute := func() map[string]string {
		return map[string]string{
			"Moons":          table(Moons(50, 0.1, 1)),
			"Circles":        table(Circles(50, 0.1, 1)),
			"Spirals":        table(Spirals(50, 3, 0.1, 1)),
			"Blobs":          table(Blobs(50, 4, 3, 1, 1)),
			"XOR":            table(XOR(50, 0.1, 1)),
			"Sine":           table(Sine(50, 0.1, 1)),
			"Digits":         examples(Digits(20, 1)),
			"SpokenDigits":   examples(SpokenDigits(10, 1)),
			"Vowels":         examples(Vowels(10, 1)),
			"Spectrogram":    examples(Spectrogram(words, SpectrogramOptions{})),
			"MelSpectrogram": examples(MelSpectrogram(words, SpectrogramOptions{})),
			"MFCC":           examples(MFCC(words, SpectrogramOptions{})),
			"image augmentation": examples(digits.Augment(ImageAugmentation{
				Rotate: 20, ShiftX: 0.1, ShiftY: 0.1, Zoom: 0.2, Flip: true, Brightness: 0.1, Noise: 0.1, Cutout: 5,
			}, 1, 3)),
			"sound augmentation": examples(words.Augment(SoundAugmentation{Shift: 0.1, Stretch: 0.1, Loudness: 0.2, Noise: 0.01}, 1, 3)),
		}
	}
	want := map[string]string{
		"Moons":              "d18e5fd61e4ca760",
		"Circles":            "bbe011a56b4f76f2",
		"Spirals":            "7c490b091df4f3ca",
		"Blobs":              "a7fd10566fdfd5dd",
		"XOR":                "52b3591cf2087fce",
		"Sine":               "9174c5c7c47fb66e",
		"Digits":             "bae29b49eedff323",
		"SpokenDigits":       "6cf044a183779b49",
		"Vowels":             "d66e3faee30c9655",
		"Spectrogram":        "ab6d24165a489240",
		"MelSpectrogram":     "a9539bcc4916141d",
		"MFCC":               "9fad6721d786b3e7",
		"image augmentation": "d64eb59c46f7970f",
		"sound augmentation": "26bdc31e03da12b5",
	}
	for _, cores := range []int{0, 1} {
		nnkit.LimitCores(cores)
		for name, got := range compute() {
			if got != want[name] {
				t.Errorf("the hash of %s is %s, want %s (cores limited to %d)", name, got, want[name], cores)
			}
		}
	}
	nnkit.LimitCores(0)
}

func TestGenerated(t *testing.T) {
	// Each set's rows lie where its comment says, when there is no noise.
	for i, row := range must(Moons(200, 0, 1))(t).X {
		x, y := row[0], row[1]
		if i%2 == 1 {
			x, y = 1-x, 0.5-y
		}
		if math.Abs(math.Hypot(x, y)-1) > 1e-12 || y < -1e-12 {
			t.Errorf("Moons: row %d, %v, is on no arc", i, row)
		}
	}
	for i, row := range must(Circles(200, 0, 1))(t).X {
		if r := math.Hypot(row[0], row[1]); math.Abs(r-1+0.5*float64(i%2)) > 1e-12 {
			t.Errorf("Circles: row %d has the radius %v", i, r)
		}
	}
	spirals := must(Spirals(200, 3, 0, 1))(t)
	for i, row := range spirals.X {
		r := math.Hypot(row[0], row[1])
		turn := math.Atan2(row[1], row[0])/(2*math.Pi) - 1.25*r - spirals.Y[i]/3
		if math.Abs(turn-math.Round(turn)) > 1e-9 || r > 1 || r < 0.09 {
			t.Errorf("Spirals: row %d, %v, is not on arm %v", i, row, spirals.Y[i])
		}
	}
	xor := must(XOR(200, 0, 1))(t)
	for i, row := range xor.X {
		if (row[0]*row[1] < 0) != (xor.Y[i] == 1) {
			t.Errorf("XOR: row %d, %v, has the class %v", i, row, xor.Y[i])
		}
	}
	curve := must(Sine(200, 0, 1))(t)
	for i, row := range curve.X {
		if math.Abs(math.Sin(2*math.Pi*row[0])-curve.Y[i]) > 1e-12 {
			t.Errorf("Sine: row %d, %v, has the value %v", i, row, curve.Y[i])
		}
	}
	blobs := must(Blobs(3000, 3, 2, 0.5, 1))(t)
	for c := range 3 {
		var x []float64
		for i := c; i < 3000; i += 3 {
			x = append(x, blobs.X[i][0])
		}
		mean, square := 0.0, 0.0
		for _, v := range x {
			mean += v / 1000
		}
		for _, v := range x {
			square += (v - mean) * (v - mean) / 1000
		}
		if d := math.Sqrt(square); d < 0.45 || d > 0.55 || math.Abs(mean) > 11 {
			t.Errorf("Blobs: blob %d has the mean %v and the deviation %v", c, mean, d)
		}
	}
}

// Most of the difference is what math.Sin's argument loses by being rounded.
func TestSine(t *testing.T) {
	for i := range 10001 {
		x := float64(i-5000) / 1700
		if math.Abs(sine(x)-math.Sin(2*math.Pi*x)) > 4e-15 || math.Abs(cosine(x)-math.Cos(2*math.Pi*x)) > 4e-15 {
			t.Fatalf("sine(%v) = %v, cosine %v", x, sine(x), cosine(x))
		}
	}
}

// learn trains a small network and returns the accuracy on rows that it has not seen.
func learn(t *testing.T, e *Examples, epochs int, layers ...nnkit.Layer) float64 {
	t.Helper()
	train, test, err := StratifiedSplit(e, 0.75, 1)
	if err != nil {
		t.Fatal(err)
	}
	norm := must(Normalize(train.X))(t)
	train, test = must(train.Apply(norm))(t), must(test.Apply(norm))(t)
	m := nnkit.Sequential(layers...)
	if err := m.Compile(nnkit.Adam(nnkit.LearningRate(0.005)), nnkit.SparseCategoricalCrossEntropy, nnkit.Accuracy); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Fit(train.X, train.Y, nnkit.Epochs(epochs), nnkit.Verbose(0)); err != nil {
		t.Fatal(err)
	}
	return must(m.Evaluate(test.X, test.Y))(t).Value("accuracy")
}

// A network learns what is generated, a single layer does not or less: else the sets would teach nothing.
func TestGeneratedCanBeLearned(t *testing.T) {
	if testing.Short() { // what is generated and learnt does not depend on the machine: TestGeneratedStaysTheSame
		return
	}
	check := func(name string, least, most float64, got float64) {
		t.Helper()
		t.Logf("%s: %.3f", name, got)
		if got < least || got > most {
			t.Errorf("the accuracy on %s is %.3f, and should be between %v and %v", name, got, least, most)
		}
	}
	single := func(classes int) []nnkit.Layer {
		return []nnkit.Layer{nnkit.Flatten(), nnkit.Dense(classes, nnkit.Softmax)}
	}
	digits := must(Digits(1000, 1))(t)
	check("digits", 0.93, 1, learn(t, digits, 4, nnkit.Conv2D(12, 3, nnkit.ReLU), nnkit.MaxPooling2D(2), nnkit.Conv2D(24, 3, nnkit.ReLU),
		nnkit.MaxPooling2D(2), nnkit.Flatten(), nnkit.Dense(10, nnkit.Softmax)))
	check("digits, a single layer", 0.7, 0.93, learn(t, digits, 4, single(10)...))

	words := must(MelSpectrogram(must(SpokenDigits(1000, 1))(t), SpectrogramOptions{Hop: 160}))(t)
	check("spoken digits", 0.85, 1, learn(t, words, 10, nnkit.Conv1D(32, 5, nnkit.ReLU), nnkit.MaxPooling1D(2), nnkit.Conv1D(48, 5, nnkit.ReLU),
		nnkit.GlobalMaxPooling1D(), nnkit.Dense(10, nnkit.Softmax)))
	check("spoken digits, a single layer", 0.3, 0.8, learn(t, words, 10, single(10)...))

	vowels := must(MFCC(must(Vowels(500, 1))(t), SpectrogramOptions{Hop: 160}))(t)
	check("vowels", 0.85, 1, learn(t, vowels, 10, nnkit.Conv1D(16, 3, nnkit.ReLU), nnkit.GlobalMaxPooling1D(), nnkit.Dense(5, nnkit.Softmax)))
}

func ExampleDigits() {
	digits, err := Digits(1000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(digits)
	// Output: Digits (rendered): 1000 rows of 28×28×1, 10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
}

func ExampleSpokenDigits() {
	words, err := SpokenDigits(20, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	mel, err := MelSpectrogram(words, SpectrogramOptions{})
	fmt.Println(words)
	fmt.Println(mel, err)
	// Output:
	// Spoken digits (synthetic): 20 rows of 8000 at 8000 Hz, 10 classes: zero, one, two, three, four, five, six, seven, eight, nine
	// Spoken digits (synthetic): 20 rows of 97×40, 10 classes: zero, one, two, three, four, five, six, seven, eight, nine <nil>
}

func ExampleMoons() {
	moons, err := Moons(200, 0.1, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(moons.Names(), moons.Target.Classes, moons.Len())
	// Output: [x y] [upper lower] 200
}

func TestGeneratorErrors(t *testing.T) {
	words := must(SpokenDigits(1, 1))(t)
	checkFailures(t, []failure{
		{second(Moons(0, 0, 1)), "Moons: 0 rows: there must be at least 1"},
		{second(Circles(1, -1, 1)), "Circles: the noise is -1"},
		{second(XOR(1, math.NaN(), 1)), "XOR: the noise is NaN"},
		{second(Spirals(1, 1, 0, 1)), "Spirals: 1 arms"},
		{second(Blobs(1, 0, 2, 1, 1)), "Blobs: 0 centers in 2 dimensions"},
		{second(Digits(0, 1)), "Digits: 0 rows"},
		{second(Digits(1<<40, 1)), "Digits: 1099511627776 rows: there must be at least 1, and at most 21913098"},
		{second(SpokenDigits(0, 1)), "SpokenDigits: 0 rows"},
		{second(Vowels(-1, 1)), "Vowels: -1 rows"},
		{second(Spectrogram(words, SpectrogramOptions{Window: 100})), "Window is 100, and must be a power of two: 256"},
		{second(Spectrogram(words, SpectrogramOptions{Window: 1 << 14})), "the sounds have 8000 samples and a window 16384"},
		{second(Spectrogram(words, SpectrogramOptions{Hop: -1})), "Hop is -1"},
		{second(MelSpectrogram(words, SpectrogramOptions{Bands: 500})), "Bands is 500, and must be between 1 and 128"},
		{second(MFCC(words, SpectrogramOptions{Coefficients: 50})), "Coefficients is 50, and must be between 1 and the 40 bands"},
		{second(MFCC(words, SpectrogramOptions{High: 5000})), "the bands go from 0 to 5000 Hz"},
		{second(MFCC(must(Digits(1, 1))(t), SpectrogramOptions{})), "MFCC: X has the shape [1 28 28 1] and Rate is 0"},
		{second(MFCC(nil, SpectrogramOptions{})), "there are no sounds"},
	})
}
