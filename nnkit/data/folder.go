package data

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// loadFolder reads a folder that has a folder for each class, as Keras' image_dataset_from_directory wants it: each file
// with one of the endings becomes a row of size numbers. Other files, and those whose names begin with a dot, are left
// out. Classes and files are in the order of their names.
func loadFolder(call, dir string, size int, endings []string, read func(f io.Reader, row []float32) error) (x, y []float32, classes []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", call, err)
	}
	for _, class := range entries {
		if !class.IsDir() || strings.HasPrefix(class.Name(), ".") {
			continue
		}
		files, err := os.ReadDir(filepath.Join(dir, class.Name()))
		if err != nil {
			return nil, nil, nil, fmt.Errorf("%s: %w", call, err)
		}
		for _, f := range files {
			if f.IsDir() || strings.HasPrefix(f.Name(), ".") || !slices.Contains(endings, strings.ToLower(filepath.Ext(f.Name()))) {
				continue
			}
			row := make([]float32, size)
			path := filepath.Join(dir, class.Name(), f.Name())
			if _, err := load(call, path, func(f io.Reader) (struct{}, error) { return struct{}{}, read(f, row) }); err != nil {
				return nil, nil, nil, err
			}
			x, y = append(x, row...), append(y, float32(len(classes)))
		}
		classes = append(classes, class.Name())
	}
	if len(y) == 0 {
		return nil, nil, nil, fmt.Errorf("%s: there are no files *%s in folders of %s: it wants a folder for each class, cats/1.png and "+
			"dogs/2.png for example", call, strings.Join(endings, ", *"), dir)
	}
	return x, y, classes, nil
}
