package notebooks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

// The prose names numbers. They must be those that come out: this is the notebook as an ordinary program.
func TestFirstNetworkSaysTheTruth(t *testing.T) {
	text := prose(t, "01-first-network.ipynb")
	says := func(format string, values ...any) {
		t.Helper()
		if want := fmt.Sprintf(format, values...); !strings.Contains(text, want) {
			t.Errorf("the prose lacks %q", want)
		}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	visitors := data.Clinic(1)
	sick := sum(visitors.Y)
	says("right for %.1f %% of these people", 100*(1-sick/float64(len(visitors.Y))))
	says("than the %.1f %% of somebody who never looks", 100*(1-sick/float64(len(visitors.Y))))
	train, test, err := visitors.Split(0.8, 1)
	check(err)
	scale, err := data.Standardize(train.X)
	check(err)
	xTrain, err := scale.Apply(train.X)
	check(err)
	xTest, err := scale.Apply(test.X)
	check(err)
	says("The first person is %.0f years old, which standardizes to %.2f", train.X[0][0], xTrain[0][0])
	says("A pulse of %.0f is as average as can be, %.2f", train.X[0][4], xTrain[0][4])

	model := nnkit.Sequential(
		nnkit.Input(8), nnkit.Dense(10, nnkit.ReLU), nnkit.Dense(8, nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid),
	)
	check(model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy))
	numbers := 0
	for _, p := range model.Parameters() {
		numbers += p.Len()
	}
	says("**%d numbers** in all", numbers)
	before, err := model.Evaluate(xTest, test.Y)
	check(err)
	says("%.0f %% right: worse than always", 100*before.Value("accuracy"))
	says("It is %.4f, about that of", before.Value("loss"))

	fit := func(epochs int) *nnkit.History {
		t.Helper()
		h, err := model.Fit(xTrain, train.Y, nnkit.Epochs(epochs), nnkit.BatchSize(32), nnkit.ValidationSplit(0.2), nnkit.Verbose(0))
		check(err)
		return h
	}
	history := fit(10)
	says("to %.0f %% in training and %.0f %% in validation", 100*history.Last("accuracy"), 100*history.Last("val_accuracy"))
	if history.Series("val_loss")[0] >= history.Series("loss")[0] {
		t.Error("the dashed loss does not begin below the solid one")
	}
	if history.BestEpochBy("val_loss") != 10 || history.BestEpochBy("loss") != 10 {
		t.Error("the curves do not still go down at the right edge")
	}

	more := fit(90)
	says("right for %.0f %% of the people it trains on, and for %.0f %% of the validation people",
		100*more.Last("accuracy"), 100*more.Last("val_accuracy"))
	says("falls steadily to %.3f", more.Last("loss"))
	says("ends at %.3f", more.Last("val_loss"))
	against, pro := 0, 0
	for _, w := range model.Parameters()[4].Data() {
		switch {
		case w < -0.2:
			against++
		case w > 0.2:
			pro++
		}
	}
	if against != 4 || pro != 4 {
		t.Errorf("in the last layer %d speak against illness and %d for it", against, pro)
	}

	scores, err := model.Evaluate(xTest, test.Y)
	check(err)
	says("**%.1f %% right**", 100*scores.Value("accuracy"))
	says("would get %.0f %% of these %d people", 100*(1-sum(test.Y)/float64(len(test.Y))), len(test.Y))
	answers, err := model.Predict(xTest)
	check(err)
	found := 0
	for i, ill := range test.Y {
		if ill == 1 && answers.At(i, 0) > 0.5 {
			found++
		}
	}
	says("It finds %d of the %.0f who fall ill, and misses %.0f", found, sum(test.Y), sum(test.Y)-float64(found))

	ask := func(hours float64) float32 {
		t.Helper()
		row, err := scale.ApplyRow([]float64{47, 36, 118, 82, 74, hours, 7.2, 1})
		check(err)
		p, err := model.Predict(row)
		check(err)
		return p.At(0, 0)
	}
	says("%.2f. And if the same person took up sports", ask(0.5))
	says("From %.2f down to %.2f", ask(0.5), ask(8))

	one := nnkit.Sequential(nnkit.Dense(1, nnkit.Sigmoid))
	check(one.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy))
	_, err = one.Fit(xTrain, train.Y, nnkit.Epochs(300), nnkit.BatchSize(32), nnkit.ValidationSplit(0.2), nnkit.Verbose(0))
	check(err)
	alone, err := one.Evaluate(xTest, test.Y)
	check(err)
	says("It gets %.0f %% on the exam", 100*alone.Value("accuracy"))
}

func sum(values []float64) (s float64) {
	for _, v := range values {
		s += v
	}
	return s
}
