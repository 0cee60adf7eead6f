package safetensors

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// WriteFile writes a file as Replace does.
func (f *File) WriteFile(path string) error { return replace(path, f.Write) }

// Replace writes data to a file so that at every moment, whatever happens, there is either what was there before or all of
// the new one: under another name in the same folder, which takes the old one's place when all of it is on the disk.
func Replace(path string, data []byte) error {
	return replace(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func replace(path string, write func(io.Writer) error) (err error) {
	folder := filepath.Dir(path)
	temporary, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*")
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: the folder %s does not exist: make it before", path, folder)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			temporary.Close()
			os.Remove(temporary.Name())
		}
	}()
	mode := os.FileMode(0o644)
	if old, err := os.Stat(path); err == nil {
		mode = old.Mode().Perm()
	}
	if err := temporary.Chmod(mode); err != nil {
		return err
	}
	if err := write(temporary); err != nil {
		return err
	}
	if err := temporary.Sync(); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return err
	}
	// The new name is on the disk when the folder is. Not every system can do that, and the file is whole without it.
	if d, err := os.Open(folder); err == nil {
		_ = d.Sync()
		d.Close()
	}
	return nil
}

// Write writes a file. The tensors' data come in their order, wider numbers first, so that all are aligned.
func (f *File) Write(w io.Writer) error {
	tensors := slices.Clone(f.Tensors)
	slices.SortStableFunc(tensors, func(a, b Tensor) int { return widths[b.Type] - widths[a.Type] })
	h := bytes.NewBufferString("{")
	value := func(v any) error {
		text, err := json.Marshal(v)
		h.Write(text)
		return err
	}
	if f.Metadata != nil {
		h.WriteString(`"__metadata__":`)
		if err := value(f.Metadata); err != nil {
			return err
		}
	}
	at := 0
	for _, t := range tensors {
		if h.Len() > 1 {
			h.WriteByte(',')
		}
		if err := value(t.Name); err != nil {
			return err
		}
		h.WriteByte(':')
		err := value(struct {
			Type    Type   `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{t.Type, append([]int{}, t.Shape...), [2]int{at, at + len(t.Data)}})
		if err != nil {
			return err
		}
		at += len(t.Data)
	}
	h.WriteByte('}')
	for h.Len()%8 != 0 { // the data are aligned, too
		h.WriteByte(' ')
	}
	out := bufio.NewWriter(w)
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(h.Len()))
	out.Write(length[:])
	out.Write(h.Bytes())
	for _, t := range tensors {
		out.Write(t.Data)
	}
	return out.Flush()
}
