package data

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/seed5607215b/nnkit/nnkit"
)

// LoadNPY reads a file that numpy.save has written; [ReadNPY] says how.
func LoadNPY(path string) (*nnkit.Tensor, error) {
	return load("LoadNPY", path, func(f io.Reader) (*nnkit.Tensor, error) { return readNPY(bufio.NewReader(f)) })
}

// ReadNPY reads an array in NumPy's format, versions 1 to 3 (numpy.lib.format): of booleans, of whole numbers of 8 to
// 64 bits and of floating point numbers of 16, 32 and 64 bits, in either byte order, in C's or Fortran's order. Numbers
// are rounded to float32.
func ReadNPY(r io.Reader) (*nnkit.Tensor, error) {
	t, err := readNPY(r)
	if err != nil {
		return nil, fmt.Errorf("ReadNPY: %w", err)
	}
	return t, nil
}

// LoadNPZ reads the arrays of a file that numpy.savez or numpy.savez_compressed has written, by their names.
//
//	arrays, err := data.LoadNPZ("mnist.npz")
//	x := arrays["x_train"]
func LoadNPZ(path string) (map[string]*nnkit.Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("LoadNPZ: %w", err) // it names the file
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("LoadNPZ: %w", err)
	}
	arrays, err := readNPZ(f, info.Size(), unpackedAnyway)
	if err != nil {
		return nil, fmt.Errorf("LoadNPZ: %s: %w", path, err)
	}
	return arrays, nil
}

// ReadNPZ reads as [LoadNPZ] does, of size bytes.
func ReadNPZ(r io.ReaderAt, size int64) (map[string]*nnkit.Tensor, error) {
	arrays, err := readNPZ(r, size, unpackedAnyway)
	if err != nil {
		return nil, fmt.Errorf("ReadNPZ: %w", err)
	}
	return arrays, nil
}

func readNPZ(r io.ReaderAt, size, anyway int64) (map[string]*nnkit.Tensor, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	// Of all arrays together: those of a hostile file can lie on top of each other.
	unpacked := &unpacking{packed: func() int64 { return size }, anyway: anyway}
	arrays := map[string]*nnkit.Tensor{}
	for _, entry := range z.File {
		name, ok := strings.CutSuffix(entry.Name, ".npy")
		if !ok {
			continue
		}
		t, err := readEntry(entry, unpacked)
		if err != nil {
			return nil, fmt.Errorf("array %q: %w", name, err)
		}
		arrays[name] = t
	}
	if len(arrays) == 0 {
		return nil, errors.New("there is no array in it: numpy.savez writes such files")
	}
	return arrays, nil
}

func readEntry(entry *zip.File, unpacked *unpacking) (*nnkit.Tensor, error) {
	if err := unpacked.room(entry.UncompressedSize64); err != nil {
		return nil, err
	}
	plain, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	f := unpacked.reader(plain)
	t, err := readNPY(f)
	if err != nil {
		return nil, err
	}
	// The checksum is compared at the end.
	if n, err := io.CopyN(io.Discard, f, 1); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("there are bytes behind its values (%d at least): it is damaged", n)
	}
	return t, nil
}

// npyMagic begins a file; the format's version and the header's length follow.
const npyMagic = "\x93NUMPY"

func readNPY(r io.Reader) (*nnkit.Tensor, error) {
	damaged := func(err error) error {
		return fmt.Errorf("it is no NumPy array, or damaged: its first bytes end too soon (%w)", err)
	}
	start := make([]byte, len(npyMagic)+2)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, damaged(err)
	}
	if string(start[:len(npyMagic)]) != npyMagic {
		return nil, fmt.Errorf("it is no NumPy array: it begins with %q", start[:len(npyMagic)])
	}
	var length int
	switch version := start[len(npyMagic)]; version {
	case 1:
		var b [2]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil, damaged(err)
		}
		length = int(binary.LittleEndian.Uint16(b[:]))
	case 2, 3:
		var b [4]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil, damaged(err)
		}
		const most = 1 << 16 // of plain arrays it is about a hundred
		if n := binary.LittleEndian.Uint32(b[:]); n > most {
			return nil, fmt.Errorf("its header has %d bytes, and that of an array of numbers has no more than %d: it is damaged", n, most)
		} else {
			length = int(n)
		}
	default:
		return nil, fmt.Errorf("its format has the version %d, and 1 to 3 are known", version)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, damaged(err)
	}
	h, err := parseNPYHeader(string(text))
	if err != nil {
		return nil, fmt.Errorf("its header %q: %w", strings.TrimSpace(string(text)), err)
	}
	kind, order, err := parseDescription(h.description)
	if err != nil {
		return nil, err
	}
	shape := h.shape
	if h.fortran {
		shape = make([]int, len(h.shape))
		for i, d := range h.shape {
			shape[len(shape)-1-i] = d
		}
	}
	t, err := readTensor(r, shape, kind, order)
	if err != nil || !h.fortran || len(shape) < 2 {
		return t, err
	}
	return reversed(t, h.shape), nil
}

// reversed turns an array whose first index runs fastest into one whose last index does.
func reversed(t *nnkit.Tensor, shape []int) *nnkit.Tensor {
	src := t.Data()
	data := make([]float32, len(src))
	stride := make([]int, len(shape))
	step := 1
	for i, d := range shape {
		stride[i] = step
		step *= d
	}
	index, from := make([]int, len(shape)), 0
	for at := range data {
		data[at] = src[from]
		for i := len(shape) - 1; i >= 0; i-- {
			index[i]++
			from += stride[i]
			if index[i] < shape[i] {
				break
			}
			from -= index[i] * stride[i]
			index[i] = 0
		}
	}
	return tensor(data, shape...)
}

// parseDescription reads NumPy's name of a type: byte order, kind, bytes.
func parseDescription(text string) (number, binary.ByteOrder, error) {
	unknown := fmt.Errorf("its values are of the type %q, which is no number of up to 64 bits: write it by array.astype('float32')", text)
	if len(text) < 3 {
		return number{}, nil, unknown
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch text[0] {
	case '>':
		order = binary.BigEndian
	case '<', '|', '=':
	default:
		return number{}, nil, unknown
	}
	size, err := strconv.Atoi(text[2:])
	k := number{text[1], size}
	switch {
	case err != nil:
		return k, nil, unknown
	case k.kind == 'b' && size == 1:
	case (k.kind == 'i' || k.kind == 'u') && (size == 1 || size == 2 || size == 4 || size == 8):
	case k.kind == 'f' && (size == 2 || size == 4 || size == 8):
	default:
		return k, nil, unknown
	}
	return k, order, nil
}

type npyHeader struct {
	description string
	fortran     bool
	shape       []int
}

// parseNPYHeader reads a header, which is a dictionary as Python writes it:
// {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }.
func parseNPYHeader(text string) (h npyHeader, err error) {
	p := literal{strings.TrimSpace(text)}
	if !p.take("{") {
		return h, errors.New("it is no dictionary")
	}
	seen := map[string]bool{}
	for !p.take("}") {
		key, ok := p.text()
		if !ok || !p.take(":") || seen[key] {
			return h, errors.New("it is no dictionary of descr, fortran_order and shape")
		}
		seen[key] = true
		switch key {
		case "descr":
			if h.description, ok = p.text(); !ok {
				return h, errors.New("its values are records, and only arrays of plain numbers can be read: save each field by itself")
			}
		case "fortran_order":
			switch {
			case p.take("True"):
				h.fortran = true
			case !p.take("False"):
				return h, errors.New("fortran_order is neither True nor False")
			}
		case "shape":
			if h.shape, ok = p.tuple(); !ok {
				return h, errors.New("its shape is no tuple of whole numbers")
			}
		default:
			return h, fmt.Errorf("there is an unknown key %q", key)
		}
		p.take(",")
	}
	if !seen["descr"] || !seen["fortran_order"] || !seen["shape"] {
		return h, errors.New("descr, fortran_order or shape is missing")
	}
	return h, nil
}

// literal is the rest of a Python literal.
type literal struct{ rest string }

// take goes over a token if it is next.
func (p *literal) take(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = strings.TrimLeft(rest, " ")
	}
	return ok
}

func (p *literal) text() (string, bool) {
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		return "", false
	}
	text, rest, ok := strings.Cut(p.rest[1:], p.rest[:1])
	p.rest = strings.TrimLeft(rest, " ")
	return text, ok
}

func (p *literal) tuple() ([]int, bool) {
	shape := []int{}
	if !p.take("(") {
		return nil, false
	}
	for !p.take(")") {
		digits := len(p.rest) - len(strings.TrimLeft(p.rest, "0123456789"))
		n, err := strconv.Atoi(p.rest[:digits])
		if err != nil || n > math.MaxInt/8 || len(shape) == 32 { // NumPy has no more dimensions
			return nil, false
		}
		shape = append(shape, n)
		p.rest = strings.TrimLeft(strings.TrimPrefix(p.rest[digits:], "L"), " ") // Python 2 wrote 3L
		if !p.take(",") && !strings.HasPrefix(p.rest, ")") {
			return nil, false
		}
	}
	return shape, true
}
