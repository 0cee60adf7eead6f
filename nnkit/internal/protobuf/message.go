// Package protobuf writes messages of Protocol Buffers, field by field, for the few formats of others that are made of
// them (https://protobuf.dev/programming-guides/encoding). It knows no schemas and reads nothing.
package protobuf

import (
	"encoding/binary"
	"math"
)

// Message is a message: fields one after another, each begun by its number and its form.
type Message []byte

func (m *Message) key(field, form int) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|uint64(form))
}

// Int adds an integer of any of the types that are not fixed.
func (m *Message) Int(field, v int) {
	m.key(field, 0)
	*m = binary.AppendUvarint(*m, uint64(int64(v)))
}

// Float adds a float.
func (m *Message) Float(field int, v float32) {
	m.key(field, 5)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(v))
}

// Double adds a double.
func (m *Message) Double(field int, v float64) {
	m.key(field, 1)
	*m = binary.LittleEndian.AppendUint64(*m, math.Float64bits(v))
}

// Doubles adds repeated doubles, packed.
func (m *Message) Doubles(field int, list []float64) {
	var b []byte
	for _, v := range list {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	m.Bytes(field, b)
}

// Bytes adds a text, bytes, or whatever has a length.
func (m *Message) Bytes(field int, b []byte) {
	m.key(field, 2)
	*m = append(binary.AppendUvarint(*m, uint64(len(b))), b...)
}

// Message adds a message within the message.
func (m *Message) Message(field int, of Message) { m.Bytes(field, of) }

// Text returns a message that begins with a text.
func Text(field int, s string) (m Message) {
	m.Bytes(field, []byte(s))
	return m
}
