package nnkit

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// events returns what the event files in a folder hold.
func events(t *testing.T, dir string) (files int, content []byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, data...)
	}
	return len(names), content
}

// The tags are those of Keras, for each epoch, and histograms where they are asked for.
func TestTensorBoard(t *testing.T) {
	dir := t.TempDir()
	m, x, y := loggedModel(t, 0.01)
	board := TensorBoard(dir, HistogramFrequency(2))
	for range 2 {
		if _, err := m.Fit(x, y, Epochs(3), ValidationSplit(0.25), Verbose(0), board); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		dir, tag string
		want     int
	}{
		{"train", "epoch_loss", 6},
		{"train", "epoch_accuracy", 6},
		{"train", "epoch_learning_rate", 6},
		{"train", "dense_1/kernel/histogram", 3},
		{"train", "dense_2/bias/histogram", 3},
		{"train", "val_", 0},
		{"validation", "epoch_loss", 6},
		{"validation", "epoch_accuracy", 6},
		{"validation", "histogram", 0},
	} {
		files, content := events(t, filepath.Join(dir, c.dir))
		if got := bytes.Count(content, []byte(c.tag)); files != 2 || got != c.want {
			t.Errorf("%s: %d files have %d times %q, want 2 and %d", c.dir, files, got, c.tag, c.want)
		}
	}
}

func TestTensorBoardErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	m, x, y := loggedModel(t, 0.01)
	for want, board := range map[string]*TensorBoardLog{
		"TensorBoard: the folder's name is empty":                    TensorBoard(""),
		"TensorBoard: option 1 is nil":                               TensorBoard("a", nil),
		"TensorBoard: HistogramFrequency(-1): it must be at least 0": TensorBoard("a", HistogramFrequency(-1)),
		"TensorBoard: mkdir " + file + ": not a directory":           TensorBoard(file),
	} {
		if _, err := m.Fit(x, y, Verbose(0), board); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
	if _, err := os.Stat("a"); err == nil {
		t.Error("a folder was made for a wrong option")
	}
}
