package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/seed5607215b/nnkit/nnkit"
)

// number is how a file writes one.
type number struct {
	kind byte // of NumPy's: b bool, i signed, u unsigned, f floating point
	size int  // bytes
}

// decode makes a float32 of size bytes.
func (k number) decode(order binary.ByteOrder, b []byte) float32 {
	var bits uint64
	switch k.size {
	case 1:
		bits = uint64(b[0])
	case 2:
		bits = uint64(order.Uint16(b))
	case 4:
		bits = uint64(order.Uint32(b))
	case 8:
		bits = order.Uint64(b)
	}
	switch k.kind {
	case 'i':
		shift := 64 - 8*k.size
		return float32(int64(bits<<shift) >> shift)
	case 'f':
		switch k.size {
		case 2:
			return half(uint16(bits))
		case 4:
			return math.Float32frombits(uint32(bits))
		default:
			return float32(math.Float64frombits(bits))
		}
	case 'b':
		if bits != 0 {
			return 1
		}
		return 0
	default:
		return float32(bits)
	}
}

// half is a number of IEEE 754's binary16.
func half(b uint16) float32 {
	exponent, fraction := int(b>>10)&31, float64(b&0x3ff)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 31:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if b>>15 != 0 {
		v = -v
	}
	return float32(v)
}

// product multiplies sizes, unless the bytes would be more than memory can hold.
func product(shape []int, size int) (int, error) {
	n := 1
	for _, d := range shape {
		if d > 0 && n > math.MaxInt/8/max(size, 4)/d {
			return 0, fmt.Errorf("the shape %v has more values than memory can hold", shape)
		}
		n *= d
	}
	return n, nil
}

// readTensor reads the values of a shape. It takes no more memory than twice what the reader gives, whatever the shape
// promises.
func readTensor(r io.Reader, shape []int, k number, order binary.ByteOrder) (*nnkit.Tensor, error) {
	n, err := product(shape, k.size)
	if err != nil {
		return nil, err
	}
	const atOnce = 1 << 16
	chunk := make([]byte, min(n, atOnce)*k.size)
	data := make([]float32, 0, min(n, atOnce))
	for len(data) < n {
		part := chunk[:min(n-len(data), atOnce)*k.size]
		if got, err := io.ReadFull(r, part); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, fmt.Errorf("it ends after %d of the %d values that its shape %v promises: it is damaged or was not "+
					"downloaded completely", len(data)+got/k.size, n, shape)
			}
			return nil, err
		}
		for at := 0; at < len(part); at += k.size {
			data = append(data, k.decode(order, part[at:]))
		}
	}
	return nnkit.NewTensor(data, shape...)
}
