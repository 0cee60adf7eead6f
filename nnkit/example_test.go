package nnkit_test

import (
	"fmt"
	"log"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

// The founding example: will a patient fall ill? In a notebook cell the error checks can be left out.
func Example() {
	patients := data.Clinic(1)
	scale, err := data.Standardize(patients.X)
	if err != nil {
		log.Fatal(err)
	}
	x, err := scale.Apply(patients.X)
	if err != nil {
		log.Fatal(err)
	}

	model := nnkit.Sequential(
		nnkit.Dense(10, nnkit.ReLU),
		nnkit.Dense(8, nnkit.ReLU),
		nnkit.Dense(1, nnkit.Sigmoid),
	)
	if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
		log.Fatal(err)
	}
	history, err := model.Fit(x, patients.Y, nnkit.Epochs(10), nnkit.BatchSize(32), nnkit.ValidationSplit(0.2), nnkit.Seed(1))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("best epoch:", history.BestEpoch())
	// Output:
	// epoch  1/10 · loss 0.7168 · accuracy 0.4332 · val_loss 0.6862 · val_accuracy 0.5455
	// epoch  2/10 · loss 0.6659 · accuracy 0.6466 · val_loss 0.6443 · val_accuracy 0.7273
	// epoch  3/10 · loss 0.6272 · accuracy 0.7150 · val_loss 0.6131 · val_accuracy 0.7143
	// epoch  4/10 · loss 0.5983 · accuracy 0.6971 · val_loss 0.5879 · val_accuracy 0.7078
	// epoch  5/10 · loss 0.5741 · accuracy 0.7003 · val_loss 0.5687 · val_accuracy 0.7078
	// epoch  6/10 · loss 0.5527 · accuracy 0.7101 · val_loss 0.5516 · val_accuracy 0.7078
	// epoch  7/10 · loss 0.5326 · accuracy 0.7166 · val_loss 0.5354 · val_accuracy 0.7208
	// epoch  8/10 · loss 0.5139 · accuracy 0.7264 · val_loss 0.5202 · val_accuracy 0.7403
	// epoch  9/10 · loss 0.4949 · accuracy 0.7573 · val_loss 0.5064 · val_accuracy 0.7597
	// epoch 10/10 · loss 0.4766 · accuracy 0.7655 · val_loss 0.4930 · val_accuracy 0.7727
	// best epoch: 10
}

// A network that tells XOR, its prediction for one row and for all.
func ExampleModel_Predict() {
	x := [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}}
	y := []int{0, 1, 1, 0}
	model := nnkit.Sequential(nnkit.Dense(16, nnkit.Tanh), nnkit.Dense(1, nnkit.Sigmoid))
	if err := model.Compile(nnkit.Adam(nnkit.LearningRate(0.1)), nnkit.BinaryCrossEntropy); err != nil {
		log.Fatal(err)
	}
	if _, err := model.Fit(x, y, nnkit.Epochs(500), nnkit.Verbose(0)); err != nil {
		log.Fatal(err)
	}
	one, err := model.Predict([]float64{1, 0})
	if err != nil {
		log.Fatal(err)
	}
	all, err := model.Predict(x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f\n", one.At(0, 0))
	for _, row := range all.Rows() {
		fmt.Printf("%.1f ", row[0])
	}
	// Output:
	// 1.0
	// 0.0 1.0 1.0 0.0
}

// A model of known inputs can be looked at before it has seen data.
func ExampleSequential() {
	model := nnkit.Sequential(
		nnkit.Input(8),
		nnkit.Dense(10, nnkit.ReLU),
		nnkit.Dense(8, nnkit.ReLU, nnkit.Name("middle")),
		nnkit.Dense(1, nnkit.Sigmoid),
	)
	if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
		log.Fatal(err)
	}
	fmt.Println(model)
	for _, p := range model.Parameters() {
		fmt.Println(p)
	}
	// Output:
	// layer    kind   activation  output      parameters
	// dense_1  dense  relu        (rows, 10)          90
	// middle   dense  relu        (rows, 8)           88
	// dense_3  dense  sigmoid     (rows, 1)            9
	// 8 inputs, 187 parameters (748 bytes)
	// Adam(LearningRate 0.001, Beta1 0.9, Beta2 0.999, Epsilon 1e-07), binary_crossentropy, accuracy
	// seed 0
	// dense_1/kernel (8, 10)
	// dense_1/bias (10)
	// middle/kernel (10, 8)
	// middle/bias (8)
	// dense_3/kernel (8, 1)
	// dense_3/bias (1)
}

// The mistake is named before anything is trained.
func ExampleModel_Fit_error() {
	model := nnkit.Sequential(nnkit.Dense(10, nnkit.ReLU), nnkit.Dense(3, nnkit.Softmax))
	if err := model.Compile(nnkit.Adam(), nnkit.SparseCategoricalCrossEntropy); err != nil {
		log.Fatal(err)
	}
	_, err := model.Fit([][]float64{{1, 2}, {3, 4}, {5, 6}}, []int{1, 2, 3})
	fmt.Println(err)
	// Output:
	// Fit: labels go from 1 to 3, but 3 classes are numbered 0 to 2: subtract 1
}

// Training goes on from where it was, with new numbers for each call.
func ExampleHistory() {
	x := []float64{-1, -0.5, 0, 0.5, 1}
	y := []float64{-1, 0, 1, 2, 3} // 2x + 1
	model := nnkit.Sequential(nnkit.Dense(1))
	if err := model.Compile(nnkit.SGD(nnkit.LearningRate(0.1), nnkit.Momentum(0.9)), nnkit.MeanSquaredError, nnkit.MeanAbsoluteError); err != nil {
		log.Fatal(err)
	}
	history, err := model.Fit(x, y, nnkit.Epochs(4), nnkit.FullBatch(), nnkit.Verbose(0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(history)
	history, err = model.Fit(x, y, nnkit.Epochs(200), nnkit.FullBatch(), nnkit.Verbose(0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v after %d more epochs: %.4f\n", history.Names(), history.Epochs(), history.Series("loss")[199])
	kernel, bias := model.Parameters()[0], model.Parameters()[1]
	fmt.Printf("%s %.2f, %s %.2f\n", kernel.Name(), kernel.Data()[0], bias.Name(), bias.Data()[0])
	// Output:
	// epoch      loss  mean_absolute_error
	//      1    5.8429               2.0673
	//      2    4.5628               1.8406
	//      3    2.7222               1.4365
	//      4    1.1477               0.9199  best
	// [loss mean_absolute_error] after 200 more epochs: 0.0000
	// dense_1/kernel 2.00, dense_1/bias 1.00
}

// patience stops when val_loss has not improved for some epochs.
type patience struct {
	nnkit.BaseCallback
	epochs int
}

func (p *patience) EpochEnd(t *nnkit.Training) {
	if best := t.History.BestEpochBy("val_loss"); t.Epoch-best >= p.epochs {
		t.Stop(fmt.Sprintf("val_loss was best in epoch %d", best))
	}
}

func ExampleCallback() {
	patients := data.Clinic(1)
	scale, err := data.Standardize(patients.X)
	if err != nil {
		log.Fatal(err)
	}
	x, err := scale.Apply(patients.X)
	if err != nil {
		log.Fatal(err)
	}
	model := nnkit.Sequential(nnkit.Dense(16, nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid))
	if err := model.Compile(nnkit.Adam(nnkit.LearningRate(0.02)), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
		log.Fatal(err)
	}
	history, err := model.Fit(x, patients.Y, nnkit.Epochs(100), nnkit.ValidationSplit(0.2), nnkit.Verbose(0), &patience{epochs: 5})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(history.Epochs() < 100, history.Stopped() != "")
	// Output: true true
}

// A base that is kept, and a head that is trained, at first fast and then ever slower.
func ExampleModel_Freeze() {
	model := nnkit.Sequential(
		nnkit.Input(4),
		nnkit.Dense(8, nnkit.ReLU, nnkit.Name("base"), nnkit.KernelInitializer(nnkit.HeNormal)),
		nnkit.Dense(1, nnkit.Sigmoid, nnkit.Name("head"), nnkit.KernelRegularizer(nnkit.L2(0.001)), nnkit.KernelConstraint(nnkit.MaxNorm(3))),
	)
	rate := nnkit.LearningRate(nnkit.Warmup(100, nnkit.CosineDecay(0.01, 2000)))
	if err := model.Compile(nnkit.AdamW(rate, nnkit.GlobalClipNorm(1)), nnkit.BinaryCrossEntropy); err != nil {
		log.Fatal(err)
	}
	if err := model.Freeze("base"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(model)
	// Output:
	// layer  kind   activation  output     parameters
	// base   dense  relu        (rows, 8)          40
	// head   dense  sigmoid     (rows, 1)           9
	// 4 inputs, 49 parameters (196 bytes), 40 of them frozen
	// AdamW(LearningRate Warmup(100, CosineDecay(0.01, 2000)), Beta1 0.9, Beta2 0.999, Epsilon 1e-07, WeightDecay 0.004, GlobalClipNorm 1), binary_crossentropy
	// seed 0
}

// A network with two inputs, which meet, and two outputs.
func ExampleFunctional() {
	numbers := nnkit.Input(8).Named("numbers")
	words := nnkit.Input(20).Named("words")
	text := words.To(nnkit.Embedding(1000, 16, nnkit.MaskZero()), nnkit.LSTM(32))
	both := nnkit.Concatenate(numbers, text).To(nnkit.Dense(32, nnkit.ReLU))
	price := both.To(nnkit.Dense(1)).Named("price")
	kind := both.To(nnkit.Dense(3, nnkit.Softmax)).Named("kind")

	model := nnkit.Functional(nnkit.Inputs(numbers, words), nnkit.Outputs(price, kind))
	losses := nnkit.Losses{"price": nnkit.LossWeight(nnkit.MeanSquaredError, 0.2), "kind": nnkit.SparseCategoricalCrossEntropy}
	if err := model.Compile(nnkit.Adam(), losses, nnkit.For("kind", nnkit.Accuracy)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(model)
	// Output:
	// layer          kind         activation  from             output          parameters
	// numbers        input                                     (rows, 8)                0
	// words          input                                     (rows, 20)               0
	// embedding_1    embedding                words            (rows, 20, 16)      16,000
	// lstm_1         lstm         tanh        embedding_1      (rows, 32)           6,272
	// concatenate_1  concatenate              numbers, lstm_1  (rows, 40)               0
	// dense_1        dense        relu        concatenate_1    (rows, 32)           1,312
	// price          dense        linear      dense_1          (rows, 1)               33
	// kind           dense        softmax     dense_1          (rows, 3)               99
	// 2 inputs, 2 outputs, 23,716 parameters (92.6 KB)
	// Adam(LearningRate 0.001, Beta1 0.9, Beta2 0.999, Epsilon 1e-07)
	// price: 0.2·mean_squared_error
	// kind: sparse_categorical_crossentropy, accuracy
	// seed 0
}

// A block of layers with a way around them is a function, as with Keras.
func ExampleAdd() {
	block := func(x *nnkit.Symbol, filters int) *nnkit.Symbol {
		h := x.To(nnkit.Conv2D(filters, 3, nnkit.SamePadding, nnkit.ReLU), nnkit.Conv2D(filters, 3, nnkit.SamePadding))
		return nnkit.Add(x.To(nnkit.Conv2D(filters, 1)), h).To(nnkit.ActivationLayer(nnkit.ReLU))
	}
	image := nnkit.Input(28, 28, 1)
	h := block(block(image, 8), 16)
	digit := h.To(nnkit.GlobalAveragePooling2D(), nnkit.Dense(10, nnkit.Softmax))
	model := nnkit.Functional(nnkit.Inputs(image), nnkit.Outputs(digit))
	for _, l := range model.Layers() {
		if l.Kind == "add" {
			fmt.Println(l.Name, l.Inputs, l.OutputShape)
		}
	}
	// Output:
	// add_1 [conv2d_3 conv2d_2] [28 28 8]
	// add_2 [conv2d_6 conv2d_5] [28 28 16]
}

// Biases that do not decay, and a first layer that learns slowly.
func ExampleParameterGroup() {
	fmt.Println(nnkit.AdamW(
		nnkit.ParameterGroup("*/bias", nnkit.WeightDecay(0)),
		nnkit.ParameterGroup("base/kernel", nnkit.RateFactor(0.1)),
	))
	// Output:
	// AdamW(LearningRate 0.001, Beta1 0.9, Beta2 0.999, Epsilon 1e-07, WeightDecay 0.004, ParameterGroup("*/bias", RateFactor 1, WeightDecay 0), ParameterGroup("base/kernel", RateFactor 0.1))
}

// An optimizer of one's own: by the sign of a running mean.
func ExampleOptimizerFunc() {
	signum := nnkit.OptimizerFunc("Signum", 1, func(s *nnkit.Step) {
		m, rate := s.State[0], float32(s.Rate)
		for i, g := range s.Gradient {
			m[i] = 0.9*m[i] + 0.1*g
			if m[i] > 0 {
				s.Weights[i] -= rate
			} else if m[i] < 0 {
				s.Weights[i] += rate
			}
		}
	}, nnkit.LearningRate(nnkit.ExponentialDecay(0.1, 1, 0.98)))
	model := nnkit.Sequential(nnkit.Dense(1))
	if err := model.Compile(signum, nnkit.MeanSquaredError); err != nil {
		log.Fatal(err)
	}
	x, y := []float64{-1, -0.5, 0, 0.5, 1}, []float64{-1, 0, 1, 2, 3} // 2x + 1
	history, err := model.Fit(x, y, nnkit.Epochs(400), nnkit.FullBatch(), nnkit.Verbose(0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", history.Last("loss"))
	fmt.Println(signum)
	// Output:
	// 0.000
	// Signum(LearningRate ExponentialDecay(0.1, 1, 0.98))
}

// The rate at which the loss falls fastest.
func ExampleModel_FindLearningRate() {
	patients := data.Clinic(1)
	scale, err := data.Standardize(patients.X)
	if err != nil {
		log.Fatal(err)
	}
	x, err := scale.Apply(patients.X)
	if err != nil {
		log.Fatal(err)
	}
	model := nnkit.Sequential(nnkit.Dense(10, nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid))
	if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy); err != nil {
		log.Fatal(err)
	}
	rates, err := model.FindLearningRate(x, patients.Y)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rates)
	// Output:
	// learning rate 0.031 suggested: from 1e-07 to 5.7 the loss was lowest, 0.4372, at 0.51
}
