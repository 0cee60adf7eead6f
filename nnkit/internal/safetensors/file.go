package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// File is what a file holds.
type File struct {
	Metadata map[string]string
	Tensors  []Tensor
}

// Tensor is an array of numbers.
type Tensor struct {
	Name  string
	Type  Type
	Shape []int
	Data  []byte // in the order and the width of Type
}

// Type is a type of numbers, as a header names it.
type Type string

// The types that [Tensor.Float32] reads, and [Float32] and [Float64] write. Files may hold others.
const (
	F16  Type = "F16"
	BF16 Type = "BF16"
	F32  Type = "F32"
	F64  Type = "F64"
)

// widths are the bytes of a number.
var widths = map[Type]int{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "U16": 2, "I16": 2, F16: 2, BF16: 2,
	"U32": 4, "I32": 4, F32: 4, "U64": 8, "I64": 8, F64: 8,
}

// Float32 makes a tensor of numbers.
func Float32(name string, shape []int, values []float32) Tensor {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Tensor{name, F32, slices.Clone(shape), data}
}

// Float64 makes a vector of numbers.
func Float64(name string, values []float64) Tensor {
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return Tensor{name, F64, []int{len(values)}, data}
}

// Len returns how many numbers there are.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Float32 returns the numbers rounded to float32. It is an error when they are whole numbers, or of a type too small to hold
// weights.
func (t *Tensor) Float32() ([]float32, error) {
	order, out := binary.LittleEndian, make([]float32, t.Len())
	switch t.Type {
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(order.Uint32(t.Data[4*i:]))
		}
	case F64:
		for i := range out {
			out[i] = float32(math.Float64frombits(order.Uint64(t.Data[8*i:])))
		}
	case BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(order.Uint16(t.Data[2*i:])) << 16)
		}
	case F16:
		for i := range out {
			out[i] = half(order.Uint16(t.Data[2*i:]))
		}
	default:
		return nil, fmt.Errorf("%q is of type %s: weights must be F32, F64, F16 or BF16", t.Name, t.Type)
	}
	return out, nil
}

// Float64 returns the numbers of a tensor of that type.
func (t *Tensor) Float64() ([]float64, error) {
	if t.Type != F64 {
		return nil, fmt.Errorf("%q is of type %s and must be F64", t.Name, t.Type)
	}
	out := make([]float64, t.Len())
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:]))
	}
	return out, nil
}

// half is a number of IEEE 754's binary16.
func half(b uint16) float32 {
	sign, exponent, fraction := uint32(b>>15)<<31, uint32(b>>10)&31, uint32(b)&1023
	switch exponent {
	case 0: // 0, or a number below the normal ones
		v := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31: // infinite, or none
		return math.Float32frombits(sign | 255<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
