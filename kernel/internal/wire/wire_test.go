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

// FuzzReader reads arbitrary bytes as frames of either kind. What is read can be
// written, and is read again as it was.
func FuzzReader(f *testing.F) {
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, frame := range []any{
		Request{Kind: Load, ID: 1, Library: Library{File: "/tmp/a b.so", Itabs: []uint64{8, 1 << 40}, Entry: "main.cellʹ1"}},
		Request{Kind: Configure, Settings: &Settings{Dir: "/", Env: map[string]string{"A": "b"}, Args: []string{"-x"}}},
		Request{Kind: Debug, Debug: &DebugCommand{Name: "evaluate", Arguments: []byte(`{"expr":{"op":"int","text":"1"}}`)}},
		Event{Kind: Done, ID: 2, Outcome: &Outcome{Status: Panicked, Frames: []Frame{{Function: "f", File: "a.go", Line: 3}}}},
		Event{Kind: Result, Bundles: []Bundle{{Data: map[string]any{"text/plain": "x"}, Meta: map[string]any{"a": 1}}}},
		Event{Kind: Display, Stream: []byte{0, 1, 2}},
	} {
		if err := w.Write(frame); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b.Bytes())
	for line := range bytes.Lines(b.Bytes()) {
		f.Add(line)
	}
	f.Add([]byte("null\n{}\n[]\n"))
	f.Add([]byte(`{"kind":"done","id":1e3}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		readAgain[Request](t, data)
		readAgain[Event](t, data)
	})
}

func readAgain[F any](t *testing.T, data []byte) {
	for r := NewReader(bytes.NewReader(data)); ; {
		frame, again := new(F), new(F)
		if err := r.Read(frame); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			continue
		}
		var once, twice bytes.Buffer
		if err := NewWriter(&once).Write(frame); err != nil {
			t.Fatalf("%+v cannot be written: %v", frame, err)
		}
		text := once.String()
		if err := NewReader(&once).Read(again); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if err := NewWriter(&twice).Write(again); err != nil || twice.String() != text {
			t.Fatalf("%s comes back as %s, %v", text, twice.String(), err)
		}
	}
}
