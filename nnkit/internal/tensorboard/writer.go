package tensorboard

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/seed5607215b/nnkit/nnkit/internal/protobuf"
)

// Writer writes one event file.
type Writer struct {
	to    io.WriteCloser
	clock func() time.Time
}

// Create makes a new event file in a folder, which is made too. TensorBoard takes each folder for a run and reads all of
// its files.
func Create(dir string) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	for n := 0; ; n++ {
		name := filepath.Join(dir, fmt.Sprintf("events.out.tfevents.%010d.%s.%d.%d", time.Now().Unix(), host, os.Getpid(), n))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if os.IsExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		w, err := newWriter(f, time.Now)
		if err != nil {
			f.Close()
			return nil, err
		}
		return w, nil
	}
}

func newWriter(to io.WriteCloser, clock func() time.Time) (*Writer, error) {
	w := &Writer{to, clock}
	first := w.event(0)
	first.Bytes(3, []byte("brain.Event:2")) // file_version
	return w, w.record(first)
}

// Close ends the file.
func (w *Writer) Close() error { return w.to.Close() }

// event begins an event of a step.
func (w *Writer) event(step int) (m protobuf.Message) {
	m.Double(1, float64(w.clock().UnixMicro())/1e6) // wall_time
	m.Int(2, step)
	return m
}

// record writes an event as a record.
func (w *Writer) record(data []byte) error {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b := binary.LittleEndian.AppendUint32(length, masked(length))
	b = append(b, data...)
	_, err := w.to.Write(binary.LittleEndian.AppendUint32(b, masked(data)))
	return err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum, mixed since one of data that holds checksums would be weak.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// A Value is a number or a histogram under a tag.
type Value struct{ message protobuf.Message }

// Scalar is a number.
func Scalar(tag string, v float64) Value {
	m := protobuf.Text(1, tag)
	m.Float(2, float32(v)) // simple_value
	return Value{m}
}

// buckets is how many a histogram has, as many as TensorBoard shows.
const buckets = 30

// Histogram tells how values are distributed. Those that are no numbers are left out.
func Histogram(tag string, values []float32) Value {
	low, high := math.Inf(1), math.Inf(-1)
	var n, sum, squares float64
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	for _, v := range values {
		if v := float64(v); finite(v) {
			low, high = min(low, v), max(high, v)
			n++
			sum += v
			squares += float64(v * v)
		}
	}
	if n == 0 {
		low, high = 0, 0
	}
	var limits, counts [buckets]float64
	width := (high - low) / buckets
	for i := range limits {
		limits[i] = low + float64(width*float64(i+1))
	}
	if width == 0 { // all the same: one bucket, with room at both sides
		for i := range limits {
			limits[i] = low + (float64(i)-buckets/2+0.5)*max(1e-3*math.Abs(low), 1e-9)
		}
		counts[buckets/2] = n
	} else {
		limits[buckets-1] = high
		for _, v := range values {
			if v := float64(v); finite(v) {
				counts[min(int((v-low)/width), buckets-1)]++
			}
		}
	}
	var h protobuf.Message
	h.Double(1, low)
	h.Double(2, high)
	h.Double(3, n)
	h.Double(4, sum)
	h.Double(5, squares)
	h.Doubles(6, limits[:])
	h.Doubles(7, counts[:])
	m := protobuf.Text(1, tag)
	m.Message(5, h) // histo
	return Value{m}
}

// Write writes the values of a step.
func (w *Writer) Write(step int, values ...Value) error {
	var summary protobuf.Message
	for _, v := range values {
		summary.Message(1, v.message)
	}
	m := w.event(step)
	m.Message(5, summary)
	return w.record(m)
}
