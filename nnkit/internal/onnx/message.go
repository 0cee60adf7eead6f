package onnx

import (
	"encoding/binary"
	"math"
)

// message is a message of Protocol Buffers: fields one after another, each begun by its number and its form.
type message []byte

func (m *message) key(field, form int) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|uint64(form))
}

func (m *message) int(field, v int) {
	m.key(field, 0)
	*m = binary.AppendUvarint(*m, uint64(int64(v)))
}

func (m *message) float(field int, v float32) {
	m.key(field, 5)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(v))
}

func (m *message) bytes(field int, b []byte) {
	m.key(field, 2)
	*m = append(binary.AppendUvarint(*m, uint64(len(b))), b...)
}

func (m *message) message(field int, of message) { m.bytes(field, of) }

// text is a message that begins with a text.
func text(field int, s string) (m message) {
	m.bytes(field, []byte(s))
	return m
}
