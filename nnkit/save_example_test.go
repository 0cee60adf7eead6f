package nnkit_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seed5607215b/nnkit/nnkit"
)

func ExampleLoad() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "xor.safetensors")
	x, y := [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, []int{0, 1, 1, 0}

	model := nnkit.Sequential(nnkit.Dense(8, nnkit.Tanh), nnkit.Dense(1, nnkit.Sigmoid))
	if err := model.Compile(nnkit.Adam(nnkit.LearningRate(0.05)), nnkit.BinaryCrossEntropy); err != nil {
		log.Fatal(err)
	}
	if _, err := model.Fit(x, y, nnkit.Epochs(10), nnkit.Verbose(0)); err != nil {
		log.Fatal(err)
	}
	if err := model.Save(path); err != nil {
		log.Fatal(err)
	}

	again, err := nnkit.Load(path) // tomorrow
	if err != nil {
		log.Fatal(err)
	}
	one, _ := model.Fit(x, y, nnkit.Epochs(10), nnkit.Verbose(0))
	two, _ := again.Fit(x, y, nnkit.Epochs(10), nnkit.Verbose(0))
	fmt.Println(one.Last("loss") == two.Last("loss"))
	// Output: true
}

func ExampleCheckpoint() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	x, y := [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, []int{0, 1, 1, 0}

	train := func(stop int) (*nnkit.History, error) {
		model := nnkit.Sequential(nnkit.Dense(8, nnkit.Tanh), nnkit.Dense(1, nnkit.Sigmoid))
		if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy); err != nil {
			return nil, err
		}
		checkpoint := nnkit.Checkpoint(filepath.Join(folder, "run.safetensors"), nnkit.Resume())
		return model.Fit(x, y, nnkit.Epochs(20), nnkit.Verbose(0), checkpoint, nnkit.OnEpochEnd(func(t *nnkit.Training) {
			if t.Epoch == stop {
				t.Fail(fmt.Errorf("the power failed in epoch %d", t.Epoch))
			}
		}))
	}
	_, err = train(7)
	fmt.Println(err)
	history, err := train(0) // goes on where the other one stopped
	fmt.Println(history.Epochs(), err)
	// Output:
	// Fit: the power failed in epoch 7
	// 20 <nil>
}
