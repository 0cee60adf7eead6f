package session

import (
	"bytes"
	"encoding/gob"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// displayMessages is a display stream and what it says.
func displayMessages(t *testing.T) ([]byte, []protocol.DisplayData) {
	t.Helper()
	values := []protocol.DisplayData{
		{Data: map[protocol.MIMEType]any{protocol.MIMETextHTML: "<b>1</b>"}},
		{Data: map[protocol.MIMEType]any{protocol.MIMEImagePNG: bytes.Repeat([]byte("png"), 100_000)}, DisplayID: "id"},
		{Data: map[protocol.MIMEType]any{protocol.MIMECommValue: protocol.CommValue{Address: protocol.GonbuiSyncAddress, Value: 3}}},
	}
	var b bytes.Buffer
	e := gob.NewEncoder(&b)
	for _, v := range values {
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes(), values
}

func TestDisplayDecoder(t *testing.T) {
	stream, want := displayMessages(t)
	for _, size := range []int{1, 7, 4096, len(stream)} {
		var d displayDecoder
		var got []protocol.DisplayData
		for rest := stream; len(rest) > 0; {
			n := min(size, len(rest))
			values, err := d.feed(rest[:n])
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, values...)
			rest = rest[n:]
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("in pieces of %d bytes: %d values, want %d", size, len(got), len(want))
		}
		d.close()
	}
	var d displayDecoder
	if _, err := d.feed([]byte("\x05nonsense and more of it")); err == nil {
		t.Error("no error for what is not a message")
	}
	if got, err := d.feed(stream); err != nil || len(got) != len(want) {
		t.Errorf("after an error: %d values, %v", len(got), err)
	}
	d.close()
}

// TestPump is a program that prints, and displays by the pipes alone.
func TestPump(t *testing.T) {
	dir := t.TempDir()
	log := &workerLog{}
	p := &pump{output: log, front: newFront(log, "")}
	var ends []*os.File
	for _, f := range []**os.File{&p.stdout, &p.stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		*f, ends = r, append(ends, w)
		defer w.Close()
	}
	var err error
	if p.display, err = openFIFO(filepath.Join(dir, "display")); err != nil {
		t.Fatal(err)
	}
	if p.answers, err = openFIFO(filepath.Join(dir, "answers")); err != nil {
		t.Fatal(err)
	}
	p.start()
	program, err := os.OpenFile(filepath.Join(dir, "display"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()

	ends[0].WriteString("printed\n")
	stream, _ := displayMessages(t)
	if _, err := program.Write(stream); err != nil {
		t.Fatal(err)
	}
	answers, err := os.OpenFile(filepath.Join(dir, "answers"), os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	var answer protocol.CommValue
	answers.SetReadDeadline(time.Now().Add(5 * time.Second))
	if err := gob.NewDecoder(answers).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if want := (protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: 3}); answer != want {
		t.Errorf("answer %+v, want %+v", answer, want)
	}
	got := log.take()
	if want := "printed\ndisplay text/html: <b>1</b>\ndisplayid image/png: cG5n"; len(got) < 400_000 || got[:len(want)] != want {
		t.Errorf("got %.200q, want %q…", got, want)
	}

	// Output waits for more of it, but not when it is asked for.
	ends[0].WriteString("a")
	p.drain(nil)
	ends[0].WriteString("b\xc3")
	ends[1].WriteString("c")
	p.drain(func() { log.printf("then") })
	if got, want := log.take(), "ab\xc3stderr \"c\"\nthen"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.close()
}

func TestWholeCharacters(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
	}{
		{"", 0}, {"a", 1}, {"ä", 2}, {"a\xc3", 1}, {"→", 3}, {"a\xe2\x86", 1}, {"\xff", 1}, {"\x80\x80\x80\x80", 4}, {"😀", 4}, {"😀\xf0\x9f\x98", 4},
	} {
		if got := wholeCharacters([]byte(tt.text)); got != tt.want {
			t.Errorf("wholeCharacters(%q) = %d, want %d", tt.text, got, tt.want)
		}
	}
}
