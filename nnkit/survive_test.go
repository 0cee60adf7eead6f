//go:build fault

package nnkit

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

var kills = flag.Int("kills", 30, "how often a training is killed")

// survivor trains as the test wants it, and goes on from what was saved at path.
func survivor(t *testing.T, path string) (*Model, *History, error) {
	x, y := blobs(600, 8, 2)
	m := dropoutModel(t, Adam(LearningRate(CosineDecay(0.01, 4000))))
	h, err := m.Fit(x, y, Epochs(400), Seed(3), Verbose(0), BatchSize(32), ValidationSplit(0.2),
		Checkpoint(path, Resume()))
	return m, h, err
}

// TestTrainingSurvives kills a training at any moment, again and again. It goes on from
// its checkpoint each time, which is always a whole one, and ends with the bits of the
// training that nobody killed.
func TestTrainingSurvives(t *testing.T) {
	if path := os.Getenv("NNKIT_TEST_SURVIVOR"); path != "" {
		fmt.Println("begins")
		if _, _, err := survivor(t, path); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want, history, err := survivor(t, filepath.Join(t.TempDir(), "whole.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	killed, trainings, longest := 0, 0, 0
	for killed < *kills {
		path := filepath.Join(t.TempDir(), "run.safetensors")
		lives := 0
		for ended := false; !ended; lives++ {
			life := exec.Command(self, "-test.run=^TestTrainingSurvives$")
			life.Env = append(os.Environ(), "NNKIT_TEST_SURVIVOR="+path)
			out, err := life.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := life.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := out.Read(make([]byte, 6)); err != nil {
				t.Fatal("the training has not begun:", err)
			}
			time.AfterFunc(time.Duration(random.IntN(60_000))*time.Microsecond, func() { _ = life.Process.Kill() })
			said, _ := io.ReadAll(out)
			err = life.Wait()
			ended = err == nil
			if !ended && life.ProcessState.ExitCode() >= 0 {
				t.Fatalf("after %d kills the training failed: %v\n%s", killed, err, said)
			}
			if !ended {
				killed++
			}
			if _, err := os.Stat(path); err == nil {
				if _, err := Load(path); err != nil {
					t.Fatalf("after kill %d the checkpoint is not a whole one: %v", killed, err)
				}
			}
		}
		m, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(m.weights, want.weights) {
			t.Fatalf("training %d, killed %d times, ended with other bits", trainings+1, lives-1)
		}
		_, h, err := survivor(t, path)
		if err != nil || h.String() != history.String() {
			t.Fatalf("training %d has another history (%v)", trainings+1, err)
		}
		trainings, longest = trainings+1, max(longest, lives-1)
	}
	t.Logf("%d kills in %d trainings, at most %d in one: all ended with the same bits", killed, trainings, longest)
}
