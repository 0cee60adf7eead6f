package build

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A disk that was full, or a machine that lost its power, leaves files of zeros and
// halves of files. What the cache holds is code that the worker would run, so each
// directory has a list of its files with their sizes and checksums, and each session
// reads them once before it uses them: some milliseconds, for files that are read
// anyway.

// sumsName is the list's name in the directory.
const sumsName = "sums.json"

// sum is what is known of a file.
type sum struct {
	Size  int64
	CRC32 uint32 // Castagnoli's, for which processors have an instruction
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumsOf reads the files of a directory, by their names in it.
func sumsOf(dir string) (map[string]sum, error) {
	sums := map[string]sum{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == sumsName {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		sums[name], err = sumOf(path)
		return err
	})
	return sums, err
}

func sumOf(file string) (sum, error) {
	f, err := os.Open(file)
	if err != nil {
		return sum{}, err
	}
	defer f.Close()
	h := crc32.New(castagnoli)
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, make([]byte, 1<<17))
	return sum{n, h.Sum32()}, err
}

// writeSums writes the list for a directory.
func writeSums(dir string) error {
	sums, err := sumsOf(dir)
	if err != nil {
		return err
	}
	data, err := json.Marshal(sums)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, sumsName), data, 0o666)
}

// checkSums compares a directory with its list. The error is fs.ErrNotExist where
// the directory or the list is not there.
func checkSums(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, sumsName))
	if err != nil {
		return err
	}
	var want map[string]sum
	if err := json.Unmarshal(data, &want); err != nil {
		return fmt.Errorf("%s: %w", sumsName, err)
	}
	for name, w := range want {
		got, err := sumOf(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s is missing", name)
		case err != nil:
			return err
		case got.Size != w.Size:
			return fmt.Errorf("%s has %d bytes and not %d", name, got.Size, w.Size)
		case got != w:
			return fmt.Errorf("%s is not what was written", name)
		}
	}
	return nil
}
