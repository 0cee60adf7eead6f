package history

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

func add(t *testing.T, h *History, line int, code string) {
	t.Helper()
	if err := h.Add(line, code, nil); err != nil {
		t.Fatal(err)
	}
}

// list writes what a request finds in a line.
func list(h *History, req message.HistoryRequest) string {
	var all []string
	for _, e := range h.Answer(&req).History {
		all = append(all, fmt.Sprintf("%d/%d %s", e.Session, e.Line, e.Input))
	}
	return strings.Join(all, ", ")
}

// Cells are there for the next session, and for the one beside.
func TestSessions(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state", "history.jsonl")
	first := New(name)
	add(t, first, 1, "a := 1")
	add(t, first, 2, "b := \"two\nlines\"")
	second, third := New(name), New(name)
	add(t, second, 1, "c")
	add(t, third, 1, "d")
	add(t, second, 2, "a := 1")
	two := 2
	for _, tt := range []struct {
		req  message.HistoryRequest
		want string
	}{
		{message.HistoryRequest{AccessType: "tail"}, "1/1 a := 1, 1/2 b := \"two\nlines\", 3/1 d, 2/1 c, 2/2 a := 1"},
		{message.HistoryRequest{AccessType: "tail", N: &two}, "2/1 c, 2/2 a := 1"},
		{message.HistoryRequest{AccessType: "range"}, "2/1 c, 2/2 a := 1"},
		{message.HistoryRequest{AccessType: "range", Session: 1, Start: 2}, "1/2 b := \"two\nlines\""},
		{message.HistoryRequest{AccessType: "range", Session: -1}, "1/1 a := 1, 1/2 b := \"two\nlines\""},
		{message.HistoryRequest{AccessType: "range", Session: 3}, "3/1 d"},
		{message.HistoryRequest{AccessType: "range", Session: 9}, ""},
		{message.HistoryRequest{AccessType: "search", Pattern: "*two*"}, "1/2 b := \"two\nlines\""},
		{message.HistoryRequest{AccessType: "search", Pattern: "a*"}, "1/1 a := 1, 2/2 a := 1"},
		{message.HistoryRequest{AccessType: "search", Pattern: "a*", Unique: true}, "2/2 a := 1"},
		{message.HistoryRequest{AccessType: "search", Pattern: "?"}, "3/1 d, 2/1 c"},
	} {
		if got := list(second, tt.req); got != tt.want {
			t.Errorf("%+v:\n got %q\nwant %q", tt.req, got, tt.want)
		}
	}
	for file, want := range map[string]os.FileMode{name: 0o600, name + ".lock": 0o600, filepath.Dir(name): 0o700 | os.ModeDir} {
		if info, err := os.Stat(file); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v; want %v", file, info.Mode(), err, want)
		}
	}
}

// Kernels that write at the same time lose no cell, and share no number.
func TestParallel(t *testing.T) {
	name := filepath.Join(t.TempDir(), "history.jsonl")
	const kernels, cells = 8, 50
	var all sync.WaitGroup
	for k := range kernels {
		all.Go(func() {
			h := New(name)
			for i := range cells {
				if err := h.Add(i+1, fmt.Sprintf("cell %d of %d", i, k), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	seen, sessions := map[string]int{}, map[string]int{}
	for _, e := range New(name).Answer(&message.HistoryRequest{AccessType: "tail"}).History {
		seen[e.Input]++
		_, kernel, _ := strings.Cut(e.Input, " of ")
		if n := sessions[kernel]; n != 0 && n != e.Session {
			t.Errorf("kernel %s has the numbers %d and %d", kernel, n, e.Session)
		}
		sessions[kernel] = e.Session
	}
	if len(seen) != kernels*cells || len(sessions) != kernels {
		t.Errorf("%d cells of %d kernels, want %d of %d", len(seen), len(sessions), kernels*cells, kernels)
	}
}

// The file is bounded: its older half goes.
func TestBounded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "history.jsonl")
	text := strings.Repeat("x", 200<<10)
	h := New(name)
	for i := range 40 {
		add(t, h, i+1, fmt.Sprint(i, " ", text))
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxSize+maxEntry || info.Size() < maxSize/2-maxEntry || info.Mode() != 0o600 {
		t.Errorf("the file has %d bytes and mode %v", info.Size(), info.Mode())
	}
	next := New(name)
	entries := next.Answer(&message.HistoryRequest{AccessType: "tail"}).History
	if len(entries) == 0 || entries[len(entries)-1].Line != 40 || entries[0].Line == 1 {
		t.Errorf("%d entries are left", len(entries))
	}
	add(t, next, 1, strings.Repeat("y", maxEntry+1)) // here, but not kept
	if got := len(next.Answer(&message.HistoryRequest{AccessType: "range"}).History); got != 1 {
		t.Errorf("a long cell is there %d times", got)
	}
	if got := New(name).Answer(&message.HistoryRequest{AccessType: "search", Pattern: "y*"}).History; len(got) != 0 {
		t.Error("a long cell was kept")
	}
}

// What a kernel did not write to its end, and what is none of ours, costs no other
// line.
func TestTorn(t *testing.T) {
	name := filepath.Join(t.TempDir(), "history.jsonl")
	if err := os.WriteFile(name, []byte("{\"session\":4,\"line\":1,\"input\":\"a\"}\n\xff\n[]\n{\"session\":4,\"li"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := New(name)
	add(t, h, 1, "b")
	if got := list(New(name), message.HistoryRequest{AccessType: "tail"}); got != "4/1 a, 5/1 b" {
		t.Errorf("%q", got)
	}
}

// Where there is no file the cells are there all the same, and the error is told
// once.
func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h := New(filepath.Join(dir, "file", "history.jsonl"))
	if err := h.Add(1, "a", nil); err == nil || !strings.Contains(err.Error(), "history: ") {
		t.Errorf("%v", err)
	}
	add(t, h, 2, "b")
	if got := list(h, message.HistoryRequest{AccessType: "tail"}); got != "1/1 a, 1/2 b" {
		t.Errorf("%q", got)
	}
}

// FuzzFile takes arbitrary bytes as the file of another kernel. They are kept, what is
// in them is found or left out, and a session goes on after them.
func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"session":1}` + "\n" + `{"session":1,"line":1,"input":"a := 1","output":"1"}` + "\n"))
	f.Add([]byte(`{"session":7,"line":2,"input":"cut o`))
	f.Add([]byte("\n\x00\xff\n[]\nnull\n{}"))
	f.Add([]byte(`{"session":9223372036854775807}` + "\n" + `{"session":-1,"line":-1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "history.jsonl")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		h := New(name)
		add(t, h, 1, "x := 1")
		add(t, h, 2, "x")
		n := 2
		if got := h.Answer(&message.HistoryRequest{AccessType: "tail", N: &n}).History; len(got) != n || got[0].Input != "x := 1" || got[1].Input != "x" || got[0].Session != got[1].Session || got[0].Session < 1 {
			t.Errorf("after %q: %+v", data, got)
		}
		for _, access := range []string{"range", "search", "tail"} {
			h.Answer(&message.HistoryRequest{AccessType: access, Session: -1, Pattern: "*[a*", Output: true, Unique: true})
		}
		after, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(after), string(data)) {
			t.Errorf("%q became %q, %v", data, after, err)
		}
	})
}
