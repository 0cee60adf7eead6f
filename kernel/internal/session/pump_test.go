package session

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
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

// silentPump is a pump whose program prints nothing and reads its answers.
func silentPump(t testing.TB, output message.Output) *pump {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	go io.Copy(io.Discard, r)
	p := &pump{output: output, front: newFront(output, ""), ask: func(question) {}, encoder: newAnswerEncoder(w)}
	p.shown, p.listens, p.comms, p.targets = map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	return p
}

// FuzzDisplay takes arbitrary bytes as what a program writes into the display pipe, in
// pieces of any length. A message after them is shown, when the program has opened the
// pipe again.
func FuzzDisplay(f *testing.F) {
	values := []protocol.DisplayData{
		{Data: map[protocol.MIMEType]any{protocol.MIMETextHTML: "<b>1</b>"}},
		{Data: map[protocol.MIMEType]any{protocol.MIMEImagePNG: []byte("png")}, DisplayID: "id"},
		{Data: map[protocol.MIMEType]any{protocol.MIMECommValue: protocol.CommValue{Address: protocol.GonbuiSyncAddress, Value: 3}}},
		{Data: map[protocol.MIMEType]any{protocol.MIMECommSubscribe: protocol.CommSubscription{Address: "#a"}}},
		{Data: map[protocol.MIMEType]any{programMessage: []byte(`{"msg_type":"comm_open","comm_id":"c","target_name":"t"}`)}},
	}
	var all bytes.Buffer
	e := gob.NewEncoder(&all)
	for _, v := range values {
		var one bytes.Buffer
		if err := errors.Join(e.Encode(v), gob.NewEncoder(&one).Encode(v)); err != nil {
			f.Fatal(err)
		}
		f.Add(one.Bytes(), uint8(3))
	}
	f.Add(all.Bytes(), uint8(0))
	f.Add([]byte("\xf8\x7f\xff\xff\xff\xff\xff\xff\xff"), uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		log := &workerLog{}
		p := silentPump(t, log)
		defer p.close()
		for piece := range slices.Chunk(stream, int(size)+1) {
			p.mu.Lock()
			p.feed(piece)
			p.mu.Unlock()
		}
		p.mu.Lock()
		p.piped.close()
		p.queue = nil // what waits for a page that is not there
		p.feed(all.Bytes())
		p.mu.Unlock()
		if got := log.take(); !strings.Contains(got, "<b>1</b>") {
			t.Errorf("after %q: %q", stream, got)
		}
	})
}

// A map of a damaged length does not take the memory for it.
func TestDisplayDecoderDamagedMap(t *testing.T) {
	for name, value := range map[string]any{
		"map[string]int": map[string]int{"a": 1}, "map[string]float64": map[string]float64{"a": 1}, "map[string]string": map[string]string{"a": "b"},
	} {
		var sent bytes.Buffer
		v := protocol.DisplayData{Data: map[protocol.MIMEType]any{protocol.MIMECommValue: protocol.CommValue{Address: "#a", Value: value}}}
		if err := gob.NewEncoder(&sent).Encode(v); err != nil {
			t.Fatal(err)
		}
		if got, err := new(displayDecoder).feed(sent.Bytes()); err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], v) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		at := bytes.LastIndex(sent.Bytes(), []byte("\x01\x01a"))
		if at < 0 {
			t.Fatalf("%s: %q has no map of one element", name, sent.Bytes())
		}
		sent.Bytes()[at] = 0x7f
		if got, err := new(displayDecoder).feed(sent.Bytes()); len(got) != 0 || err == nil || !strings.Contains(err.Error(), "127 elements") {
			t.Errorf("%s, damaged: %v, %v", name, got, err)
		}
	}
}

// FuzzProgramMessage takes arbitrary texts as messages of package display/jupyter.
func FuzzProgramMessage(f *testing.F) {
	for _, text := range []string{
		`{"msg_type":"comm_open","comm_id":"c","target_name":"t","data":{"a":1},"buffers":["AAE="]}`, `{"msg_type":"comm_close","comm_id":"c"}`,
		`{"msg_type":"register_target","target_name":"t"}`, `{"msg_type":"clear_output","wait":true}`, `{"msg_type":"page","data":{"text/plain":"x"}}`,
		`{"msg_type":"display_data","data":{"text/html":"x"},"transient":{"display_id":"d"}}`, `{"msg_type":"update_display_data","plain":true}`,
		`{"msg_type":"set_next_input","text":"x","replace":true}`, `{"msg_type":"no"}`, `[]`, ``, `{"msg_type":1}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		log := &workerLog{}
		p := silentPump(t, log)
		defer p.close()
		p.mu.Lock()
		p.message(text)
		p.mu.Unlock()
		for _, payload := range p.front.takePayloads() {
			if _, err := json.Marshal(payload); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
