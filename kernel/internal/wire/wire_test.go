package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestFrames(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	requests := []Request{
		{Kind: Load, ID: 1, Library: Library{File: "/tmp/a b.so", Itabs: []uint64{8, 1 << 40}, Entry: "main.cellʹ1.abiinternal"}},
		{Kind: Run, ID: 2, Cell: 12, Entry: "x"},
		{Kind: Interrupt, ID: 2},
	}
	for _, r := range requests {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(b.String(), "\n"); n != len(requests) {
		t.Errorf("%d lines for %d frames", n, len(requests))
	}
	b.WriteString(`{"kind":"cut o`)
	r := NewReader(&b)
	for _, want := range requests {
		var got Request
		if err := r.Read(&got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Read = %+v, %v, want %+v", got, err, want)
		}
	}
	if err := r.Read(new(Request)); !errors.Is(err, io.EOF) {
		t.Errorf("Read at the end: %v, want EOF", err)
	}
	if err := NewReader(strings.NewReader("no frame\n")).Read(new(Event)); err == nil || !strings.Contains(err.Error(), "no frame") {
		t.Errorf("Read of what is no frame: %v", err)
	}
	if err := w.Write(Event{Kind: Result, Bundles: []Bundle{{Data: map[string]any{"x": func() {}}}}}); err == nil {
		t.Error("no error for a frame that cannot be written")
	}
}
