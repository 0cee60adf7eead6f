package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
)

// ReadFile reads a file. Errors name it.
func ReadFile(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s is no whole safetensors file: %w", path, err)
	}
	return f, nil
}

// Parse takes a file apart. The tensors' Data are parts of data.
func Parse(data []byte) (*File, error) {
	if len(data) < 8 {
		return nil, fmt.Errorf("it has %d bytes, and its header's length alone takes 8", len(data))
	}
	length := binary.LittleEndian.Uint64(data)
	data = data[8:]
	if length > uint64(len(data)) {
		return nil, fmt.Errorf("its header should have %d bytes, but %d are left", length, len(data))
	}
	h := header{rest: data[length:], names: map[string]bool{}}
	h.dec = json.NewDecoder(bytes.NewReader(data[:length]))
	h.dec.UseNumber()
	if length == 0 || data[0] != '{' {
		return nil, errors.New("its header does not begin with a brace")
	}
	if err := h.read(); err != nil {
		return nil, fmt.Errorf("its header is damaged at byte %d: %w", 8+h.dec.InputOffset(), err)
	}
	if err := h.covers(); err != nil {
		return nil, err
	}
	return &h.file, nil
}

// header is a header that is being read.
type header struct {
	dec   *json.Decoder
	rest  []byte // behind the header
	file  File
	names map[string]bool
	at    []span // of the tensors
}

type span struct{ lo, hi int }

func (h *header) read() error {
	err := h.object(func(name string) error {
		if name == "__metadata__" {
			if h.file.Metadata != nil {
				return errors.New("there is metadata twice")
			}
			h.file.Metadata = map[string]string{}
			return h.metadata()
		}
		return h.tensor(name)
	})
	if err != nil {
		return err
	}
	if _, err := h.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind its last brace")
	}
	return nil
}

// object reads an object, whose values f reads.
func (h *header) object(f func(key string) error) error {
	if err := h.delim('{'); err != nil {
		return err
	}
	for h.dec.More() {
		key, err := h.text()
		if err != nil {
			return err
		}
		if err := f(key); err != nil {
			return err
		}
	}
	return h.delim('}')
}

func (h *header) token() (json.Token, error) {
	t, err := h.dec.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return t, err
}

func (h *header) delim(want json.Delim) error {
	t, err := h.token()
	if err == nil && t != want {
		err = fmt.Errorf("there is %v where %v should be", t, want)
	}
	return err
}

func (h *header) text() (string, error) {
	t, err := h.token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("there is %v where a text should be", t)
	}
	return s, nil
}

func (h *header) metadata() error {
	return h.object(func(key string) error {
		if _, twice := h.file.Metadata[key]; twice {
			return fmt.Errorf("the metadata %q is there twice", key)
		}
		text, err := h.text()
		h.file.Metadata[key] = text
		return err
	})
}

// sizes reads a list of numbers of at least 0.
func (h *header) sizes() (list []int, err error) {
	if err := h.delim('['); err != nil {
		return nil, err
	}
	for h.dec.More() {
		t, err := h.token()
		if err != nil {
			return nil, err
		}
		number, _ := t.(json.Number)
		n, err := strconv.Atoi(string(number))
		if err != nil || n < 0 {
			return nil, fmt.Errorf("there is %v where a whole number of at least 0 should be", t)
		}
		list = append(list, n)
	}
	return list, h.delim(']')
}

func (h *header) tensor(name string) error {
	if h.names[name] {
		return fmt.Errorf("the tensor %q is there twice", name)
	}
	h.names[name] = true
	t := Tensor{Name: name}
	var offsets []int
	seen := map[string]bool{}
	err := h.object(func(key string) (err error) {
		if seen[key] {
			return fmt.Errorf("%q has %s twice", name, key)
		}
		seen[key] = true
		switch key {
		case "dtype":
			var s string
			s, err = h.text()
			t.Type = Type(s)
		case "shape":
			t.Shape, err = h.sizes()
		case "data_offsets":
			offsets, err = h.sizes()
		default:
			err = fmt.Errorf("%q has %q, which no tensor has", name, key)
		}
		return err
	})
	if err != nil {
		return err
	}
	width, known := widths[t.Type]
	switch {
	case !seen["dtype"] || !seen["shape"] || len(offsets) != 2:
		return fmt.Errorf("%q must have a dtype, a shape and two data_offsets", name)
	case !known:
		return fmt.Errorf("%q is of the unknown type %q", name, t.Type)
	case offsets[0] > offsets[1] || offsets[1] > len(h.rest):
		return fmt.Errorf("%q lies at %d to %d, but there are %d bytes of data: the file may have been cut off", name, offsets[0], offsets[1], len(h.rest))
	}
	size := width
	for _, d := range t.Shape {
		if d != 0 && size > math.MaxInt/d {
			return fmt.Errorf("the shape %v of %q is too large for any file", t.Shape, name)
		}
		size *= d
	}
	if size != offsets[1]-offsets[0] {
		return fmt.Errorf("%q has the shape %v and the type %s, which are %d bytes, but lies at %d to %d", name, t.Shape, t.Type, size, offsets[0], offsets[1])
	}
	t.Data = h.rest[offsets[0]:offsets[1]:offsets[1]]
	h.file.Tensors = append(h.file.Tensors, t)
	h.at = append(h.at, span{offsets[0], offsets[1]})
	return nil
}

// covers says whether every byte of the data belongs to one tensor.
func (h *header) covers() error {
	slices.SortFunc(h.at, func(a, b span) int {
		if a.lo != b.lo {
			return a.lo - b.lo
		}
		return a.hi - b.hi
	})
	end := 0
	for _, s := range h.at {
		if s.lo < end {
			return fmt.Errorf("two of its tensors overlap at byte %d of the data", s.lo)
		}
		if s.lo > end {
			return fmt.Errorf("bytes %d to %d of its data belong to no tensor", end, s.lo)
		}
		end = s.hi
	}
	if end != len(h.rest) {
		return fmt.Errorf("its tensors end at byte %d of the data, which has %d", end, len(h.rest))
	}
	return nil
}
