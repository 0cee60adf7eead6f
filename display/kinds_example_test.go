package display_test

import (
	"fmt"
	"image"
	"math"
	"strings"

	"github.com/seed5607215b/nnkit/display"
)

func ExampleCompare() {
	fmt.Println(display.Compare([]display.Run{
		{Name: "Adam", History: display.Metrics{"loss": {0.7, 0.5, 0.4}}},
		{Name: "SGD", History: display.Metrics{"loss": {0.7, 0.6, 0.55}}},
	}, display.LogAxis()))
	// Output: 2 runs compared: loss over 3 epochs; loss best training 0.4000 by Adam at epoch 3
}

// A run at rates that double from batch to batch: the loss falls, and then the rate is too high.
func ExampleRangeTest() {
	rates := []float64{1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3, 3.2e-3, 6.4e-3, 1.28e-2}
	losses := []float64{2.3, 2.3, 2.2, 1.8, 1.4, 1.3, 1.5, 4.0}
	fmt.Println(display.RangeTest(rates, losses))
	// Output: learning-rate range test over 8 rates; suggested learning rate 0.0002, where the loss falls most steeply
}

func ExampleRidges() {
	fmt.Println(display.Ridges([]display.Sample{
		{Group: "dense_1 kernel", Name: "epoch 1", Values: []float64{-0.2, -0.1, 0, 0.1, 0.2}},
		{Group: "dense_1 kernel", Name: "epoch 2", Values: []float64{-0.6, -0.2, 0, 0.2, 0.6}},
	}))
	// Output: distributions over time; dense_1 kernel: standard deviation 0.141 at epoch 1, 0.4 at epoch 2
}

func ExampleUpdateRatios() {
	fmt.Println(display.UpdateRatios(display.Metrics{"dense_1/kernel": {4e-3, 2e-3, 1e-3}}))
	// Output: update to weight ratios, last: dense_1/kernel 0.001
}

// What the two units of a layer answer to three examples: the second is never above zero.
func ExampleDeadUnits() {
	fmt.Println(display.DeadUnits([]display.Map{{Name: "dense_1", Values: [][]float64{{0.5, 0}, {0, 0}, {1.2, 0}}}}))
	// Output: dead units: 1 of 2 units active for none of 3 examples
}

func ExampleConfusion() {
	truth := []int{0, 0, 1, 1, 1}
	scores := [][]float32{{0.9, 0.1}, {0.4, 0.6}, {0.2, 0.8}, {0.1, 0.9}, {0.3, 0.7}}
	fmt.Println(display.Confusion(truth, display.Predicted(scores), display.Classes("cat", "dog")))
	// Output: confusion matrix of 2 classes, accuracy 80.0 %, 4 of 5
}

func ExampleROC() {
	fmt.Println(display.ROC([]int{1, 0, 1, 0}, [][]float32{{0.9}, {0.6}, {0.5}, {0.1}}))
	// Output: ROC: AUC 0.7500; 2 of 4 examples positive
}

func ExamplePrecisionRecall() {
	fmt.Println(display.PrecisionRecall([]int{1, 0, 1, 0}, [][]float32{{0.9}, {0.6}, {0.5}, {0.1}}))
	// Output: precision and recall: AP 0.8333; 2 of 4 examples positive
}

func ExampleCalibration() {
	fmt.Println(display.Calibration([]int{1, 1, 0, 0}, []float32{0.75, 0.75, 0.25, 0.25}))
	// Output: calibration: calibration error 0.2500, Brier score 0.0625
}

func ExampleRegression() {
	fmt.Println(display.Regression([]float64{1, 2, 3, 4}, []float64{1.1, 1.9, 3.2, 3.8}))
	// Output: regression of 4 rows: R² 0.9800, RMSE 0.158, MAE 0.15
}

// Two pictures of 2 by 2 pixels, the second taken for the wrong class.
func ExampleImages() {
	var pictures []image.Image
	for _, values := range [][]float64{{0, 1, 1, 0}, {1, 0, 0, 1}} {
		picture, err := display.Picture(values, 2, 2, 1)
		if err != nil {
			fmt.Println(err)
			return
		}
		pictures = append(pictures, picture)
	}
	fmt.Println(display.Images(pictures, []int{0, 1}, []int{0, 0}))
	// Output: 2 images, 50.0 % of 2 right; mistakes first, as predicted ≠ true
}

func ExampleBoundary() {
	points := [][]float64{{-1, 0}, {-0.5, 1}, {0.5, 0}, {1, -1}}
	rule := func(x [][]float64) ([][]float64, error) { // a model's Predict
		scores := make([][]float64, len(x))
		for i, p := range x {
			scores[i] = []float64{1 / (1 + math.Exp(-4*p[0]))}
		}
		return scores, nil
	}
	fmt.Println(display.Boundary(points, []int{0, 0, 1, 1}, rule))
	// Output: decision boundary among 4 points of 2 classes; 4 of 4 points on the right side, 100.0 %
}

func ExampleBalance() {
	fmt.Println(display.Balance([]int{0, 0, 0, 1}, display.Classes("healthy", "ill")))
	// Output: class balance: 4 examples in 2 classes; the largest is 3 times the smallest
}

func ExampleFeatures() {
	fmt.Println(display.Features([]string{"age", "weight"}, [][]float64{{30, 60}, {40, 80}, {50, 70}}))
	// Output: histograms of 2 sets of values: age: n 3, mean 40 ± 8.16; weight: n 3, mean 70 ± 8.16
}

func ExampleCorrelation() {
	fmt.Println(display.Correlation([]string{"age", "weight"}, [][]float64{{30, 60}, {40, 80}, {50, 70}}))
	// Output: correlation of 2 features over 3 rows; strongest: age and weight, 0.50
}

// tone is a second of 440 Hz at 4000 samples a second.
func tone() []float64 {
	samples := make([]float64, 4000)
	for i := range samples {
		samples[i] = math.Sin(2 * math.Pi * 440 * float64(i) / 4000)
	}
	return samples
}

func ExampleWaveform() {
	fmt.Println(display.Waveform(tone(), 4000))
	// Output: waveform of 1 s, 4000 samples at 4000 Hz
}

func ExampleSpectrogram() {
	fmt.Println(display.Spectrogram(tone(), 4000))
	// Output: spectrogram of 1 s, 4000 samples at 4000 Hz; dB below the loudest, window 32 ms
}

// The kernel of a convolution with two filters of 2 by 2 over one channel.
func ExampleFilters() {
	filters, err := display.Channels([]float32{1, 0, -1, 0, 1, 1, -1, 1}, 2, 2, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(display.Filters(filters))
	// Output: 2 filters, from -1 to 1
}

// What nnkit.Saliency returns for rows of 2 by 2 pixels, over the pictures.
func ExampleSaliency() {
	picture, err := display.Picture([]float64{0, 1, 1, 0}, 2, 2, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	maps, err := display.HeatMaps([][]float32{{0.1, 0.9, 0.4, 0}}, 2, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(display.Saliency([]image.Image{picture}, maps))
	// Output: saliency over 1 image
}

func ExampleActivations() {
	fmt.Println(display.Activations([]display.Map{{Name: "channel 0", Values: [][]float64{{0, 0.5}, {2, 0}}}}))
	// Output: 1 activation map, from 0 to 2
}

func ExampleAttention() {
	words := []string{"the", "cat"}
	fmt.Println(display.Attention([]display.Map{{Name: "head 1", Values: [][]float64{{0.8, 0.2}, {0.3, 0.7}}}}, words, words))
	// Output: attention of 1 head, 2 queries by 2 keys, at most 0.8
}

func ExampleEmbedding() {
	fmt.Println(display.Embedding([][]float64{{1, 2, 0}, {2, 4, 0.1}, {3, 6, 0}, {4, 8, 0.1}}, []int{0, 0, 1, 1}))
	// Output: embedding: 4 vectors of 3 values by principal components, 100.0 % of the variance
}

func ExampleTSNE() {
	var vectors [][]float64
	var labels []int
	for i := range 60 { // two groups of points around two circles
		angle := float64(i) / 5
		vectors = append(vectors, []float64{math.Cos(angle), math.Sin(angle), float64(4 * (i % 2))})
		labels = append(labels, i%2)
	}
	figure := display.TSNE(vectors, labels, display.Perplexity(10), display.Classes("below", "above"))
	fmt.Println(strings.Split(figure.String(), ", KL")[0])
	// Output: t-SNE: 60 vectors of 3 values, perplexity 10
}

// Gradient descent in a bowl that is steeper on one way than on the other.
func ExampleLossSurface() {
	loss := func(x, y float64) float64 { return x*x + 10*y*y }
	path := display.Path{Name: "gradient descent"}
	for x, y := 4.0, 1.0; len(path.Points) < 40; x, y = x-0.09*2*x, y-0.09*20*y {
		path.Step(x, y)
	}
	fmt.Println(display.LossSurface(loss, []display.Path{path}, display.Within(-5, 5, -2, 2)))
	// Output: loss surface from 0 to 65, lowest at (0, 0); gradient descent ends at (0.00174, -0.000166)
}

func ExampleTokens() {
	fmt.Println(display.Tokens([]string{"a", "wonderful", "film", "too", "long"}, []float64{0.01, 0.82, 0.1, -0.12, -0.3}))
	// Output: 5 tokens, the highest weight is that of "wonderful", 0.82, the lowest that of "long", -0.3
}

func ExampleArchitecture() {
	fmt.Println(display.Architecture([]display.Layer{
		{Name: "dense_1", Kind: "dense, relu", Shape: []int{10}, Parameters: 90},
		{Name: "dense_2", Kind: "dense, sigmoid", Shape: []int{1}, Parameters: 11},
	}))
	// Output: architecture: 2 layers, 101 parameters
}

// A function and its slope.
func ExamplePlot() {
	var x, tanh, slope []float64
	for v := -3.0; v <= 3; v += 0.1 {
		x, tanh, slope = append(x, v), append(tanh, math.Tanh(v)), append(slope, 1-math.Tanh(v)*math.Tanh(v))
	}
	fmt.Println(display.Plot([]display.Series{
		{Name: "tanh", X: x, Y: tanh},
		{Name: "its slope", X: x, Y: slope, Dashed: true},
	}, display.AxisNames("x", "tanh x")))
	// Output: tanh x against x: tanh and its slope
}
