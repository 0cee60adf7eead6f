package nnkit

import (
	"math"
	"testing"
)

var xorX, xorY = [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, []int{0, 1, 1, 0}

// XOR, which no single layer can tell: with every optimizer and activation, from several seeds.
func TestXOR(t *testing.T) {
	for _, o := range []Optimizer{
		GradientDescent(LearningRate(0.5)),
		SGD(LearningRate(0.1), Momentum(0.9)),
		SGD(LearningRate(0.1), Momentum(0.9), Nesterov()),
		AdaGrad(LearningRate(0.3)),
		AdaDelta(LearningRate(20)),
		RMSprop(LearningRate(0.01)),
		RMSprop(LearningRate(0.01), Centered()),
		Adam(LearningRate(0.03)),
		Adam(LearningRate(0.03), AMSGrad()),
		AdamW(LearningRate(0.03)),
		NAdam(LearningRate(0.03)),
		Adamax(LearningRate(0.03)),
		Lion(LearningRate(0.01)),
		Adam(LearningRate(OneCycle(0.1, 1500))),
	} {
		for _, a := range []Activation{ReLU, Tanh} {
			for seed := range 3 {
				m := Sequential(Dense(16, a), Dense(1, Sigmoid))
				if err := m.Compile(o, BinaryCrossEntropy, Accuracy); err != nil {
					t.Fatal(err)
				}
				h, err := m.Fit(xorX, xorY, Epochs(1500), Seed(seed), Verbose(0))
				if err != nil {
					t.Fatal(err)
				}
				if h.Last("accuracy") != 1 || h.Last("loss") > 0.2 {
					t.Errorf("%v, %v, seed %d: loss %v, accuracy %v", o, a, seed, h.Last("loss"), h.Last("accuracy"))
				}
			}
		}
	}
}

func TestClasses(t *testing.T) {
	x, y := blobs(400, 4, 3)
	onehot := make([][]int, len(y))
	for i, class := range y {
		onehot[i] = make([]int, 3)
		onehot[i][class] = 1
	}
	fit := func(loss Loss, y any) *History {
		return train(t, Sequential(Dense(16, Tanh), Dense(3, Softmax)), loss, x, y, Epochs(20), ValidationSplit(0.25))
	}
	sparse, dense := fit(SparseCategoricalCrossEntropy, y), fit(CategoricalCrossEntropy, onehot)
	if a := sparse.Last("val_accuracy"); a < 0.9 {
		t.Errorf("the validation accuracy is %v", a)
	}
	if a, b := sparse.Last("val_loss"), dense.Last("val_loss"); math.Abs(a-b) > 1e-6 {
		t.Errorf("class numbers end with val_loss %v, one-hot rows with %v", a, b)
	}
	p, err := sparse.Model.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range p.Rows() {
		if sum := float64(row[0]) + float64(row[1]) + float64(row[2]); math.Abs(sum-1) > 1e-6 {
			t.Fatalf("row %d of the probabilities sums to %v", i, sum)
		}
	}
}

func TestRegression(t *testing.T) {
	var x, y []float64
	for i := range 200 {
		v := float64(i)/100 - 1
		x, y = append(x, v), append(y, math.Sin(3*v))
	}
	for _, loss := range []Loss{MeanSquaredError, MeanAbsoluteError} {
		m := Sequential(Dense(32, Tanh, KernelInitializer(HeNormal)), Dense(1))
		if err := m.Compile(Adam(LearningRate(0.01)), loss, MeanAbsoluteError); err != nil {
			t.Fatal(err)
		}
		h, err := m.Fit(x, y, Epochs(200), Verbose(0))
		if err != nil {
			t.Fatal(err)
		}
		if e := h.Last("mean_absolute_error"); e > 0.05 {
			t.Errorf("%v: the mean absolute error is %v", loss, e)
		}
	}
}

func TestInitializers(t *testing.T) {
	for _, test := range []struct {
		initializer Initializer
		variance    float64
		limit       float64
	}{
		{GlorotUniform, 2. / 300, math.Sqrt(6. / 300)},
		{GlorotNormal, 2. / 300, 2 * math.Sqrt(2./300) / 0.87962566103423978},
		{HeUniform, 2. / 100, math.Sqrt(6. / 100)},
		{HeNormal, 2. / 100, 2 * math.Sqrt(2./100) / 0.87962566103423978},
	} {
		m := Sequential(Input(100), Dense(200, KernelInitializer(test.initializer)))
		kernel, bias := m.Parameters()[0], m.Parameters()[1]
		mean, square, most := 0.0, 0.0, 0.0
		for _, v := range kernel.Data() {
			mean += float64(v)
			square += float64(v) * float64(v)
			most = max(most, math.Abs(float64(v)))
		}
		n := float64(kernel.Len())
		if mean /= n; math.Abs(mean) > 0.03*test.limit {
			t.Errorf("%v: the mean is %v", test.initializer, mean)
		}
		if square /= n; math.Abs(square/test.variance-1) > 0.03 {
			t.Errorf("%v: the variance is %v, want %v", test.initializer, square, test.variance)
		}
		if most > test.limit*(1+1e-6) || most < 0.97*test.limit {
			t.Errorf("%v: the largest weight is %v, want %v", test.initializer, most, test.limit)
		}
		for _, v := range bias.Data() {
			if v != 0 {
				t.Errorf("%v: a bias begins at %v", test.initializer, v)
			}
		}
	}
}
