package data

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/seed5607215b/nnkit/nnkit"
)

// LoadIDX reads a file in the format of MNIST; [ReadIDX] says how.
func LoadIDX(path string) (*nnkit.Tensor, error) {
	return load("LoadIDX", path, func(f io.Reader) (*nnkit.Tensor, error) { return readIDX(f, unpackedAnyway) })
}

// ReadIDX reads an array in the format of MNIST (Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of
// handwritten digits): two bytes of 0, the type, the number of dimensions, their sizes, the values. Compressed by gzip
// it is read just so. The values are as they are, bytes from 0 to 255.
func ReadIDX(r io.Reader) (*nnkit.Tensor, error) {
	t, err := readIDX(r, unpackedAnyway)
	if err != nil {
		return nil, fmt.Errorf("ReadIDX: %w", err)
	}
	return t, nil
}

var idxNumbers = map[byte]number{
	0x08: {'u', 1}, 0x09: {'i', 1}, 0x0B: {'i', 2}, 0x0C: {'i', 4}, 0x0D: {'f', 4}, 0x0E: {'f', 8},
}

func readIDX(r io.Reader, anyway int64) (*nnkit.Tensor, error) {
	packed := &counted{Reader: r}
	b := bufio.NewReader(packed)
	if start, err := b.Peek(2); err == nil && start[0] == 0x1f && start[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, err
		}
		unpacked := &unpacking{packed: func() int64 { return packed.n }, anyway: anyway}
		b = bufio.NewReader(unpacked.reader(z))
	}
	var magic [4]byte
	if _, err := io.ReadFull(b, magic[:]); err != nil {
		return nil, fmt.Errorf("it is no IDX file, or damaged: its first bytes end too soon (%w)", err)
	}
	kind, ok := idxNumbers[magic[2]]
	if magic[0] != 0 || magic[1] != 0 || !ok || magic[3] == 0 {
		return nil, fmt.Errorf("it is no IDX file: it begins with % x, and such files with 00 00, a type from 08 to 0e, and the number "+
			"of dimensions", magic)
	}
	sizes := make([]byte, 4*int(magic[3]))
	if _, err := io.ReadFull(b, sizes); err != nil {
		return nil, fmt.Errorf("it ends within the sizes of its %d dimensions: it is damaged (%w)", magic[3], err)
	}
	shape := make([]int, magic[3])
	for i := range shape {
		shape[i] = int(binary.BigEndian.Uint32(sizes[4*i:]))
	}
	return readTensor(b, shape, kind, binary.BigEndian)
}
