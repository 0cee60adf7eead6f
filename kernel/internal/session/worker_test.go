package session

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// workshop builds cells for the tests of this file, whose texts are complete
// packages but for the clause: what package program makes is not tested here.
type workshop struct {
	t       *testing.T
	builder *build.Builder
	dir     string // of the session's module
	cells   int
}

// cLibrary is a package with C code of its own in the session's module.
const cLibrary = `package clib

/*
#include <stdio.h>
static void say(int n) { printf("C says %d\n", n); }
static void spin(void) { for (volatile int i = 0;; i++) ; }
*/
import "C"

func Say(n int) { C.say(C.int(n)) }

func Spin() { C.spin() }
`

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	if testing.Short() {
		t.Skip("builds cells")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	s := &workshop{t: t, dir: t.TempDir()}
	if err := writeModule(s.dir, root, nil); err != nil {
		t.Fatal(err)
	}
	for _, pkg := range []struct{ name, text string }{{"clib", cLibrary}, {"local", "package local\n\nconst N = 1\n"}} {
		if err := os.Mkdir(filepath.Join(s.dir, pkg.name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.dir, pkg.name, pkg.name+".go"), []byte(pkg.text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	s.builder, err = build.New(build.Config{Dir: s.dir, CacheDir: filepath.Join(cache, "nnkit"), Progress: func(what string) { t.Log(what) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.builder.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// workerLog is an Output that writes down what it gets.
type workerLog struct {
	mu    sync.Mutex
	text  strings.Builder
	calls int
	input func(prompt string, password bool) (string, error)
}

func (l *workerLog) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	fmt.Fprintf(&l.text, format, args...)
}

// take returns what has been written since the last time.
func (l *workerLog) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

func (l *workerLog) Stream(name, text string) {
	if name == "stdout" {
		l.printf("%s", text)
	} else {
		l.printf("%s %q\n", name, text)
	}
}

func (l *workerLog) bundle(kind string, data map[string]any, id string) {
	for _, mime := range slices.Sorted(maps.Keys(data)) {
		l.printf("%s%s %s: %v\n", kind, id, mime, data[mime])
	}
}

func (l *workerLog) Display(d message.DisplayData) {
	l.bundle("display", d.Data, d.Transient.DisplayID)
}

func (l *workerLog) Update(d message.DisplayData) { l.bundle("update", d.Data, d.Transient.DisplayID) }

func (l *workerLog) Result(d message.MIMEBundle, _ map[string]any) {
	l.bundle("result", d, "")
}
func (l *workerLog) Clear(bool)        {}
func (l *workerLog) Flush()            {}
func (l *workerLog) Comm(message.Comm) {}

func (l *workerLog) Input(prompt string, password bool) (string, error) {
	if l.input == nil {
		return "", errors.New("nobody is there")
	}
	return l.input(prompt, password)
}

// start starts a worker that has loaded what was imported so far.
func (s *workshop) start(env ...string) (*Worker, *workerLog) {
	s.t.Helper()
	ctx := s.t.Context()
	path, err := s.builder.Worker(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	log := &workerLog{}
	w, err := StartWorker(ctx, WorkerConfig{Path: path, Dir: s.dir, Env: env, Output: log})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(w.Kill)
	for _, lib := range s.builder.Libraries() {
		if err := w.Load(ctx, lib); err != nil {
			s.t.Fatal(err)
		}
	}
	return w, log
}

// built is a cell with the libraries that have to be loaded before it.
type built struct {
	number int
	libs   []build.Library
	cell   build.Library
}

// build builds a cell whose text has CELL for the entry function's name.
func (s *workshop) build(text string) (built, error) {
	s.t.Helper()
	ctx := s.t.Context()
	s.cells++
	c := built{number: s.cells}
	entry := fmt.Sprintf("cellʹ%d", s.cells)
	text = "package main\n" + strings.ReplaceAll(text, "CELL", entry)
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	if err != nil {
		return c, err
	}
	var imports []string
	for _, i := range f.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return c, err
		}
		imports = append(imports, path)
	}
	if c.libs, err = s.builder.Imports(ctx, imports); err != nil {
		return c, err
	}
	if c.cell, err = s.builder.Cell(ctx, text, entry); err != nil {
		return c, err
	}
	// The builder keeps the newest ones only.
	kept := filepath.Join(s.t.TempDir(), entry+".so")
	if err := os.Link(c.cell.File, kept); err != nil {
		if err := copyFile(kept, c.cell.File); err != nil {
			return c, err
		}
	}
	c.cell.File = kept
	return c, nil
}

func copyFile(to, from string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o777)
}

// load loads a cell and what it needs.
func (c built) load(ctx context.Context, w *Worker) error {
	for _, lib := range append(slices.Clip(c.libs), c.cell) {
		if err := w.Load(ctx, lib); err != nil {
			return err
		}
	}
	return nil
}

// run loads and runs a cell and returns its output and how it has ended, as a
// text.
func (s *workshop) run(w *Worker, log *workerLog, c built) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	if err := c.load(ctx, w); err != nil {
		return err.Error() + "\n"
	}
	outcome, err := w.Run(ctx, c.number, c.cell.Entry)
	text := log.take() + ending(outcome, err)
	text = strings.ReplaceAll(text, fmt.Sprintf("cellʹ%d", c.number), "CELL")
	return strings.ReplaceAll(text, fmt.Sprintf("Cell [%d]", c.number), "Cell [N]")
}

// ending describes how a run has ended; nothing if it went well.
func ending(o wire.Outcome, err error) string {
	if err != nil {
		return err.Error() + "\n"
	}
	if o.Status == wire.OK {
		return ""
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s: %s", o.Status, o.Name, o.Value)
	if o.Line != 0 {
		fmt.Fprintf(&s, " (cell %d, line %d)", o.Cell, o.Line)
	}
	s.WriteString("\n")
	for _, f := range o.Frames {
		at := fmt.Sprintf("%s:%d", f.File, f.Line)
		if goroot, rest, ok := strings.Cut(f.File, "/src/"); ok && filepath.IsAbs(goroot) {
			at = "$GOROOT/src/" + rest
		}
		fmt.Fprintf(&s, "\t%s %s\n", f.Function, at)
	}
	return s.String()
}

// TestWorkerCells runs the cells of testdata/worker, all in one worker, one file
// after the other: their names must not collide. Then all again in a worker whose
// collector runs as often as it can, checks itself and destroys what it frees.
func TestWorkerCells(t *testing.T) {
	s := newWorkshop(t)
	files, err := filepath.Glob("testdata/worker/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cells: %v", err)
	}
	type step struct {
		name, text, want string
		built            built
	}
	var steps []*step
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".out") {
				steps[len(steps)-1].want = string(f.Data)
			} else {
				steps = append(steps, &step{name: strings.TrimSuffix(filepath.Base(file), ".txtar") + "/" + f.Name, text: string(f.Data)})
			}
		}
	}
	w, log := s.start()
	for _, st := range steps {
		t.Run(st.name, func(t *testing.T) {
			if st.built, err = s.build(st.text); err != nil {
				t.Fatal(err)
			}
			if got := s.run(w, log, st.built); got != st.want {
				t.Errorf("got:\n%swant:\n%s", got, st.want)
			}
		})
	}
	t.Run("collector", func(t *testing.T) {
		path, err := s.builder.Worker(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		log := &workerLog{}
		w, err := StartWorker(t.Context(), WorkerConfig{
			Path: path, Dir: s.dir, Output: log,
			Env: []string{"GOGC=1", "GODEBUG=gccheckmark=1,clobberfree=1"},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Kill()
		for _, st := range steps {
			if st.built.cell.File == "" {
				continue
			}
			if got := s.run(w, log, st.built); got != st.want {
				t.Errorf("%s: got:\n%swant:\n%s", st.name, got, st.want)
			}
		}
	})
}

// cell builds and runs a cell.
func (s *workshop) cell(w *Worker, log *workerLog, text string) string {
	s.t.Helper()
	c, err := s.build(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.run(w, log, c)
}

func TestInterrupt(t *testing.T) {
	s := newWorkshop(t)
	w, log := s.start()
	w.Interrupt() // while nothing runs: nothing happens
	const live = "import live \"github.com/seed5607215b/nnkit/kernel/worker/live\"\n"
	tests := []struct {
		name, text string
		want       string
		least      time.Duration // until the run ends
		times      int
	}{
		{
			name: "a loop", least: 200 * time.Millisecond, times: 1,
			text: live + "import \"fmt\"\nvar inState int\nfunc CELL() { defer fmt.Println(\"deferred\"); inState = 5; for { live.Check() } }",
			want: "deferred\ninterrupted interrupted: interrupted\n",
		}, {
			name: "a blocked goroutine", least: 800 * time.Millisecond, times: 3,
			text: live + "import \"fmt\"\nvar inBlock chan int\nfunc CELL() { inBlock = make(chan int); for { live.Check(); fmt.Println(\"never\", <-inBlock) } }",
			want: "interrupted interrupted: interrupted\n",
		}, {
			name: "a program that listens", times: 1,
			text: "import (\"context\"; \"fmt\"; \"os\"; \"os/signal\")\nfunc CELL() {\nctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)\ndefer stop()\n<-ctx.Done()\nfmt.Println(\"ended in order\") }",
			want: "ended in order\n",
		}, {
			name: "a program that listens and takes its time", least: 1400 * time.Millisecond, times: 1,
			text: live + "import (\"fmt\"; \"os\"; \"os/signal\"; \"time\")\nfunc CELL() {\nc := make(chan os.Signal, 1)\nsignal.Notify(c, os.Interrupt)\ndefer signal.Stop(c)\n<-c\nfor i := 0; i < 15; i++ { live.Check(); time.Sleep(100*time.Millisecond) }\nfmt.Println(\"ended in order\") }",
			want: "ended in order\n",
		}, {
			name: "a program that listens and does not end", least: 250 * time.Millisecond, times: 2,
			text: live + "import (\"os\"; \"os/signal\"; \"time\")\nfunc CELL() {\nc := make(chan os.Signal, 1)\nsignal.Notify(c, os.Interrupt)\ndefer signal.Stop(c)\nfor { live.Check(); time.Sleep(10*time.Millisecond) } }",
			want: "interrupted interrupted: interrupted\n",
		}, {
			name: "a process that the cell waits for", times: 1,
			text: "import (\"fmt\"; \"os/exec\")\nfunc CELL() { fmt.Println(exec.Command(\"sleep\", \"60\").Run()) }",
			want: "signal: interrupt\n",
		}, {
			name: "C code", least: 800 * time.Millisecond, times: 1,
			text: "import \"notebook/clib\"\nfunc CELL() { clib.Spin() }",
			want: "interrupted interrupted: interrupted\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := s.build(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.load(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			var interrupted time.Time
			go func() {
				time.Sleep(200 * time.Millisecond)
				interrupted = time.Now()
				for i := range tt.times {
					if i > 0 {
						time.Sleep(100 * time.Millisecond)
					}
					w.Interrupt()
				}
			}()
			o, err := w.Run(t.Context(), c.number, c.cell.Entry)
			took := time.Since(interrupted)
			if got := log.take() + ending(o, err); got != tt.want {
				t.Errorf("got:\n%swant:\n%s", got, tt.want)
			}
			if took < tt.least {
				t.Errorf("ended %v after the interrupt, before it had %v", took, tt.least)
			}
		})
	}
	// What was left behind ends when it next checks. State is kept.
	got := s.cell(w, log, "import (\"fmt\"; \"time\")\nvar inState int\nvar inBlock chan int\nfunc CELL() {\nselect {\ncase inBlock <- 1:\ncase <-time.After(time.Second):\n}\ntime.Sleep(50*time.Millisecond)\nselect {\ncase inBlock <- 2:\nfmt.Println(\"it lives on\")\ncase <-time.After(200*time.Millisecond):\n}\nfmt.Println(inState) }")
	if want := "never 1\n5\n"; got != want {
		t.Errorf("after interrupts: got:\n%swant:\n%s", got, want)
	}
	// A goroutine of an earlier cell is not what an interrupt stops.
	s.cell(w, log, live+"import \"sync/atomic\"\nimport \"time\"\nvar inTicks atomic.Int64\nfunc CELL() { go func() { for { live.Check(); inTicks.Add(1); time.Sleep(time.Millisecond) } }() }")
	c, err := s.build(live + "func CELL() { for { live.Check() } }")
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, w.Interrupt)
	if got, want := s.run(w, log, c), "interrupted interrupted: interrupted\n"; got != want {
		t.Errorf("a loop: got:\n%swant:\n%s", got, want)
	}
	got = s.cell(w, log, "import (\"fmt\"; \"sync/atomic\"; \"time\")\nvar inTicks atomic.Int64\nfunc CELL() { n := inTicks.Load(); time.Sleep(50*time.Millisecond); fmt.Println(inTicks.Load() > n) }")
	if want := "true\n"; got != want {
		t.Errorf("a goroutine of an earlier cell: got:\n%swant:\n%s", got, want)
	}
}

func TestWorkerDies(t *testing.T) {
	s := newWorkshop(t)
	tests := []struct {
		name, text string
		want       WorkerDied
		output     string // is part of it
	}{
		{"os.Exit", "import (\"fmt\"; \"os\")\nfunc CELL() { fmt.Println(\"so long\"); os.Exit(3) }", WorkerDied{ExitCode: 3}, "so long\n"},
		{"a panic elsewhere", "func CELL() { go func() { panic(\"elsewhere\") }(); select {} }", WorkerDied{ExitCode: 2}, "elsewhere"},
		{"a fatal error", "func CELL() { m := map[int]int{}; for range 8 { go func() { for { m[1]++ } }() }; select {} }", WorkerDied{ExitCode: 2}, "concurrent map"},
		{"a signal", "import (\"os\"; \"syscall\")\nfunc CELL() { syscall.Kill(os.Getpid(), syscall.SIGKILL) }", WorkerDied{ExitCode: -1, Signal: syscall.SIGKILL}, ""},
		{"a stack overflow", "import \"runtime/debug\"\nfunc down(n int) int { return down(n+1) + 1 }\nfunc CELL() { debug.SetMaxStack(1<<20); down(0) }", WorkerDied{ExitCode: 2}, "stack overflow"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, log := s.start()
			c, err := s.build(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.load(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			_, err = w.Run(t.Context(), c.number, c.cell.Entry)
			died, ok := errors.AsType[*WorkerDied](err)
			if !ok || *died != tt.want {
				t.Errorf("Run: %v, want %v", err, &tt.want)
			}
			if got := log.take(); !strings.Contains(got, tt.output) {
				t.Errorf("output %q, want %q in it", got, tt.output)
			}
			if _, err := w.Run(t.Context(), c.number, c.cell.Entry); !errors.As(err, &died) {
				t.Errorf("Run again: %v, want a WorkerDied", err)
			}
			w.Interrupt()
			w.Kill()
			if _, err := os.Stat(w.dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory of the pipes is still there: %v", err)
			}
		})
	}
	t.Run("Kill", func(t *testing.T) {
		w, log := s.start()
		c, err := s.build("import (\"fmt\"; \"os/exec\")\nfunc CELL() { c := exec.Command(\"sleep\", \"600\"); c.Start(); fmt.Println(c.Process.Pid); select {} }")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.load(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(300*time.Millisecond, w.Kill)
		_, err = w.Run(t.Context(), c.number, c.cell.Entry)
		if died, ok := errors.AsType[*WorkerDied](err); !ok || !died.Closed {
			t.Errorf("Run: %v, want a WorkerDied that says so", err)
		}
		expectGone(t, log.take())
	})
	t.Run("the kernel dies", func(t *testing.T) {
		w, log := s.start()
		s.cell(w, log, "import (\"fmt\"; \"os/exec\")\nvar child string\nfunc CELL() { c := exec.Command(\"sleep\", \"600\"); c.Start(); child = fmt.Sprint(c.Process.Pid) }")
		child := s.cell(w, log, "import \"fmt\"\nvar child string\nfunc CELL() { fmt.Println(child); go func() { for {} }() }")
		w.pipe.Close() // as the system does then
		select {
		case <-w.Dead():
		case <-time.After(5 * time.Second):
			t.Fatal("the worker lives on")
		}
		expectGone(t, child)
	})
}

// expectGone checks that a process has ended.
func expectGone(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(pid))
	if err != nil {
		t.Fatalf("%q is not a process id", pid)
	}
	for range 3000 { // a minute: a busy machine ends processes slowly
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n))
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d, which a cell has started, lives on", n)
}

func TestOutput(t *testing.T) {
	s := newWorkshop(t)
	w, log := s.start()
	log.input = func(prompt string, password bool) (string, error) {
		return fmt.Sprintf("answer to %s %v", prompt, password), nil
	}
	tests := []struct{ name, text, want string }{
		{
			"order of lines and displays",
			"import (\"fmt\"; \"github.com/janpfeifer/gonb/gonbui\")\nfunc CELL() { for i := range 3 { fmt.Println(\"before\", i); gonbui.DisplayHTML(fmt.Sprint(i)); fmt.Println(\"after\", i) } }",
			"before 0\ndisplay text/html: 0\nafter 0\nbefore 1\ndisplay text/html: 1\nafter 1\nbefore 2\ndisplay text/html: 2\nafter 2\n",
		},
		{
			"updates",
			"import (\"fmt\"; \"github.com/janpfeifer/gonb/gonbui\")\nfunc CELL() { gonbui.UpdateHTML(\"id\", \"1\"); gonbui.UpdateMarkdown(\"id\", \"2\"); gonbui.Sync(); fmt.Println(\"end\") }",
			"displayid text/html: 1\nupdateid text/markdown: 2\nend\n",
		},
		{
			"pictures",
			"import \"github.com/janpfeifer/gonb/gonbui\"\nfunc CELL() { gonbui.DisplayPNG([]byte(\"png\")); gonbui.DisplaySVG(\"<svg/>\") }",
			"display image/png: cG5n\ndisplay text/html: <div><svg/></div>\n",
		},
		{
			"input",
			"import (\"bufio\"; \"fmt\"; \"os\"; \"github.com/janpfeifer/gonb/gonbui\")\nfunc CELL() { gonbui.RequestInput(\"name\", true); line, err := bufio.NewReader(os.Stdin).ReadString('\\n'); fmt.Printf(\"%q %v\\n\", line, err) }",
			"\"answer to name true\\n\" <nil>\n",
		},
		{
			"C's stdio",
			"import \"notebook/clib\"\nfunc CELL() { clib.Say(7) }",
			"C says 7\n",
		},
		{
			"a program that the cell starts",
			"import (\"os\"; \"os/exec\")\nfunc CELL() { c := exec.Command(\"sh\", \"-c\", \"echo child; readlink /proc/$$/fd/3 /proc/$$/fd/4; echo end\"); c.Stdout = os.Stdout; c.Run() }",
			"child\nend\n",
		},
		{
			"characters in pieces",
			"import (\"os\"; \"time\")\nfunc CELL() { for _, b := range []byte(\"aäb→c\") { os.Stdout.Write([]byte{b}); time.Sleep(60*time.Millisecond) } }",
			"aäb→c",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.cell(w, log, tt.text); got != tt.want {
				t.Errorf("got:\n%swant:\n%s", got, tt.want)
			}
		})
	}
	t.Run("much in small pieces", func(t *testing.T) {
		log.take()
		calls := log.calls
		got := s.cell(w, log, "import \"fmt\"\nfunc CELL() { for i := range 100000 { fmt.Println(i) } }")
		if n := strings.Count(got, "\n"); n != 100000 || !strings.HasSuffix(got, "99999\n") {
			t.Errorf("%d lines, the last of them %q", n, got[max(0, len(got)-20):])
		}
		if n := log.calls - calls; n > 60 {
			t.Errorf("%d messages for 100000 lines", n)
		}
	})
	t.Run("much at once", func(t *testing.T) {
		got := s.cell(w, log, "import (\"fmt\"; \"strings\")\nfunc CELL() { fmt.Print(strings.Repeat(\"x\", 10_000_000)) }")
		if len(got) != 10_000_000 {
			t.Errorf("%d bytes", len(got))
		}
	})
	t.Run("two streams", func(t *testing.T) {
		got := s.cell(w, log, "import (\"fmt\"; \"os\"; \"time\")\nfunc CELL() { for i := range 3 { fmt.Println(\"out\", i); time.Sleep(5*time.Millisecond); fmt.Fprintln(os.Stderr, \"err\", i); time.Sleep(5*time.Millisecond) } }")
		if want := "out 0\nstderr \"err 0\\n\"\nout 1\nstderr \"err 1\\n\"\nout 2\nstderr \"err 2\\n\"\n"; got != want {
			t.Errorf("got:\n%swant:\n%s", got, want)
		}
	})
}

// TestManyCells checks that what cells cost does not grow with their number: the
// runtime searches its modules one after the other, and the newest first.
func TestManyCells(t *testing.T) {
	s := newWorkshop(t)
	w, log := s.start()
	text := `import "fmt"
func deep%d(n int) int { var pad [128]int; if n == 0 { return 0 }; pad[n%%128] = n; return deep%d(n-1) + pad[(n+1)%%128] + 1 }
func CELL() {
	done := make(chan int)
	for range 20 {
		go func() { done <- deep%d(2000) }()
		<-done
		func() { defer func() { recover() }(); panic(1) }()
	}
	fmt.Print()
}`
	measure := func(n int) time.Duration {
		c, err := s.build(fmt.Sprintf(text, n, n, n))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.load(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		best := time.Hour
		for range 5 {
			start := time.Now()
			if o, err := w.Run(t.Context(), c.number, c.cell.Entry); err != nil || o.Status != wire.OK {
				t.Fatalf("%+v %v", o, err)
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	few := measure(1)
	c, err := s.build("import \"fmt\"\nvar many int\nfunc CELL() { many++; fmt.Println(many) }")
	if err != nil {
		t.Fatal(err)
	}
	var first, last time.Duration
	const cells = 300
	memory := residentMemory(t, w.PID())
	for i := range cells {
		another := c.cell
		another.File = filepath.Join(t.TempDir(), fmt.Sprintf("%d.so", i))
		if err := copyFile(another.File, c.cell.File); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := w.Load(t.Context(), another); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		if i < 10 && (first == 0 || took < first) {
			first = took
		}
		if i >= cells-10 && (last == 0 || took < last) {
			last = took
		}
		if o, err := w.Run(t.Context(), 1, another.Entry); err != nil || o.Status != wire.OK {
			t.Fatalf("%+v %v", o, err)
		}
	}
	if got := log.take(); !strings.HasSuffix(got, fmt.Sprintf("%d\n", cells)) {
		t.Errorf("the variable that %d cells count with: %q", cells, got[max(0, len(got)-20):])
	}
	t.Logf("memory a cell: %d KB", (residentMemory(t, w.PID())-memory)/cells)
	many := measure(2)
	t.Logf("deep stacks and panics: %v with few cells, %v with %d; loading: %v and %v", few, many, cells, first, last)
	if many > 4*few+10*time.Millisecond {
		t.Errorf("with %d cells the runtime takes %v, with few %v", cells, many, few)
	}
	if last > 4*first+5*time.Millisecond {
		t.Errorf("loading cell %d takes %v, the first ones took %v", cells, last, first)
	}
}

// residentMemory is what a process takes, in KB.
func residentMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSeveralKernels starts two kernels at once whose cache, in a directory with a
// space in its name, is empty.
func TestSeveralKernels(t *testing.T) {
	s := newWorkshop(t)
	cache := filepath.Join(t.TempDir(), "a cache")
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			errs <- func() error {
				b, err := build.New(build.Config{Dir: s.dir, CacheDir: cache})
				if err != nil {
					return err
				}
				defer b.Close()
				path, err := b.Worker(t.Context())
				if err != nil {
					return err
				}
				log := &workerLog{}
				w, err := StartWorker(t.Context(), WorkerConfig{Path: path, Dir: s.dir, Output: log})
				if err != nil {
					return err
				}
				defer w.Kill()
				libs, err := b.Imports(t.Context(), []string{"fmt", "mime"})
				if err != nil {
					return err
				}
				cell, err := b.Cell(t.Context(), "package main\n\nimport (\n\t\"fmt\"\n\t\"mime\"\n)\n\nfunc cell() { fmt.Println(mime.TypeByExtension(\".gif\")) }\n", "cell")
				if err != nil {
					return err
				}
				for _, l := range append(libs, cell) {
					if err := w.Load(t.Context(), l); err != nil {
						return err
					}
				}
				o, err := w.Run(t.Context(), 1, cell.Entry)
				if got := log.take() + ending(o, err); got != "image/gif\n" {
					return fmt.Errorf("got %q", got)
				}
				return nil
			}()
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	s := newWorkshop(t)
	w, log := s.start()
	if err := w.Load(t.Context(), build.Library{File: "/no/such/file.so"}); err == nil || !strings.Contains(err.Error(), "/no/such/file.so") {
		t.Errorf("Load of nothing: %v", err)
	}
	_, err := s.build("func missing()\nfunc CELL() { missing() }")
	if _, ok := errors.AsType[*build.CompileError](err); !ok {
		t.Errorf("a function without a body: %v", err)
	}
	c, err := s.build("import \"fmt\"\nfunc CELL() { fmt.Println(\"well\") }")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.load(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := w.Load(t.Context(), c.cell); err == nil {
		t.Error("no error for a library that is loaded already")
	}
	if got, want := s.run(w, log, built{number: 9, cell: build.Library{File: c.cell.File, Entry: "main.none"}}), "well\n"; got == want {
		t.Error("a cell that is not loaded has run")
	}
	o, err := w.Run(t.Context(), 1, "main.none")
	if err != nil || o.Status != wire.Failed {
		t.Errorf("Run of what is not loaded: %+v, %v", o, err)
	}
	if o, err := w.Run(t.Context(), 1, c.cell.Entry); err != nil || o.Status != wire.OK {
		t.Errorf("Run: %+v, %v", o, err)
	}
	// A package that changes after it was loaded.
	if got, want := s.cell(w, log, "import (\"fmt\"; \"notebook/local\")\nfunc CELL() { fmt.Println(local.N) }"), "well\n1\n"; got != want {
		t.Errorf("a local package: got %q, want %q", got, want)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "local", "local.go"), []byte("package local\n\nconst N = 2 // changed\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = s.build("import (\"fmt\"; \"notebook/local\")\nfunc CELL() { fmt.Println(local.N) }")
	if changed, ok := errors.AsType[*build.ChangedError](err); !ok || !slices.Equal(changed.Paths, []string{"notebook/local"}) {
		t.Errorf("a local package that has changed: %v", err)
	}
	_, err = s.build("import \"example.com/none\"\nfunc CELL() {}")
	if p, ok := errors.AsType[*build.PackageError](err); !ok || p.Path != "example.com/none" {
		t.Errorf("a package that is not there: %v", err)
	}
}

func TestStartWorkerFails(t *testing.T) {
	_, err := StartWorker(t.Context(), WorkerConfig{Path: "/no/such/worker", Output: &workerLog{}})
	if err == nil {
		t.Error("no error for a worker that is not there")
	}
	_, err = StartWorker(t.Context(), WorkerConfig{Path: "/bin/true", Output: &workerLog{}})
	if _, ok := errors.AsType[*WorkerDied](err); !ok {
		t.Errorf("a worker that ends at once: %v", err)
	}
}
