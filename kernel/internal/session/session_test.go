package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

var update = flag.Bool("update", false, "write what the session shows into testdata")

// recorder is a cell's output as text, a line for each output.
type recorder struct {
	mu     sync.Mutex
	stdout strings.Builder // of all cells
	out    strings.Builder // of this cell
	stream string          // the one that out ends with
}

func (r *recorder) write(kind, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stream != kind && r.stream != "" && !strings.HasSuffix(r.out.String(), "\n") {
		r.out.WriteByte('\n')
	}
	if r.stream != kind || kind == "" {
		fmt.Fprintf(&r.out, "%s: ", kind)
	}
	r.out.WriteString(text)
	r.stream = kind
}

func (r *recorder) Stream(name, text string) {
	r.write(name, text)
	if name == "stdout" {
		r.stdout.WriteString(text)
	}
}

func bundle(data message.MIMEBundle) string {
	var parts []string
	for mime, v := range data {
		text := fmt.Sprint(v)
		if strings.HasPrefix(mime, "image/") {
			text = fmt.Sprintf("%d bytes", len(text))
		}
		if summary, _, ok := strings.Cut(text, "</summary>"); ok {
			text = summary + " …" // TestDetails has the rest
		}
		parts = append(parts, mime+" "+text)
	}
	slices.Sort(parts)
	return strings.Join(parts, " | ") + "\n"
}

func (r *recorder) Display(d message.DisplayData) {
	r.write("display"+mark(d.Transient.DisplayID), bundle(d.Data))
	r.stream = ""
}

func (r *recorder) Update(d message.DisplayData) {
	r.write("update"+mark(d.Transient.DisplayID), bundle(d.Data))
	r.stream = ""
}

func mark(id string) string {
	if id == "" {
		return ""
	}
	return " " + id
}

func (r *recorder) Result(data message.MIMEBundle, _ map[string]any) {
	r.write("result", bundle(data))
	r.stream = ""
}

func (r *recorder) Clear(bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.Reset()
	r.stream = ""
}

func (r *recorder) Flush() {}

func (r *recorder) Comm(m message.Comm) {
	r.write(m.Type, fmt.Sprintf("%s %s %v\n", m.ID, m.TargetName, m.Data))
	r.stream = ""
}

func (r *recorder) Input(prompt string, _ bool) (string, error) { return "answer to " + prompt, nil }

func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := goroutine.ReplaceAllString(r.out.String(), "goroutine N")
	text = address.ReplaceAllString(text, "${1}0xN")
	r.out.Reset()
	r.stream = ""
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

var (
	goroutine = regexp.MustCompile(`goroutine [0-9]+`)
	address   = regexp.MustCompile(`(\+|#\t)0x[0-9a-f]+`)
)

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

func newTestSession(t testing.TB) *Session {
	t.Helper()
	return newSessionWith(t, Config{})
}

func newSessionWith(t testing.TB, config Config) *Session {
	t.Helper()
	var err error
	if config.Sources, err = FindSources(os.Args[0], "."); err != nil {
		t.Fatal(err)
	}
	config.Dir, config.Progress = t.TempDir(), func(string) {}
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	s.memory.kills = func() (int64, bool) { return 0, false } // as where the system does not tell
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// A case is a txtar file whose files named "cell" are executed in order, each
// followed by what it shows, "out". A file "program.go" is the ordinary program
// that means the same: go run must print what the cells print to stdout. Files of
// other names are written to the notebook's directory when their turn comes, those
// in the folder notebook to the session's module, whose path that is.
//
// Those in testdata/both show the same where each cell has a process of its own.
func TestCells(t *testing.T) {
	testCases(t, Config{}, "testdata/*.txtar", "testdata/language/*.txtar", "testdata/redefine/*.txtar", "testdata/both/*.txtar")
}

func testCases(t *testing.T, config Config, patterns ...string) {
	var files []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal("no cases", pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		name, _ := strings.CutPrefix(strings.TrimSuffix(file, ".txtar"), "testdata/")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testCase(t, newSessionWith(t, config), file)
		})
	}
}

func testCase(t *testing.T, s *Session, file string) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := &txtar.Archive{Comment: a.Comment}
	rec := &recorder{}
	count := 0
	for _, f := range a.Files {
		switch f.Name {
		case "program.go":
			got.Files = append(got.Files, f)
			judge(t, f.Data, rec.stdout.String())
		case "cell":
			count++
			got.Files = append(got.Files, f)
			reply := s.Execute(context.Background(), count, &message.ExecuteRequest{Code: strings.TrimSuffix(string(f.Data), "\n")}, rec)
			text := rec.take() + pages(reply)
			if reply.Status == "error" {
				text += "error " + reply.ErrorName + ": " + colour.ReplaceAllString(strings.Join(reply.Traceback, "\n"), "") + "\n"
			}
			got.Files = append(got.Files, txtar.File{Name: "out", Data: []byte(steady(text, s.config.Dir))})
		case "out":
		default:
			got.Files = append(got.Files, f)
			name := filepath.Join(s.config.Dir, filepath.FromSlash(f.Name))
			if of, ok := strings.CutPrefix(f.Name, "notebook/"); ok {
				name = filepath.Join(s.dir, filepath.FromSlash(of))
			}
			writeFile(t, name, f.Data)
		}
	}
	compare(t, file, got)
}

// pages are what a reply shows in the client's pager, and the next cell.
func pages(reply message.ExecuteReply) string {
	var all strings.Builder
	for _, page := range reply.Payload {
		if page.Source == "page" {
			fmt.Fprintf(&all, "page: %v\n", page.Data["text/plain"])
		} else {
			fmt.Fprintf(&all, "%s: %q, replace %v\n", page.Source, page.Text, page.Replace)
		}
	}
	return all.String()
}

// TestWaitForStart tells a cell that is executed while the session starts what it waits
// for, though that has begun before.
func TestWaitForStart(t *testing.T) {
	s, rec := &Session{started: make(chan struct{})}, &recorder{}
	s.progress("compiling everything")
	s.outlet.begin(rec)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	s.ctx, s.cancel = ctx, cancel
	done := make(chan error)
	go func() { done <- s.waitForStart(ctx) }()
	for deadline := time.Now().Add(time.Minute); !s.noted.Load() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	close(s.started)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := rec.take(); got != "stderr: compiling everything …\n" {
		t.Errorf("the cell shows %q", got)
	}
}

// TestSpaces has spaces in the paths of the cache, the session and the notebook.
func TestSpaces(t *testing.T) {
	tmp := filepath.Join(t.TempDir(), "temporary files")
	if err := os.Mkdir(tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", tmp)
	for _, alone := range []bool{false, true} {
		config := Config{Alone: alone, CacheDir: filepath.Join(tmp, "the cache")}
		testCase(t, newSessionWith(t, config), "testdata/both/foreign.txtar")
	}
}

// steady replaces what differs from run to run.
func steady(text, dir string) string {
	text = strings.ReplaceAll(text, dir, "DIR")
	text = measured.ReplaceAllString(text, "wall W, CPU C, B in N allocations")
	text = duration.ReplaceAllString(text, "(T)")
	text = processor.ReplaceAllString(text, "cpu: CPU")
	text = frames.ReplaceAllString(text, "… N more")
	return benchmark.ReplaceAllString(text, "$1-P N T ns/op")
}

var (
	measured  = regexp.MustCompile(`wall \S+, CPU \S+, \S+ \S+ in \d+ allocations`)
	processor = regexp.MustCompile(`cpu: .*`)
	frames    = regexp.MustCompile(`… \d{5} more`) // as many as the stack takes
	duration  = regexp.MustCompile(`\(\d+\.\d\ds\)`)
	benchmark = regexp.MustCompile(`(Benchmark\w+)-\d+\s+\d+\s+\S+ ns/op`)
)

func compare(t *testing.T, file string, got *txtar.Archive) {
	t.Helper()
	text := txtar.Format(got)
	if *update {
		if err := os.WriteFile(file, text, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != string(want) {
		t.Errorf("%s: want\n%s\ngot\n%s", file, want, text)
	}
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// judge compares what cells print with what an ordinary program prints.
func judge(t *testing.T, source []byte, got string) {
	t.Helper()
	if want := ordinary(t, source); got != want {
		t.Errorf("the cells print\n%s\nthe ordinary program\n%s", got, want)
	}
}

// ordinary returns what a program prints. It is run once for its text and Go's
// version; the output is kept with the libraries of cells.
func ordinary(t *testing.T, source []byte) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(append([]byte(runtime.Version()+"\n"), source...))
	kept := filepath.Join(cache, "nnkit", "judge", hex.EncodeToString(sum[:]))
	if out, err := os.ReadFile(kept); err == nil {
		return string(out)
	}
	name := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(name, source, 0o666); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd := exec.Command("go", "run", name)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the ordinary program: %v\n%s", err, stderr.String())
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(kept), 0o777), os.WriteFile(kept+".part", out, 0o666), os.Rename(kept+".part", kept)); err != nil {
		t.Fatal(err)
	}
	return string(out)
}
