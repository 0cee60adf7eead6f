package nnkit

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/seed5607215b/nnkit/nnkit/internal/tensorboard"
)

// TensorBoard makes a [Callback] that writes event files for TensorBoard, as Keras' callback of this name does: in
// dir/train the scores of each epoch and histograms of the weights, in dir/validation those of the validation rows. Give each
// training a folder of its own below the one that TensorBoard is shown:
//
//	history, err := model.Fit(x, y, nnkit.TensorBoard("logs/first"))
//
// and then, in a terminal, tensorboard --logdir logs. Scores are called epoch_loss, epoch_accuracy and so on, histograms by their
// parameter: dense_1/kernel/histogram. The option is [HistogramFrequency]. A file that cannot be written ends the training
// with an error.
func TensorBoard(dir string, options ...TensorBoardOption) *TensorBoardLog {
	b := &TensorBoardLog{dir: dir, every: 1}
	if dir == "" {
		b.err = errors.New("TensorBoard: the folder's name is empty")
	}
	for i, o := range options {
		if o == nil {
			b.err = fmt.Errorf("TensorBoard: option %d is nil", i+1)
			break
		}
		o(b)
	}
	if b.every < 0 {
		b.err = fmt.Errorf("TensorBoard: HistogramFrequency(%d): it must be at least 0", b.every)
	}
	return b
}

// TensorBoardOption is an argument of [TensorBoard] behind the folder.
type TensorBoardOption func(*TensorBoardLog)

// HistogramFrequency has [TensorBoard] write histograms of the weights only every so many epochs; 0 is never.
func HistogramFrequency(epochs int) TensorBoardOption {
	return func(b *TensorBoardLog) { b.every = epochs }
}

// TensorBoardLog is the callback that [TensorBoard] makes.
type TensorBoardLog struct {
	BaseCallback
	dir               string
	every             int
	step              int // epochs written, in all calls of Fit
	train, validation *tensorboard.Writer
	err               error
}

// TrainBegin makes the files.
func (b *TensorBoardLog) TrainBegin(t *Training) {
	if b.err == nil {
		b.train, b.err = tensorboard.Create(filepath.Join(b.dir, "train"))
	}
	if b.err == nil && t.ValidationRows > 0 {
		b.validation, b.err = tensorboard.Create(filepath.Join(b.dir, "validation"))
	}
	b.check(t)
}

// check ends the training if something could not be written.
func (b *TensorBoardLog) check(t *Training) {
	if b.err != nil {
		if text := b.err.Error(); !strings.HasPrefix(text, "TensorBoard: ") {
			b.err = fmt.Errorf("TensorBoard: %w", b.err)
		}
		t.Fail(b.err)
	}
}

// EpochEnd writes scores and histograms.
func (b *TensorBoardLog) EpochEnd(t *Training) {
	if b.err != nil || b.train == nil {
		return
	}
	var train, validation []tensorboard.Value
	for name, value := range t.Scores.All() {
		if of, validated := strings.CutPrefix(name, "val_"); validated {
			validation = append(validation, tensorboard.Scalar("epoch_"+of, value))
		} else {
			train = append(train, tensorboard.Scalar("epoch_"+name, value))
		}
	}
	train = append(train, tensorboard.Scalar("epoch_learning_rate", t.LearningRate()))
	if b.every > 0 && b.step%b.every == 0 {
		for _, p := range t.Model.Parameters() {
			train = append(train, tensorboard.Histogram(p.Name()+"/histogram", p.Data()))
		}
	}
	b.err = b.train.Write(b.step, train...)
	if b.err == nil && b.validation != nil {
		b.err = b.validation.Write(b.step, validation...)
	}
	b.step++
	b.check(t)
}

// TrainEnd closes the files.
func (b *TensorBoardLog) TrainEnd(t *Training) {
	for _, w := range []**tensorboard.Writer{&b.train, &b.validation} {
		if *w != nil {
			if err := (*w).Close(); b.err == nil {
				b.err = err
			}
			*w = nil
		}
	}
	b.check(t)
}
