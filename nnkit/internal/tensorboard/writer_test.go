package tensorboard

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"
)

type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

// written writes a small event file at a known time.
func written(t *testing.T) []byte {
	t.Helper()
	var b buffer
	w, err := newWriter(&b, func() time.Time { return time.Unix(1700000000, 500e6) })
	if err != nil {
		t.Fatal(err)
	}
	for step := range 2 {
		values := []Value{Scalar("epoch_loss", 0.5/float64(step+1)), Histogram("dense_1/kernel/histogram", []float32{-1, 0, 0.25, 2, float32(math.NaN())})}
		if err := w.Write(step, values...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// records takes a file apart by the format's description, with a checksum computed bit by bit.
func records(t *testing.T, data []byte) [][]byte {
	t.Helper()
	var list [][]byte
	check := func(b []byte, want uint32) {
		t.Helper()
		c := ^uint32(0)
		for _, v := range b {
			c ^= uint32(v)
			for range 8 {
				c = c>>1 ^ 0x82f63b78*(c&1)
			}
		}
		c = ^c
		if got := (c>>15 | c<<17) + 0xa282ead8; got != want {
			t.Fatalf("record %d has the checksum %08x, want %08x", len(list)+1, want, got)
		}
	}
	for len(data) > 0 {
		if len(data) < 16 {
			t.Fatalf("%d bytes are left over", len(data))
		}
		n := int(binary.LittleEndian.Uint64(data))
		check(data[:8], binary.LittleEndian.Uint32(data[8:]))
		check(data[12:12+n], binary.LittleEndian.Uint32(data[12+n:]))
		list = append(list, data[12:12+n])
		data = data[16+n:]
	}
	return list
}

func TestRecords(t *testing.T) {
	// The examples of RFC 3720, B.4, masked.
	for text, want := range map[string]uint32{string(make([]byte, 32)): 0x8a9136aa, "123456789": 0xe3069283} {
		if got := masked([]byte(text)); got != (want>>15|want<<17)+0xa282ead8 {
			t.Errorf("%q has the checksum %08x", text, got)
		}
	}
	list := records(t, written(t))
	if len(list) != 3 || !bytes.Contains(list[0], []byte("brain.Event:2")) || !bytes.Contains(list[2], []byte("epoch_loss")) {
		t.Errorf("the records are %q", list)
	}
}
