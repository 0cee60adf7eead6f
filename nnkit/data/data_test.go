package data

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
)

// The numbers of a seed are a promise: this hash must be the same on every machine and in every version.
func TestClinicStaysTheSame(t *testing.T) {
	d := Clinic(1)
	h := sha256.New()
	for i, row := range d.X {
		binary.Write(h, binary.LittleEndian, row)
		binary.Write(h, binary.LittleEndian, d.Y[i])
	}
	const want = "2106786b48f0e143"
	if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != want {
		t.Errorf("the hash of Clinic(1) is %s, want %s", got, want)
	}
}

// What the comment of Clinic promises, over many seeds.
func TestClinicIsAsDescribed(t *testing.T) {
	var ill, best float64
	const seeds = 40
	for seed := range seeds {
		d, probability := clinic(seed)
		if len(d.X) != 768 || len(d.Y) != 768 || len(d.Names()) != 8 {
			t.Fatalf("seed %d: %d rows, %d targets, %d names", seed, len(d.X), len(d.Y), len(d.Names()))
		}
		for i, p := range probability {
			ill += d.Y[i]
			best += max(p, 1-p)
			if len(d.X[i]) != 8 {
				t.Fatalf("seed %d: row %d has %d features", seed, i, len(d.X[i]))
			}
		}
	}
	ill, best = ill/768/seeds, best/768/seeds
	t.Logf("ill %.3f, best accuracy %.3f", ill, best)
	if ill < 0.28 || ill > 0.38 {
		t.Errorf("%.3f fall ill, not about a third", ill)
	}
	if best < 0.88 || best > 0.93 {
		t.Errorf("the rule itself is right for %.3f, not for nine in ten", best)
	}
}

func TestClinicCanBeLearned(t *testing.T) {
	var deep, flat float64
	const seeds = 8
	for seed := range seeds {
		train, test, err := Clinic(seed).Split(0.8, seed)
		if err != nil {
			t.Fatal(err)
		}
		scale, err := Standardize(train.X)
		if err != nil {
			t.Fatal(err)
		}
		x, err := scale.Apply(train.X)
		if err != nil {
			t.Fatal(err)
		}
		xTest, err := scale.Apply(test.X)
		if err != nil {
			t.Fatal(err)
		}
		accuracy := func(layers ...nnkit.Layer) float64 {
			m := nnkit.Sequential(layers...)
			if err := m.Compile(nnkit.Adam(nnkit.LearningRate(0.01)), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Fit(x, train.Y, nnkit.Epochs(20), nnkit.Seed(seed), nnkit.Verbose(0)); err != nil {
				t.Fatal(err)
			}
			s, err := m.Evaluate(xTest, test.Y)
			if err != nil {
				t.Fatal(err)
			}
			return s.Value("accuracy")
		}
		deep += accuracy(nnkit.Dense(10, nnkit.ReLU), nnkit.Dense(8, nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid)) / seeds
		flat += accuracy(nnkit.Dense(1, nnkit.Sigmoid)) / seeds
	}
	t.Logf("test accuracy: 8-10-8-1 %.3f, a single layer %.3f", deep, flat)
	if deep < 0.83 || deep > 0.9 || flat < 0.78 || flat > 0.84 {
		t.Errorf("test accuracy: 8-10-8-1 %.3f, a single layer %.3f", deep, flat)
	}
}

func TestSplit(t *testing.T) {
	x := [][]float64{{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}}
	y := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	a, b, ya, yb, err := Split(x, y, 0.7, 1)
	if err != nil || len(a) != 7 || len(b) != 3 || len(ya) != 7 || len(yb) != 3 {
		t.Fatalf("Split: %d and %d rows, %v", len(a), len(b), err)
	}
	all := slices.Concat(ya, yb)
	for i, row := range slices.Concat(a, b) {
		if int(row[0]) != all[i] {
			t.Errorf("row %v has the truth %d", row, all[i])
		}
	}
	if slices.IsSorted(all) {
		t.Error("the rows are not shuffled")
	}
	slices.Sort(all)
	if !slices.Equal(all, y) {
		t.Errorf("rows are lost: %v", all)
	}
	_, again, _, _, _ := Split(x, y, 0.7, 1)
	if fmt.Sprint(again) != fmt.Sprint(b) {
		t.Error("the same seed splits differently")
	}
}

func TestErrors(t *testing.T) {
	x := [][]float64{{1, 2}, {3, 4}}
	scale, err := Standardize(x)
	if err != nil {
		t.Fatal(err)
	}
	split := func(x, y []float64, share float64) error {
		_, _, _, _, err := Split(x, y, share, 0)
		return err
	}
	checkFailures(t, []failure{
		{split([]float64{1, 2}, []float64{1}, 0.5), "Split: x has 2 rows and y 1; they must agree"},
		{split([]float64{1, 2}, []float64{1, 2}, 1.5), "the share 1.5 must be above 0 and below 1"},
		{split([]float64{1, 2}, []float64{1, 2}, 0.1), "leaves 0 and 2: both parts need at least one"},
		{second(Standardize(nil)), "x is empty"},
		{second(Standardize([][]float64{{1, 2}, {3}})), "row 1 has 1 numbers and row 0 has 2"},
		{second(Standardize([][]float64{{1, math.NaN()}})), "row 0, column 1 (both counted from 0) is NaN"},
		{second(scale.Apply([][]float64{{1}})), "row 0 has 1 numbers, but the rows that were standardized have 2"},
		{second(scale.ApplyRow([]float64{1})), "the row has 1 numbers"},
		{second(Clinic(1).Column("shoe")), `there is no feature "shoe"; there are age, bmi`},
	})
}

func ExampleStandardize() {
	scale, err := Standardize([][]float64{{1, 100}, {3, 300}})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := scale.Apply([][]float64{{1, 100}, {2, 200}, {3, 300}})
	fmt.Println(x, err)
	// Output: [[-1 -1] [0 0] [1 1]] <nil>
}

func ExampleClinic() {
	patients := Clinic(1)
	fmt.Println(patients)
	fmt.Println(strings.Join(patients.Names(), ", "))
	// Output:
	// Clinic (invented): 768 rows, 8 features
	//   age (years)  bmi (kg/m²)  glucose (mg/dL)  pressure (mmHg)  pulse (beats/min)  exercise (h/week)  sleep (h/night)  family  ill
	//            39         26.6               78               64                 64                4.1              8.4       0    0
	//            78         27.4              103               81                 64                6.3              6.1       1    0
	//            46           16              106               72                 72                  4              6.4       0    0
	//            76         28.5              105               90                 77                0.2              6.6       0    0
	//            32         27.6              106               82                 81                1.1              6.6       1    0
	//   …
	// age, bmi, glucose, pressure, pulse, exercise, sleep, family
}
