package datasets

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

// CIFAR10 loads 60,000 colour photographs of 32×32 pixels, 50,000 of them to train on (A. Krizhevsky, Learning Multiple
// Layers of Features from Tiny Images, 2009; 170 MB, and 740 MB as float32). X has the shape (rows, 32, 32, 3) and goes
// from 0 to 1; Y is the number of the class.
func CIFAR10(options ...Option) (train, test *data.Examples, err error) {
	train, test, err = cifar(newDownload(options), cifarFile)
	if err != nil {
		return nil, nil, fmt.Errorf("CIFAR10: %w", err)
	}
	return train, test, nil
}

// The binary version: that for Python is pickled.
var cifarFile = file{
	name: "cifar-10-binary.tar.gz", url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", size: 170052171,
	sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
}

const cifarSide, cifarChannels = 32, 3

func cifar(d *download, f file) (train, test *data.Examples, err error) {
	where, err := d.get(f)
	if err != nil {
		return nil, nil, err
	}
	archive, err := os.Open(where)
	if err != nil {
		return nil, nil, err
	}
	defer archive.Close()
	plain, err := gzip.NewReader(bufio.NewReader(archive))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", where, err)
	}
	var x, y [2][]float32 // train, test
	for t := tar.NewReader(plain); ; {
		entry, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", where, err)
		}
		set := 0
		switch name := path.Base(entry.Name); {
		case name == "test_batch.bin":
			set = 1
		case !strings.HasPrefix(name, "data_batch_"): // they come in their order
			continue
		}
		if x[set], y[set], err = cifarBatch(bufio.NewReader(t), x[set], y[set]); err != nil {
			return nil, nil, fmt.Errorf("%s: %s: %w", where, entry.Name, err)
		}
	}
	if train, err = cifarExamples("CIFAR-10 (train)", x[0], y[0]); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", where, err)
	}
	if test, err = cifarExamples("CIFAR-10 (test)", x[1], y[1]); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", where, err)
	}
	return train, test, nil
}

// cifarBatch reads records of a label and three planes of pixels, red, green and blue.
func cifarBatch(r io.Reader, x, y []float32) ([]float32, []float32, error) {
	const pixels = cifarSide * cifarSide
	record := make([]byte, 1+pixels*cifarChannels)
	for {
		if _, err := io.ReadFull(r, record); errors.Is(err, io.EOF) {
			return x, y, nil
		} else if err != nil {
			return nil, nil, err
		}
		y = append(y, float32(record[0]))
		for i := range pixels {
			for c := range cifarChannels {
				x = append(x, float32(record[1+c*pixels+i])/255)
			}
		}
	}
}

func cifarExamples(name string, x, y []float32) (*data.Examples, error) {
	if len(y) == 0 {
		return nil, errors.New("there are no pictures in it")
	}
	pictures, err := nnkit.NewTensor(x, len(y), cifarSide, cifarSide, cifarChannels)
	if err != nil {
		return nil, err
	}
	labels, err := nnkit.NewTensor(y)
	if err != nil {
		return nil, err
	}
	return &data.Examples{Name: name, X: pictures, Y: labels, Classes: []string{
		"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
	}}, nil
}
