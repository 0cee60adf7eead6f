package display

import (
	"errors"
	"image"
	"math"
	"slices"
	"strings"
	"testing"
)

// What cannot be drawn is said in words, whatever the kind of figure.
func TestKindsSayWhatTheyCannotDraw(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	ones := func(n, label int) []int {
		v := make([]int, n)
		for i := range v {
			v[i] = label
		}
		return v
	}
	thousand := make([]int, 3000)
	wrong := make([]int, 3000)
	for i := range thousand {
		thousand[i], wrong[i] = i%1000, (i+i%7/6)%1000
	}
	var manyRuns []Run
	for range 9 {
		manyRuns = append(manyRuns, Run{History: Metrics{"loss": {2, 1}}})
	}
	grey := image.NewGray(image.Rect(0, 0, 4, 4))
	predict := func(x [][]float64) ([][]float64, error) {
		out := make([][]float64, len(x))
		for i := range out {
			out[i] = []float64{0.5}
		}
		return out, nil
	}
	vectors := make2D(1200, 3)
	for i := range vectors {
		for j := range vectors[i] {
			vectors[i][j] = math.Sin(float64(i*(j+1)) * 1.7)
		}
	}
	bowl := func(x, y float64) float64 { return x*x + y*y }
	var manyPaths []Path
	for i := range 9 {
		manyPaths = append(manyPaths, Path{Points: [][2]float64{{float64(i), 1}, {0, 0}}})
	}
	for _, c := range []struct {
		name string
		f    *Figure
		want string
	}{
		{"no runs", Compare(nil), "there are no runs"},
		{"empty runs", Compare([]Run{{"a", nil}, {"b", Metrics{}}}), "the history is empty"},
		{"nine runs", Compare(manyRuns), "9 runs compared"},
		{"log of a negative", Curve(Metrics{"loss": {1, -1, 0, 0.5}}, LogAxis()), "train left out: 2 not above 0"},
		{"log of nothing", Curve(Metrics{"loss": {-1, -2}}, LogAxis()), "no finite value to draw; train left out: 2 not above 0"},
		{"log of one", Curve(Metrics{"loss": {3, 3}}, LogAxis()), "loss over 2 epochs"},
		{"log of all float64", Curve(Metrics{"loss": {5e-324, math.MaxFloat64}}, LogAxis()), "loss over 2 epochs"},
		{"smooth gaps", Curve(Metrics{"loss": {1, nan, 0.5, inf, 0.2}}, Smooth(0.9)), "train left out: 1 NaN, 1 Inf"},
		{"rate", Curve(Metrics{"learning_rate": {0.1, 0.01, 0.001}}), "learning_rate over 3 epochs"},

		{"no rates", RangeTest(nil, nil), "there are no learning rates and no losses"},
		{"lengths of a range test", RangeTest([]float64{1, 2}, []float64{1}), "2 learning rates stand against 1 losses"},
		{"rate of zero", RangeTest([]float64{0, 1}, []float64{1, 1}), "learning rate 0 is 0; rates must be above 0"},
		{"falling rates", RangeTest([]float64{0.1, 0.01}, []float64{1, 1}), "learning rate 1 is 0.01 after 0.1"},
		{"losses of NaN", RangeTest([]float64{0.1, 1}, []float64{nan, 1}), "there is 1 loss that is a number"},
		{"flat losses", RangeTest([]float64{0.1, 1, 10}, []float64{1, 1, 1}), "no rate suggested"},
		{"exploded", RangeTest([]float64{0.1, 1, 10, 100}, []float64{1, 0.5, 1e30, inf}), "no rate suggested: the loss falls nowhere"},

		{"no ridges", Ridges(nil), "there are no values"},
		{"ridges of NaN", Ridges([]Sample{{"a", "1", []float64{nan}}}), "no finite value to draw; left out: 1 NaN"},
		{"empty ridge", Ridges([]Sample{{"a", "1", nil}, {"a", "2", []float64{1, 2}}}), "standard deviation"},
		{"constant ridges", Ridges([]Sample{{"a", "1", []float64{0, 0}}, {"a", "2", []float64{0}}}), "standard deviation 0 at 1, 0 at 2"},
		{"no ratios", UpdateRatios(nil), "there are no update ratios"},
		{"empty ratios", UpdateRatios(Metrics{"a": {}}), "there are no update ratios"},
		{"ratios of NaN", UpdateRatios(Metrics{"a": {nan, nan}}), "last: a NaN"},
		{"ratios of zero", UpdateRatios(Metrics{"a": {0, 1e-3}}), "last: a 0.001"},
		{"no layers to die", DeadUnits(nil), "there are no layers"},
		{"ragged layer", DeadUnits([]Map{{"a", [][]float64{{1, 2}, {1}}}}), "row 1 of layer 0 has 1 value, row 0 has 2"},
		{"activity of NaN", DeadUnits([]Map{{"a", [][]float64{{nan, 2}}}}), "1 of 2 units active for none of 1 example"},

		{"no predictions", Confusion(nil, nil), "there are no truths and no predictions"},
		{"lengths of a confusion", Confusion(ones(3, 0), ones(2, 0)), "3 truths stand against 2 predictions"},
		{"one class", Confusion(ones(3, 4), ones(3, 4)), "confusion matrix of 1 class, accuracy 100.0 %, 3 of 3"},
		{"thousand classes", Confusion(thousand, wrong), "confusion matrix of 1000 classes, accuracy 85.7 %"},
		{"unknown answers", Confusion([]int{0, 1}, Predicted([][]float64{{nan}, {1}})), "accuracy 50.0 %, 1 of 2"},
		{"no scores", ROC[float64](nil, nil), "there are no truths and no rows of scores"},
		{"ragged scores", ROC([]int{0, 1}, [][]float64{{1}, {1, 2}}), "row 1 of the scores has 2 values, row 0 has 1"},
		{"label beyond", ROC([]int{0, 5}, [][]float64{{1, 0}, {0, 1}}), "the truth of row 1 is class 5, but the scores are of classes 0 to 1"},
		{"one kind", ROC(ones(3, 1), [][]float32{{1}, {0}, {0.5}}), "there is one kind only"},
		{"one kind of PR", PrecisionRecall(ones(3, 0), [][]float32{{1}, {0}, {0.5}}), "there is one kind only"},
		{"scores of NaN", ROC([]int{0, 1}, [][]float64{{nan}, {nan}}), "there is one kind only"},
		{"not a probability", Calibration([]int{0, 1}, []float64{0.2, 1.2}), "the probability of row 1 is 1.2; it must lie in 0 to 1"},
		{"not a truth", Calibration([]int{0, 2}, []float64{0.2, 0.2}), "the truth of row 1 is 2; it must be 0 or 1"},
		{"probabilities of NaN", Calibration([]int{0}, []float64{nan}), "every probability is NaN"},
		{"one probability", Calibration([]int{1}, []float64{1}), "calibration error 0.0000"},
		{"no prices", Regression[float64](nil, nil), "there are no truths and no predictions"},
		{"prices of NaN", Regression([]float64{nan}, []float64{1}), "no row has both"},
		{"one price", Regression([]float64{1}, []float64{1}), "R² is not defined"},
		{"no images", Images(nil, nil, nil), "there are no images"},
		{"nil image", Images([]image.Image{nil, grey}, nil, nil), "2 images"},
		{"labels of images", Images([]image.Image{grey}, []int{1, 2}, nil), "1 images stand against 2 truths"},
		{"many images", Images(make([]image.Image, 100), nil, nil), "100 images; the first 32"},
		{"three features", Boundary([][]float64{{1, 2, 3}}, []int{0}, predict), "point 0 has 3 features; a boundary is drawn over two"},
		{"failing", Boundary([][]float64{{1, 2}}, []int{0}, func([][]float64) ([][]float64, error) { return nil, errors.New("why") }), "the prediction failed: why"},
		{"too few", Boundary([][]float64{{1, 2}}, []int{0}, func([][]float64) ([][]float64, error) { return nil, nil }), "the prediction has 0 rows for"},
		{"points of NaN", Boundary([][]float64{{nan, 2}}, []int{0}, predict), "no point has two numbers"},
		{"one point", Boundary([][]float64{{1, 2}}, []int{0}, predict), "1 of 1 points on the right side"},

		{"no series", Plot(nil), "there is no series"},
		{"lengths of a series", Plot([]Series{{Name: "a", X: []float64{1, 2, 3}, Y: []float64{1, 2}}}), "a has 3 x and 2 y"},
		{"series of NaN", Plot([]Series{{Y: []float64{nan, nan}}}), "no pair of x and y has two numbers (2 NaN)"},
		{"one pair", Plot([]Series{{Y: []float64{1}}}), "y against x: series 1"},
		{"not above zero", Plot([]Series{{Y: []float64{0, 1, 2}}}, LogAxis()), "y against x: series 1"},
		{"many series", Plot(slices.Repeat([]Series{{Name: "a", Y: []float64{1, 2}}}, 9)), "y against x: a, a, a, a, a, a and a"},

		{"no labels", Balance(nil), "there are no labels"},
		{"thousand labels", Balance(thousand), "3000 examples in 1000 classes"},
		{"missing class", Balance([]int{0, 0}, Classes("a", "b")), "one or more have none"},
		{"no table", Features[float64](nil, nil), "the table has no rows"},
		{"empty rows", Correlation(nil, [][]float64{{}}), "rows without values"},
		{"constant column", Correlation(nil, [][]float64{{1, 2}, {1, 3}, {1, 5}}), "correlation of 2 features over 3 rows"},
		{"hundred columns", Correlation(nil, [][]float64{make([]float64, 100), make([]float64, 100)}), "correlation of 100 features"},
		{"no sound", Waveform[float64](nil, 8000), "there are no samples"},
		{"no rate", Waveform([]float64{1}, 0), "the sampling rate is 0"},
		{"sound of NaN", Spectrogram([]float64{nan, nan}, 8000), "no sample is a number"},
		{"one sample", Waveform([]float64{1}, 8000), "1 sample at 8000 Hz"},
		{"short sound", Spectrogram([]float64{1, 2}, 8000), "needs 256 samples, and there are 2"},
		{"silence", Spectrogram(make([]float64, 1000), 8000), "the signal is silent"},

		{"no filters", Filters(nil), "there is no filter"},
		{"empty map", Activations([]Map{{}}), "activation map 0 has no rows"},
		{"maps of NaN", Activations([]Map{{"a", [][]float64{{nan}}}}), "1 activation map"},
		{"constant filter", Filters([]Map{{"a", [][]float64{{0}}}}), "from 0 to 0"},
		{"no heads", Attention(nil, nil, nil), "there is no head"},
		{"negative weights", Attention([]Map{{"", [][]float64{{-0.5}}}}, nil, nil), "row 0 of head 0 holds -0.5"},
		{"long attention", Attention([]Map{{"", make2D(300, 300)}}, nil, nil), "300 queries by 300 keys"},
		{"no heat", Saliency(nil, nil), "there are no images and no maps"},
		{"heat of NaN", Saliency([]image.Image{grey, nil}, []Map{{"", [][]float64{{nan}}}, {"", [][]float64{{1}}}}), "saliency over 2 images; in 1 of them no place counts"},
		{"ragged heat", Saliency([]image.Image{grey}, []Map{{"", [][]float64{{1, 2}, {1}}}}), "row 1 of map 0 has 1 value, row 0 has 2"},
		{"much heat", Saliency(make([]image.Image, 40), slices.Repeat([]Map{{"", [][]float64{{0, 1}}}}, 40)), "saliency over 40 images"},
		{"two vectors", Embedding([][]float64{{1, 2}, {3, 4}}, nil), "two components need three vectors"},
		{"equal vectors", Embedding([][]float64{{1, 2}, {1, 2}, {1, 2}}, nil), "all vectors are equal"},
		{"vectors of NaN", Embedding([][]float64{{1, 2}, {3, 4}, {nan, 1}, {5, 7}}, nil), "3 vectors of 2 values"},
		{"few for a t-SNE", TSNE([][]float64{{1, 2}, {3, 4}, {5, 7}}, nil), "a t-SNE needs four vectors of two values at least"},
		{"equal in a t-SNE", TSNE([][]float64{{1, 2}, {1, 2}, {1, 2}, {1, 2}}, nil), "all vectors are equal"},
		{"narrow t-SNE", TSNE([][]float64{{1}, {2}, {3}, {4}}, nil), "4 vectors of 1 value that are numbers"},
		{"t-SNE of a line", TSNE([][]float64{{1, 1}, {2, 2}, {3, 3}, {4, 4}, {nan, 1}}, []int{0, 0, 1, 1, 1}), "perplexity 1, KL divergence"},
		{"perplexity below 1", TSNE(make2D(5, 2), nil, Perplexity(0)), "it must be a number from 1 up"},
		{"perplexity of NaN", TSNE(make2D(5, 2), nil, Perplexity(nan)), "the perplexity is NaN"},
		{"t-SNE of a thousand classes", TSNE(vectors, thousand[:1200], Perplexity(5)), "t-SNE: 1200 vectors of 3 values, perplexity 5"},
		{"no loss", LossSurface(nil, nil), "there is no loss function"},
		{"loss of NaN", LossSurface(func(_, _ float64) float64 { return nan }, nil), "the loss is a number nowhere"},
		{"flat loss", LossSurface(func(_, _ float64) float64 { return 3 }, nil), "loss surface from 3 to 3"},
		{"half a loss", LossSurface(func(x, _ float64) float64 { return math.Log(x) }, nil), "loss surface from"},
		{"endless loss", LossSurface(func(x, y float64) float64 { return math.Exp(300 * (x + y)) }, nil), "loss surface from"},
		{"infinite loss", LossSurface(func(x, y float64) float64 { return math.Exp(2000 * (x + y)) }, nil), "loss surface from 0 to"},
		{"empty path", LossSurface(bowl, []Path{{Name: "a"}}), "no path has a point of two numbers"},
		{"one point of a path", LossSurface(bowl, []Path{{Points: [][2]float64{{1, 1}}}}), "loss surface from"},
		{"path of NaN", LossSurface(bowl, []Path{{"a", [][2]float64{{1, 1}, {nan, 0}, {0.5, 0.5}}}}), "left out: 1 point of paths that are no numbers"},
		{"path that runs away", LossSurface(bowl, []Path{{"a", [][2]float64{{1, 1}, {-3, 3}, {1e200, -1e200}}}}), "2 points of paths outside of the picture"},
		{"nine paths", LossSurface(bowl, manyPaths), "the first 7 of 9 paths"},
		{"turned round", LossSurface(bowl, nil, Within(1, 0, 0, 1)), "the first parameter goes from 1 to 0"},

		{"no tokens", Tokens[float64](nil, nil), "there are no tokens and no weights"},
		{"tokens without weights", Tokens([]string{"a"}, []float64{}), "1 tokens stand against 0 weights"},
		{"weights of NaN", Tokens([]string{"a", "b"}, []float64{nan, inf}), "2 tokens, no weight is a number"},
		{"weights of zero", Tokens([]string{"a", "", "\n"}, []float32{0, 0, 0}), `the highest weight is that of "a", 0`},
		{"lines alone", Tokens([]string{"\n", "\n"}, []float64{1, 2}), "2 tokens"},
		{"long token", Tokens([]string{strings.Repeat("long", 100)}, []float64{1}), "1 token"},
		{"many tokens", Tokens(make([]string, 5000), make([]float64, 5000)), "5000 tokens"},

		{"no network", Architecture(nil), "the network has no layers"},
		{"negative layer", Architecture([]Layer{{Name: "a", Parameters: -1}}), `layer 0, "a", has -1 parameters`},
		{"deep network", Architecture(make([]Layer, 200)), "200 layers, 0 parameters"},
		{"unknown input", Architecture([]Layer{{Name: "a"}, {Name: "b", Inputs: []string{"c"}}}), `layer 1, "b", reads "c", which is none of the layers before it`},
		{"no model", Model(nil), "there is no model"},
	} {
		if !strings.Contains(c.f.String(), c.want) {
			t.Errorf("%s: says %q, want %q", c.name, c.f, c.want)
		}
		svg := c.f.SVG()
		if strings.Contains(svg, "could not be drawn") {
			t.Errorf("%s: gonum refuses: %v", c.name, checkSVG(t, svg).texts)
		}
		checkSVG(t, svg)
	}
}

func TestErrorsOfPictures(t *testing.T) {
	if _, err := Picture(make([]float64, 5), 2, 2, 1); err == nil || !strings.Contains(err.Error(), "5 values, but height 2 times width 2 times 1 channel make 4") {
		t.Error(err)
	}
	if _, err := Picture(make([]float64, 8), 2, 2, 2); err == nil || !strings.Contains(err.Error(), "use 1 or 3 channels") {
		t.Error(err)
	}
	if _, err := Channels(make([]float64, 5), 2, 2, 3); err == nil || !strings.Contains(err.Error(), "make 12") {
		t.Error(err)
	}
	if _, err := HeatMaps([][]float64{make([]float64, 8), make([]float64, 7)}, 2, 2); err == nil || !strings.Contains(err.Error(), "row 1 has 7 values, which is no multiple of height 2 times width 2, 4") {
		t.Error(err)
	}
	heat, err := HeatMaps([][]float32{{0, -3, 2, 1}}, 1, 2)
	if err != nil || heat[0].Values[0][0] != -3 || heat[0].Values[0][1] != 2 {
		t.Errorf("%v, %v", heat, err)
	}
	maps, err := Channels([]float32{0, 1, 2, 3, 4, 5}, 1, 3, 2)
	if err != nil || maps[1].Values[0][2] != 5 || maps[0].Values[0][1] != 2 {
		t.Errorf("%v, %v", maps, err)
	}
}

func TestPredicted(t *testing.T) {
	nan := float32(math.NaN())
	got := Predicted([][]float32{{0.2, 0.7, 0.1}, {0.5}, {0.51}, {nan}, {nan, 0.1}, {}, {1, 1}})
	for i, want := range []int{1, 0, 1, -1, 1, -1, 0} {
		if got[i] != want {
			t.Errorf("row %d is of class %d, want %d", i, got[i], want)
		}
	}
}

// The areas of an example small enough to count by hand: of the 6 pairs of a positive and a negative 4 are in order and one is equal.
func TestAreas(t *testing.T) {
	hits := countHits([]float64{0.9, 0.8, 0.7, 0.7, 0.1}, []bool{true, false, true, false, true})
	if _, auc := rocCurve(hits, 3); math.Abs(auc-(1+1+0+0.5+0+0)/6) > 1e-12 {
		t.Errorf("AUC %g", auc)
	}
	// Precision 1 at recall 1/3, 2/4 at 2/3, 3/5 at 1.
	if _, ap := precisionCurve(hits, 3); math.Abs(ap-(1+0.5+0.6)/3) > 1e-12 {
		t.Errorf("AP %g", ap)
	}
}

func TestWilson(t *testing.T) {
	// Agresti and Coull's (1998) form of the interval for 0 of 10 ends at z²/(n+z²).
	lo, hi := wilson(0, 10)
	if lo > 1e-12 || math.Abs(hi-0.27753) > 1e-4 {
		t.Errorf("0 of 10: %g to %g", lo, hi)
	}
}

func TestAverage(t *testing.T) {
	for _, v := range average([]float64{3, 3, math.NaN(), 3, 3}, 0.9) {
		if finite(v) && math.Abs(v-3) > 1e-12 {
			t.Errorf("a constant is smoothed to %g", v)
		}
	}
	// A straight line keeps its middle, since the weights are even on both sides.
	line := make([]float64, 101)
	for i := range line {
		line[i] = float64(i)
	}
	if mid := average(line, 0.8)[50]; math.Abs(mid-50) > 1e-6 {
		t.Errorf("the middle of a line is smoothed to %g", mid)
	}
	got := average([]float64{0, 1, 0}, 0.5)
	for i, want := range []float64{0.5 / 1.75, 1.0 / 2, 0.5 / 1.75} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("average %d is %g, want %g", i, got[i], want)
		}
	}
}

// The loss falls most steeply at the middle of a logistic step.
func TestSuggestRate(t *testing.T) {
	var rates, losses []float64
	for i := range 200 {
		x := -6 + 5*float64(i)/199
		rates = append(rates, math.Pow(10, x))
		losses = append(losses, 1-0.9/(1+math.Exp(-4*(x+3))))
	}
	if rate, ok := SuggestRate(rates, losses); !ok || math.Abs(math.Log10(rate)+3) > 0.06 {
		t.Errorf("suggests %g (%v), want 0.001", rate, ok)
	}
	if rate, ok := SuggestRate(rates, rates); ok {
		t.Errorf("suggests %g where the loss only rises", rate)
	}
}

func TestPearson(t *testing.T) {
	rows := [][]float64{{1, 2, 5}, {2, 4, 5}, {3, 6, 5}, {math.NaN(), 1, 5}, {4, 7, 5}}
	if r := pearson(rows, 0, 1); math.Abs(r-8.5/math.Sqrt(5*14.75)) > 1e-12 {
		t.Errorf("correlation %g", r)
	}
	if r := pearson(rows, 0, 2); finite(r) {
		t.Errorf("correlation with a constant %g", r)
	}
}

// A tone is loudest in the band of its frequency.
func TestSpectrogramFindsATone(t *testing.T) {
	const rate, hz = 8000, 1000
	tone := make([]float64, 4000)
	for i := range tone {
		tone[i] = math.Sin(2 * math.Pi * hz * float64(i) / rate)
	}
	f := Spectrogram(tone, rate)
	if y := f.Plots()[0].Y; y.Max != 4 || y.Label.Text != "frequency (kHz)" {
		t.Errorf("the axis goes to %g %s", y.Max, y.Label.Text)
	}
	power, bands := spectrum(tone, 256, 64)
	loudest := 0
	for b := range power {
		if power[b][5] > power[loudest][5] {
			loudest = b
		}
	}
	if got := float64(bands-1-loudest) * rate / 256; got != hz {
		t.Errorf("loudest at %g Hz, want %d", got, hz)
	}
}

func TestDecades(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{1e-6, 1, "1e-6 1e-4 0.01 1"},
		{0.06, 0.7, "0.1 0.2 0.5"},
		{0.9, 110, "1 10 100"},
		{0.41, 0.47, "0.42 0.44 0.46"},
		{1e-300, 1e300, "1e-200 1 1e200"},
	} {
		var got []string
		for _, tick := range (decades{6}).Ticks(c.lo, c.hi) {
			got = append(got, tick.Label)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%g to %g: %v, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

// Hills of different panels can be compared where their axes are the same.
func TestSharedAxis(t *testing.T) {
	samples := []Sample{{"a", "1", []float64{0, 1}}, {"b", "1", []float64{5, 9}}}
	for _, c := range []struct {
		options []Option
		want    [2]float64 // how wide the panels are
	}{
		{nil, [2]float64{1.04, 4.16}},
		{[]Option{SharedAxis()}, [2]float64{9.36, 9.36}},
	} {
		var got [2]float64
		for i, p := range Ridges(samples, c.options...).Plots() {
			got[i] = math.Round(100*(p.X.Max-p.X.Min)) / 100
		}
		if got != c.want {
			t.Errorf("%d options: the panels are %g wide, want %g", len(c.options), got, c.want)
		}
	}
}
