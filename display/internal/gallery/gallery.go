// Package gallery makes one or more figures of each kind from invented data that are the same everywhere: for the pictures that tests compare, and for
// the contact sheet.
package gallery

import (
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"

	"github.com/seed5607215b/nnkit/display"
	"github.com/seed5607215b/nnkit/nnkit"
)

// A Picture is a figure with a name for its file.
type Picture struct {
	Name   string
	Figure *display.Figure
}

// Pictures makes all figures in a theme.
func Pictures(theme display.Theme) []Picture {
	var all []Picture
	add := func(name string, f *display.Figure) { all = append(all, Picture{name, f}) }
	titled := func(title string) []display.Option { return []display.Option{theme, display.Title(title)} }

	add("curve", display.Curve(history(40, 0.09, 1), titled("First network")...))
	add("curve-log-smooth", display.Curve(display.Metrics{"loss": noisy(history(120, 0.05, 2)["loss"])}, theme, display.LogAxis(), display.Smooth(0.85)))
	add("curve-rate", display.Curve(withRate(history(60, 0.07, 3)), theme))
	add("compare", display.Compare([]display.Run{
		{Name: "Adam", History: history(30, 0.14, 4)}, {Name: "SGD", History: history(30, 0.05, 5)}, {Name: "RMSprop", History: history(24, 0.1, 6)},
	}, titled("Three optimizers")...))
	rates, losses := rangeTest()
	add("range-test", display.RangeTest(rates, losses, theme))

	var hours, tide, forecast []float64
	for h := range 72 {
		level := 100 * math.Sin(2*math.Pi*float64(h)/12.42)
		hours, forecast = append(hours, float64(h)), append(forecast, level)
		tide = append(tide, level+15*math.Sin(float64(h*h)))
	}
	add("plot", display.Plot([]display.Series{
		{Name: "measured", X: hours, Y: tide, Dots: true}, {Name: "predicted", X: hours, Y: forecast},
	}, append(titled("Three days in a harbour"), display.AxisNames("hour", "level in cm"))...))

	add("histograms", display.Histograms([]display.Sample{
		{Group: "hidden", Name: "kernel", Values: normal(800, 0, 0.3, 7)},
		{Group: "hidden", Name: "bias", Values: normal(64, 0.1, 0.05, 8)},
		{Group: "output", Name: "kernel", Values: normal(640, 0, 0.5, 9)},
		{Group: "output", Name: "bias", Values: normal(10, 0, 0.2, 10)},
	}, theme))
	var ridges []display.Sample
	for epoch := range 12 {
		grown := 0.1 + 0.02*float64(epoch)
		ridges = append(ridges, display.Sample{Group: "dense_1 kernel", Name: fmt.Sprintf("epoch %d", epoch+1), Values: normal(600, 0.02*float64(epoch), grown, uint64(20+epoch))})
		ridges = append(ridges, display.Sample{Group: "dense_2 kernel", Name: fmt.Sprintf("epoch %d", epoch+1), Values: normal(600, 0, 0.4-grown/2, uint64(40+epoch))})
	}
	add("ridges", display.Ridges(ridges, theme))
	add("update-ratios", display.UpdateRatios(display.Metrics{
		"dense_1/kernel": decay(25, 8e-3, 0.11, 11), "dense_2/kernel": decay(25, 2e-3, 0.04, 12), "dense_3/kernel": decay(25, 2e-4, 0.13, 13),
	}, theme))
	add("dead-units", display.DeadUnits([]display.Map{
		{Name: "conv2d_1", Values: activity(60, 32, 0.03, 14)}, {Name: "conv2d_2", Values: activity(60, 64, 0.14, 15)}, {Name: "dense_1", Values: activity(60, 128, 0.32, 16)},
	}, theme))

	truth, scores := classified(600, 5, 2.2, 17)
	animals := display.Classes("cat", "dog", "horse", "ship", "aeroplane")
	add("confusion", display.Confusion(truth, display.Predicted(scores), theme, animals))
	many, manyScores := classified(1500, 14, 3, 18)
	add("confusion-many", display.Confusion(many, display.Predicted(manyScores), theme))
	ill, probability := patients(800, 19)
	add("roc", display.ROC(ill, probability, theme))
	add("roc-classes", display.ROC(truth, scores, theme, animals))
	add("precision-recall", display.PrecisionRecall(ill, probability, theme))
	flat := make([]float64, len(probability))
	for i, row := range probability {
		flat[i] = row[0]
	}
	add("calibration", display.Calibration(ill, flat, theme))
	prices, guesses := prices(350, 20)
	add("regression", display.Regression(prices, guesses, theme, display.Title("House prices")))
	digits, labels := digits(20)
	guessed := append([]int(nil), labels...)
	guessed[4], guessed[11], guessed[17] = 7, 3, 0
	add("images", display.Images(digits, labels, guessed, theme))
	points, classes := moons(240, 21)
	add("boundary", display.Boundary(points, classes, func(x [][]float64) ([][]float64, error) {
		out := make([][]float64, len(x))
		for i, p := range x {
			out[i] = []float64{1 / (1 + math.Exp(6*(p[1]-0.25-0.5*math.Cos(math.Pi*p[0]))))}
		}
		return out, nil
	}, theme))

	add("loss-surface", display.LossSurface(valley, descents(), theme, display.Title("Three optimizers in a valley")))
	add("loss-surface-linear", display.LossSurface(himmelblau, nil, theme, display.Within(-5, 5, -5, 5)))

	add("landscape", landscape(theme, display.Title("Two optimizers on the moons")))
	add("landscape-random", landscapeAround(theme))
	add("saliency", display.Saliency(digits[:8], heat(digits[:8]), theme))

	add("balance", display.Balance(truth[:431], theme, animals))
	names, table := patientsTable(300, 22)
	add("features", display.Features(names, table, theme))
	add("correlation", display.Correlation(names, table, theme))
	add("samples", display.Images(digits[:8], labels[:8], nil, theme, display.Title("Samples")))
	tone := chirp(16000, 8000)
	add("waveform", display.Waveform(tone, 8000, theme))
	add("spectrogram", display.Spectrogram(tone, 8000, theme))

	review, weights := reviewed()
	add("tokens", display.Tokens(review, weights, titled("What speaks for a good review")...))
	chinese, attended := characters()
	add("tokens-chinese", display.Tokens(chinese, attended, theme, display.Size(420, 0)))

	add("filters", display.Filters(filters(16), theme))
	add("activations", display.Activations(activations(8), theme))
	words := []string{"the", "cat", "sat", "on", "the", "mat", "because", "it", "was", "tired"}
	add("attention", display.Attention(heads(2, len(words)), words, words, theme))
	vectors, kinds := clusters(300, 23)
	add("embedding", display.Embedding(vectors, kinds, theme, animals))
	add("tsne", display.TSNE(vectors[:160], kinds[:160], theme, animals))
	add("architecture", display.Architecture([]display.Layer{
		{Name: "input", Kind: "input", Shape: []int{28, 28, 1}},
		{Name: "conv2d_1", Kind: "conv2d, relu", Shape: []int{28, 28, 6}, Parameters: 156},
		{Name: "max_pooling2d_1", Kind: "max pooling", Shape: []int{14, 14, 6}},
		{Name: "conv2d_2", Kind: "conv2d, relu", Shape: []int{10, 10, 16}, Parameters: 2416},
		{Name: "max_pooling2d_2", Kind: "max pooling", Shape: []int{5, 5, 16}},
		{Name: "flatten_1", Kind: "flatten", Shape: []int{400}},
		{Name: "dense_1", Kind: "dense, relu", Shape: []int{120}, Parameters: 48120},
		{Name: "dense_2", Kind: "dense, relu", Shape: []int{84}, Parameters: 10164},
		{Name: "dense_3", Kind: "dense, softmax", Shape: []int{10}, Parameters: 850},
	}, theme, display.Title("LeNet")))
	add("graph", display.Architecture([]display.Layer{
		{Name: "numbers", Kind: "input", Shape: []int{8}, Inputs: []string{}},
		{Name: "words", Kind: "input", Shape: []int{20}, Inputs: []string{}},
		{Name: "embedding_1", Kind: "embedding", Shape: []int{20, 16}, Parameters: 16000, Inputs: []string{"words"}},
		{Name: "lstm_1", Kind: "lstm, tanh", Shape: []int{32}, Parameters: 6272, Inputs: []string{"embedding_1"}},
		{Name: "dense_1", Kind: "dense, relu", Shape: []int{32}, Parameters: 288, Inputs: []string{"numbers"}},
		{Name: "concatenate_1", Kind: "concatenate", Shape: []int{64}, Inputs: []string{"lstm_1", "dense_1"}},
		{Name: "dense_2", Kind: "dense, relu", Shape: []int{64}, Parameters: 4160, Inputs: []string{"concatenate_1"}},
		{Name: "dense_3", Kind: "dense", Shape: []int{64}, Parameters: 4160, Inputs: []string{"dense_2"}},
		{Name: "add_1", Kind: "add", Shape: []int{64}, Inputs: []string{"concatenate_1", "dense_3"}},
		{Name: "price", Kind: "dense", Shape: []int{1}, Parameters: 65, Inputs: []string{"add_1"}},
		{Name: "kind", Kind: "dense, softmax", Shape: []int{3}, Parameters: 195, Inputs: []string{"add_1"}},
	}, theme, display.Title("Two inputs, two outputs")))

	add("says-empty", display.Confusion(nil, nil, theme))
	add("says-nan", display.Curve(display.Metrics{"loss": {0.9, math.NaN(), 0.6, math.Inf(1), 0.5}}, theme))
	add("says-error", display.Boundary(points, classes, func([][]float64) ([][]float64, error) {
		return nil, errors.New("the model expects 8 features, the rows have 2")
	}, theme))
	return all
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func normal(n int, mean, sd float64, seed uint64) []float64 {
	r := source(seed)
	v := make([]float64, n)
	for i := range v {
		v[i] = mean + sd*r.NormFloat64()
	}
	return v
}

// history is a run whose loss falls at a speed, and whose validation loss rises in the end.
func history(epochs int, speed float64, seed uint64) display.Metrics {
	r := source(seed)
	m := display.Metrics{}
	for e := range epochs {
		x := float64(e)
		loss := 0.08 + 0.62*math.Exp(-speed*x) + 0.008*r.NormFloat64()*math.Exp(-speed*x)
		val := loss + 0.02 + 0.05*math.Pow(x*speed/3, 2) + 0.012*r.NormFloat64()
		m["loss"] = append(m["loss"], loss)
		m["val_loss"] = append(m["val_loss"], val)
		m["accuracy"] = append(m["accuracy"], 1-0.55*loss)
		m["val_accuracy"] = append(m["val_accuracy"], 1-0.6*val)
	}
	return m
}

func noisy(values []float64) []float64 {
	r := source(3)
	for i := range values {
		values[i] *= math.Exp(0.15 * r.NormFloat64())
	}
	return values
}

// withRate adds a learning rate that falls by a cosine.
func withRate(m display.Metrics) display.Metrics {
	n := len(m["loss"])
	for e := range n {
		m["learning_rate"] = append(m["learning_rate"], 1e-5+(3e-3-1e-5)*(1+math.Cos(math.Pi*float64(e)/float64(n-1)))/2)
	}
	return m
}

func decay(n int, from, speed float64, seed uint64) []float64 {
	r := source(seed)
	v := make([]float64, n)
	for i := range v {
		v[i] = from * math.Exp(-speed*float64(i)+0.12*r.NormFloat64())
	}
	return v
}

func rangeTest() (rates, losses []float64) {
	r := source(30)
	for i := range 160 {
		x := -6 + 6.3*float64(i)/159
		fall := 1.7 / (1 + math.Exp(-2.6*(x+2.9)))
		rise := math.Exp(3.4 * (x + 0.35))
		rates = append(rates, math.Pow(10, x))
		losses = append(losses, 2.3-fall+rise+0.05*r.NormFloat64())
	}
	return rates, losses
}

// activity is of units of which a share is never active.
func activity(rows, units int, dead float64, seed uint64) [][]float64 {
	r := source(seed)
	silent := make([]bool, units)
	for i := range silent {
		silent[i] = r.Float64() < dead
	}
	out := make([][]float64, rows)
	for i := range out {
		out[i] = make([]float64, units)
		for j := range out[i] {
			if v := r.NormFloat64(); v > 0 && !silent[j] {
				out[i][j] = v
			}
		}
	}
	return out
}

func classified(n, classes int, skill float64, seed uint64) (truth []int, scores [][]float64) {
	r := source(seed)
	for range n {
		c := int(float64(classes) * math.Pow(r.Float64(), 1.3))
		row := make([]float64, classes)
		sum := 0.0
		for j := range row {
			lift := 0.0
			if j == c {
				lift = skill
			} else if j == (c+1)%classes {
				lift = skill / 2.5
			}
			row[j] = math.Exp(lift + r.NormFloat64())
			sum += row[j]
		}
		for j := range row {
			row[j] /= sum
		}
		truth, scores = append(truth, c), append(scores, row)
	}
	return truth, scores
}

func patients(n int, seed uint64) (truth []int, probability [][]float64) {
	r := source(seed)
	for range n {
		z := 2.2 * r.NormFloat64()
		label := 0
		if r.Float64() < 1/(1+math.Exp(-(0.62*z-0.6))) {
			label = 1
		}
		truth, probability = append(truth, label), append(probability, []float64{1 / (1 + math.Exp(-z))})
	}
	return truth, probability
}

func prices(n int, seed uint64) (truth, predicted []float64) {
	r := source(seed)
	for range n {
		y := 120 + 380*math.Pow(r.Float64(), 1.6)
		truth = append(truth, y)
		predicted = append(predicted, y-0.0006*(y-300)*(y-300)+10+24*r.NormFloat64())
	}
	return truth, predicted
}

// digits are strokes on a dark ground, such as MNIST has.
func digits(n int) (images []image.Image, labels []int) {
	r := source(31)
	for i := range n {
		values := make([]float64, 28*28)
		label := i % 10
		turn := r.Float64() - 0.5
		for step := range 160 {
			a := float64(step) / 160 * (2.2 + 0.45*float64(label))
			x := 14 + (3+0.6*float64(label%4)+2*math.Cos(a*1.3))*2*math.Cos(a+turn)
			y := 14 + (4+float64(label%3))*1.6*math.Sin(a+turn)
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					px, py := int(x)+dx, int(y)+dy
					if px < 0 || py < 0 || px > 27 || py > 27 {
						continue
					}
					d := math.Hypot(float64(px)-x, float64(py)-y)
					values[py*28+px] = max(values[py*28+px], math.Exp(-d*d/1.6))
				}
			}
		}
		img, err := display.Picture(values, 28, 28, 1)
		if err != nil {
			panic(err) // the numbers above are wrong
		}
		images, labels = append(images, img), append(labels, label)
	}
	return images, labels
}

func moons(n int, seed uint64) (points [][]float64, labels []int) {
	r := source(seed)
	for i := range n {
		a := math.Pi * r.Float64()
		x, y := math.Cos(a), math.Sin(a)
		if i%2 == 1 {
			x, y = 1-x, 0.5-y
		}
		points = append(points, []float64{x + 0.14*r.NormFloat64(), y + 0.14*r.NormFloat64()})
		labels = append(labels, i%2)
	}
	return points, labels
}

func patientsTable(n int, seed uint64) (names []string, rows [][]float64) {
	r := source(seed)
	names = []string{"age", "weight", "blood pressure", "heart rate", "glucose", "insulin", "visits"}
	for range n {
		age, w := 45+14*r.NormFloat64(), 78+13*r.NormFloat64()
		glucose := math.Exp(4.6 + 0.2*r.NormFloat64() + 0.004*(w-78))
		rows = append(rows, []float64{
			age, w, 90 + 0.6*age + 0.2*w + 9*r.NormFloat64(), 110 - 0.5*age + 8*r.NormFloat64(),
			glucose, 0.9*glucose + 22*r.NormFloat64(), math.Floor(3 * r.ExpFloat64()),
		})
	}
	return names, rows
}

// chirp rises from 200 Hz, with a tone that comes and goes.
func chirp(n int, rate float64) []float64 {
	r := source(32)
	v := make([]float64, n)
	for i := range v {
		s := float64(i) / rate
		v[i] = 0.6*math.Sin(2*math.Pi*(200*s+700*s*s))*math.Exp(-0.4*s) + 0.01*r.NormFloat64()
		if math.Mod(s, 0.5) < 0.2 {
			v[i] += 0.25 * math.Sin(2*math.Pi*900*s)
		}
	}
	return v
}

func filters(n int) []display.Map {
	r := source(33)
	values := make([]float64, 5*5*n)
	for c := range n {
		a, f, phase := math.Pi*float64(c)/float64(n), 0.8+0.5*r.Float64(), 6*r.Float64()
		for i := range 25 {
			x, y := float64(i%5-2), float64(i/5-2)
			u := x*math.Cos(a) + y*math.Sin(a)
			values[i*n+c] = 0.4*math.Cos(f*u*2+phase)*math.Exp(-(x*x+y*y)/7) + 0.02*r.NormFloat64()
		}
	}
	maps, err := display.Channels(values, 5, 5, n)
	if err != nil {
		panic(err) // the numbers above are wrong
	}
	return maps
}

func activations(n int) []display.Map {
	var maps []display.Map
	for c := range n {
		rows := make([][]float64, 20)
		for i := range rows {
			rows[i] = make([]float64, 20)
			for j := range rows[i] {
				x, y := float64(j)-9.5, float64(i)-9.5
				ring := math.Exp(-math.Pow(math.Hypot(x, y)-6, 2) / 5)
				rows[i][j] = max(0, ring*math.Cos(math.Atan2(y, x)-float64(c)*math.Pi/4)) * (1 + 0.2*float64(c))
			}
		}
		maps = append(maps, display.Map{Name: fmt.Sprintf("channel %d", c), Values: rows})
	}
	return maps
}

func heads(n, tokens int) []display.Map {
	var all []display.Map
	for h := range n {
		r := source(uint64(34 + h))
		rows := make([][]float64, tokens)
		for i := range rows {
			rows[i] = make([]float64, tokens)
			sum := 0.0
			for j := range rows[i] {
				near := -math.Abs(float64(i - j - h))
				if h == 1 && j == 1 && i > 4 {
					near = 1
				}
				rows[i][j] = math.Exp(near + 0.5*r.NormFloat64())
				sum += rows[i][j]
			}
			for j := range rows[i] {
				rows[i][j] /= sum
			}
		}
		all = append(all, display.Map{Values: rows})
	}
	return all
}

func clusters(n int, seed uint64) (vectors [][]float64, labels []int) {
	r := source(seed)
	centers := make([][]float64, 5)
	for c := range centers {
		centers[c] = normal(16, 0, 1.6, uint64(50+c))
	}
	for i := range n {
		row := normal(16, 0, 1, uint64(1000+i))
		for j := range row {
			row[j] += centers[i%5][j]
		}
		vectors, labels = append(vectors, row), append(labels, i%5)
	}
	r.Shuffle(n, func(i, j int) {
		vectors[i], vectors[j] = vectors[j], vectors[i]
		labels[i], labels[j] = labels[j], labels[i]
	})
	return vectors, labels
}

// valley is forty times as steep on one way as on the other, and bent.
func valley(x, y float64) float64 {
	bent := y - 0.12*x*x
	return 0.02 + 0.05*x*x + 2*bent*bent
}

// himmelblau has four lowest points. It is turned upside down and squeezed, so that it is below zero.
func himmelblau(x, y float64) float64 {
	return math.Sqrt((x*x+y-11)*(x*x+y-11)+(x+y*y-7)*(x+y*y-7)) - 20
}

// descents go down the valley in three ways.
func descents() []display.Path {
	gradient := func(x, y float64) [2]float64 {
		bent := y - 0.12*x*x
		return [2]float64{0.1*x - 4*bent*0.24*x, 4 * bent}
	}
	walk := func(name string, steps int, step func(i int, g [2]float64) [2]float64) display.Path {
		p := display.Path{Name: name}
		x, y := -4.2, 3.6
		for i := range steps {
			p.Step(x, y)
			d := step(i+1, gradient(x, y))
			x, y = x-d[0], y-d[1]
		}
		return p
	}
	var velocity, first, second [2]float64
	return []display.Path{
		walk("SGD", 45, func(_ int, g [2]float64) [2]float64 { return [2]float64{0.13 * g[0], 0.13 * g[1]} }),
		walk("momentum", 70, func(_ int, g [2]float64) [2]float64 {
			for c := range 2 {
				velocity[c] = 0.85*velocity[c] + 0.06*g[c]
			}
			return velocity
		}),
		walk("Adam", 80, func(i int, g [2]float64) (d [2]float64) {
			for c := range 2 {
				first[c], second[c] = 0.9*first[c]+0.1*g[c], 0.99*second[c]+0.01*g[c]*g[c]
				d[c] = 0.2 * first[c] / (1 - math.Pow(0.9, float64(i))) / (math.Sqrt(second[c]/(1-math.Pow(0.99, float64(i)))) + 1e-8)
			}
			return d
		}),
	}
}

// reviewed is a text with what each word contributes to its class.
func reviewed() (tokens []string, weights []float64) {
	for part := range strings.FieldsSeq("The/0.01 film/0.02 starts/0.0 slowly/-0.22 ,/0 and/0.01 its/0 second/-0.02 half/-0.01 drags/-0.41 on/-0.1 a/0 bit/-0.05 ./0 " +
		"But/0.09 the/0.01 two/0.03 leads/0.06 are/0.02 wonder/0.38 ##ful/0.52 together/0.12 ,/0 the/0 music/0.07 is/0.01 haunting/0.2 ,/0 and/0.02 the/0 last/0.04 scene/0.05 " +
		"is/0.02 one/0.04 of/0.01 the/0.03 best/0.61 I/0.02 have/0.01 seen/0.04 in/0 years/0.11 ./0 Not/-0.12 perfect/0.18 ,/0 but/0.06 easily/0.1 worth/0.44 your/0.03 evening/0.08 ./0.02") {
		at := strings.LastIndex(part, "/")
		w, err := strconv.ParseFloat(part[at+1:], 64)
		if err != nil {
			panic(err) // the text above is wrong
		}
		tokens, weights = append(tokens, part[:at]), append(weights, w)
	}
	return tokens, weights
}

// characters is a Chinese sentence with how much attention each character gets.
func characters() (tokens []string, weights []float64) {
	r := source(35)
	for _, c := range "这部电影的音乐非常动人，最后一幕让我久久不能忘记。" {
		tokens, weights = append(tokens, string(c)), append(weights, math.Pow(r.Float64(), 3)*0.2)
	}
	return tokens, weights
}

// trained is a small network and what two optimizers did to it from the same start.
var trained = sync.OnceValue(func() (t struct {
	model  *nnkit.Model
	x      [][]float64
	y      []float64
	trails []*display.WeightTrail
},
) {
	x, labels := moons(160, 36)
	for _, l := range labels {
		t.y = append(t.y, float64(l))
	}
	t.x = x
	t.model = nnkit.Sequential(nnkit.Dense(8, nnkit.Tanh), nnkit.Dense(1, nnkit.Sigmoid))
	for _, run := range []struct {
		name      string
		optimizer nnkit.Optimizer
	}{{"SGD", nnkit.SGD(nnkit.LearningRate(0.3))}, {"Adam", nnkit.Adam(nnkit.LearningRate(0.03))}} {
		must(t.model.Reset(3))
		must(t.model.Compile(run.optimizer, nnkit.BinaryCrossEntropy))
		trail := display.Trail(run.name)
		_, err := t.model.Fit(t.x, t.y, nnkit.Epochs(25), nnkit.BatchSize(16), nnkit.Verbose(0), trail)
		must(err)
		t.trails = append(t.trails, trail)
	}
	return t
})

// must ends the program: what the gallery asks for is right, or the gallery is wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func landscape(options ...display.Option) *display.Figure {
	t := trained()
	return display.Landscape(t.model, t.x, t.y, t.trails, options...)
}

func landscapeAround(options ...display.Option) *display.Figure {
	t := trained()
	return display.Landscape(t.model, t.x, t.y, nil, options...)
}

// heat is where images are bright, less and less from their middles.
func heat(images []image.Image) []display.Map {
	r := source(37)
	var maps []display.Map
	for i, img := range images {
		b := img.Bounds()
		rows := make([][]float64, b.Dy())
		for y := range rows {
			rows[y] = make([]float64, b.Dx())
			for x := range rows[y] {
				v, _, _, _ := img.At(x, y).RGBA()
				near := 0.2 + math.Exp(-math.Pow(math.Hypot(float64(x)-17, float64(y)-18), 2)/30)
				rows[y][x] = near*float64(v)/0xffff + 0.015*math.Abs(r.NormFloat64())
			}
		}
		maps = append(maps, display.Map{Name: fmt.Sprintf("digit %d", i), Values: rows})
	}
	return maps
}
