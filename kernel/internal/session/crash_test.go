package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// person executes cells in a session, one after the other.
type person struct {
	*testing.T
	session *Session
	out     *recorder
	count   int
}

func newPerson(t *testing.T) *person {
	return &person{T: t, session: newTestSession(t), out: &recorder{}}
}

// runs executes a cell and returns all that it shows.
func (p *person) runs(code string) string {
	p.Helper()
	p.count++
	reply := p.session.Execute(p.Context(), p.count, &message.ExecuteRequest{Code: code}, p.out)
	text := p.out.take()
	if reply.Status == "error" {
		text += reply.ErrorName + ": " + strings.Join(reply.Traceback, "\n") + "\n"
	}
	return colour.ReplaceAllString(text, "")
}

// shows executes a cell that must show all of some texts.
func (p *person) shows(code string, want ...string) string {
	p.Helper()
	got := p.runs(code)
	for _, w := range want {
		if !strings.Contains(got, w) {
			p.Errorf("%s\nshows\n%s\nwant %q in it", code, got, w)
		}
	}
	return got
}

// pid executes a cell that shows a process id.
func (p *person) pid(code string) int {
	p.Helper()
	text := p.runs(code)
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(text, "result: text/plain ")))
	if err != nil {
		p.Fatalf("%s\nshows %q, want a process id", code, text)
	}
	return n
}

const startChild = "child := exec.Command(\"sleep\", \"600\")\nchild.Start()\nchild.Process.Pid"

func TestDeathBetweenCells(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.shows("x := 1\nfunc twice(v int) int { return 2 * v }")
	child := p.pid(startChild)
	p.runs("go func() {\n\ttime.Sleep(200 * time.Millisecond)\n\tpanic(\"later\")\n}()")
	<-p.session.runner.(*live).current().Dead()
	p.shows("twice(4)", "the session ended: panic: later (since the last cell)", "Cell [3], line 3", "Lost: x and child. To have them again, run Cells [1] and [2].", "result: text/plain 8")
	expectGone(t, fmt.Sprint(child))
	p.shows("x", "x has no value any more", "run Cell [1] again")
	if got := p.runs("x := 1\nfunc twice(v int) int { return 2 * v }"); got != "" {
		t.Errorf("the first cell again: %q", got)
	}
	if got, want := p.runs("x"), "result: text/plain 1\n"; got != want {
		t.Errorf("x is %q, want %q", got, want)
	}
}

// killing is a runner whose worker is killed as soon as a cell has been planned.
type killing struct {
	runner
	asked int
}

func (k *killing) ready(ctx context.Context) error {
	if k.asked++; k.asked == 2 {
		w := k.current()
		if err := syscall.Kill(w.PID(), syscall.SIGKILL); err != nil {
			return err
		}
		<-w.Dead()
	}
	return k.runner.ready(ctx)
}

// TestKilledWhileCompiling runs cells whose values go when they have been planned.
func TestKilledWhileCompiling(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.shows("x := 1\nfunc twice(v int) int { return 2 * v }")
	worker := p.session.runner
	p.shows("twice(4)", "result: text/plain 8")
	for _, again := range []string{"twice(4)", "twice(5) - 2"} { // one that need not be compiled, and one that must
		p.session.runner = &killing{runner: worker}
		p.shows(again, "the session ended: its process was killed", "result: text/plain 8")
		p.session.runner = worker
		p.shows("x := 1")
	}
	p.session.runner = &killing{runner: worker}
	p.shows("%who", "the session ended: its process was killed", "no value: it was lost when the session ended: run Cell [6] again")
	p.session.runner = worker
	p.shows("x := 1")
	p.session.runner = &killing{runner: worker}
	p.shows("x", "the session ended: its process was killed", "CompileError", "x has no value any more", "run Cell [8] again")
	p.session.runner = worker
}

func TestKilledFromOutside(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSEGV, syscall.SIGQUIT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := newPerson(t)
			child := p.pid(startChild)
			worker := p.session.runner.(*live).current().PID()
			time.AfterFunc(300*time.Millisecond, func() { syscall.Kill(worker, signal) })
			p.shows("select {}", "SessionEnded: the session ended", "Lost: child. To have them again, run Cell [1].")
			expectGone(t, fmt.Sprint(child))
			p.shows("1 + 1", "result: text/plain 2")
		})
	}
}

func TestCrashInC(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	dir := filepath.Join(p.session.dir, "crash")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	const text = "package crash\n\n// static void crash(void) { *(volatile int *)0 = 1; }\n// static void give_up(void) { __builtin_trap(); }\nimport \"C\"\n\n// Crash crashes.\nfunc Crash() { C.crash() }\n\n// Trap traps.\nfunc Trap() { C.give_up() }\n"
	if err := os.WriteFile(filepath.Join(dir, "crash.go"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	p.shows("kept := 1")
	got := p.shows("import \"notebook/crash\"\n\ncrash.Crash()", "SessionEnded: the session ended: SIGSEGV: segmentation violation", "crash.Crash  crash/crash.go:8", "Cell [2], line 3", "Lost: kept.")
	if strings.Contains(got, p.session.dir) {
		t.Errorf("the session's folder shows:\n%s", got)
	}
	p.shows("crash.Trap()", "SessionEnded: the session ended", "SIGILL", "Cell [3], line 1")
	p.shows("1 + 1", "result: text/plain 2")
}

// TestCompilerKilled kills every compiler and linker while a cell is built.
func TestCompilerKilled(t *testing.T) {
	p := newPerson(t)
	p.shows("1 + 1", "result: text/plain 2")
	var stop atomic.Bool
	ended := make(chan int)
	go func() {
		killed := 0
		for !stop.Load() {
			killed += killTools()
		}
		ended <- killed
	}()
	p.shows("twice := func(v int) int { return 2 * v }\ntwice(2)", "Error: the cell was not compiled: the ", " was killed", "run the cell again")
	stop.Store(true)
	if <-ended == 0 {
		t.Error("no compiler was killed")
	}
	p.shows("twice := func(v int) int { return 2 * v }\ntwice(2)", "result: text/plain 4")
}

// killTools kills this process's children that are Go's compiler or linker, and
// counts them.
func killTools() int {
	n := 0
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		for child := range strings.FieldsSeq(string(children)) {
			name, _ := os.ReadFile("/proc/" + child + "/comm")
			if comm := strings.TrimSpace(string(name)); comm == "compile" || comm == "link" {
				pid, _ := strconv.Atoi(child)
				if syscall.Kill(pid, syscall.SIGKILL) == nil {
					n++
				}
			}
		}
	}
	return n
}

// TestKernelKilled kills a kernel: its worker and what cells have started end,
// and the next kernel removes what it left on the disk.
func TestKernelKilled(t *testing.T) {
	if dir := os.Getenv("SESSION_TO_KILL"); dir != "" {
		p := newPerson(t)
		child := p.pid(startChild)
		fmt.Printf("\n%d %d %s\n", p.session.runner.(*live).current().PID(), child, p.session.dir)
		select {}
	}
	t.Setenv("TMPDIR", t.TempDir()) // where no other kernel sweeps
	cmd := exec.Command(os.Args[0], "-test.run=TestKernelKilled")
	cmd.Env = append(os.Environ(), "SESSION_TO_KILL=yes")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var worker, child, dir string
	for s := bufio.NewScanner(out); dir == "" && s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) == 3 {
			worker, child, dir = f[0], f[1], f[2]
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if dir == "" {
		t.Fatal("the kernel to kill has not told its processes")
	}
	expectGone(t, worker)
	expectGone(t, child)
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the killed kernel has left nothing: %v", err)
	}
	newTestSession(t)
	for !gone(dir) { // until the test's own limit
		time.Sleep(10 * time.Millisecond)
	}
}

func gone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}

func TestFolder(t *testing.T) {
	parent := t.TempDir()
	owned, err := newFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	left, err := newFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	left.lock.Close() // as when its owner is killed
	other := filepath.Join(parent, "another's")
	if err := os.Mkdir(other, 0o777); err != nil {
		t.Fatal(err)
	}
	sweep(parent)
	for path, want := range map[string]bool{owned.path: true, left.path: false, other: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", path, err == nil, want)
		}
	}
	if err := owned.remove(); err != nil {
		t.Error(err)
	}
}

func TestLastWords(t *testing.T) {
	for _, tt := range []struct {
		pieces    []string
		now, held string
	}{
		{[]string{"well\n"}, "well\n", ""},
		{[]string{"panic: boom\n", "\ngoroutine 1"}, "", "panic: boom\n\ngoroutine 1"},
		{[]string{"before\nfatal error: all", " of it"}, "before\n", "fatal error: all of it"},
		{[]string{"it did not ", "panic: no\n"}, "it did not panic: no\n", ""},
		{[]string{"line\n", "SIGQUIT: quit\n"}, "line\n", "SIGQUIT: quit\n"},
	} {
		var w lastWords
		var now strings.Builder
		for _, s := range tt.pieces {
			now.WriteString(w.take(s, func() {}))
		}
		if held := w.give(); now.String() != tt.now || held != tt.held {
			t.Errorf("%q: %q at once and %q held, want %q and %q", tt.pieces, now.String(), held, tt.now, tt.held)
		}
		if again := w.give(); again != "" {
			t.Errorf("%q: %q is held after it was given", tt.pieces, again)
		}
	}
	var w lastWords
	late := make(chan string)
	w.take("panic: only words\n", func() { late <- w.give() })
	if got := <-late; got != "panic: only words\n" {
		t.Errorf("after a moment %q is published", got)
	}
}

func TestParseCrash(t *testing.T) {
	const text = `panic: one
	panic: two [recovered, repanicked]
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]

goroutine 3 [running]:
main.(*tree).walk(0x0?, {0x1, 0x2})
	/cell/2.go:4 +0x65
panic({0x4b2b40?, 0x4cf308?})
	/usr/local/go/src/runtime/panic.go:860 +0x13a
...7 frames elided...
main.cellʹ3.func2()
	/cell/3.go:5 +0x25 fp=0x1 sp=0x2 pc=0x3
created by main.cellʹ3 in goroutine 1
	/cell/3.go:2 +0x1

goroutine 1 [select]:
github.com/seed5607215b/nnkit/kernel/worker/internal/host.(*host).run(0x1)
	/src/host.go:3 +0x1
`
	c := parseCrash(text)
	if got, want := c.told(), "panic: one\npanic: two [recovered, repanicked]"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	want := []wire.Frame{
		{Function: "main.(*tree).walk", File: "/cell/2.go", Line: 4},
		{Function: "runtime.gopanic", File: "/usr/local/go/src/runtime/panic.go", Line: 860},
		{Function: "main.cellʹ3.func2", File: "/cell/3.go", Line: 5, Omitted: 7},
	}
	if len(c.goroutines) != 2 || !reflect.DeepEqual(c.goroutines[0].frames, want) {
		t.Fatalf("goroutines %+v, want two, the first with %+v", c.goroutines, want)
	}
	if got, want := c.goroutines[0].created, (wire.Frame{Function: "main.cellʹ3", File: "/cell/3.go", Line: 2}); got != want {
		t.Errorf("created by %+v, want %+v", got, want)
	}
	if text := c.text(); strings.Contains(text, "/worker/") || !strings.Contains(text, "walk") {
		t.Errorf("the text is\n%s", text)
	}
	if g, ok := c.culprit(); !ok || len(g.frames) != 1 || g.frames[0].Line != 5 {
		t.Errorf("the culprit is %+v, %v", g, ok)
	}
	for words, want := range map[string]string{
		"fatal error: concurrent map writes\n": "concurrent map writes",
		"runtime: out of memory: cannot allocate 8-byte block (3 in use)\nfatal error: out of memory\n": "out of memory (cannot allocate 8-byte block)",
		"SIGSEGV: segmentation violation\nPC=0x1 m=0 sigcode=0\n":                                       "SIGSEGV: segmentation violation",
		"": "",
	} {
		if got := parseCrash(words).told(); got != want {
			t.Errorf("%q tells %q, want %q", words, got, want)
		}
	}
}

// FuzzParseCrash looks for text that the parser fails on.
func FuzzParseCrash(f *testing.F) {
	f.Add("panic: x\n\ngoroutine 3 [running]:\nmain.f(0x0?)\n\t/cell/2.go:4 +0x65\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := parseCrash(text)
		c.told()
		c.text()
		c.culprit()
	})
}

func TestDetails(t *testing.T) {
	lines := []string{"a := 1", "\tb(<x>)", "c", "d", "e"}
	here := place{Diagnostic: program.Diagnostic{Cell: 3, Text: lines, Line: 2}}
	there := place{Diagnostic: program.Diagnostic{Cell: 1, Text: lines, Line: 5, Column: 1}, function: "f"}
	library := place{Diagnostic: program.Diagnostic{Line: 7}, file: "sort/sort.go", function: "sort.Sort", omitted: 3, again: 2}
	for _, tt := range []struct {
		name string
		r    report
		want bool
	}{
		{"all is in view", report{cell: 3, title: "panic", places: []place{here, here}}, false},
		{"another cell", report{cell: 3, title: "panic", places: []place{here, there}}, true},
		{"frames left out", report{cell: 3, title: "panic", places: []place{here, library}}, true},
		{"a long stack", report{cell: 3, title: "panic", places: make([]place, 30)}, true},
		{"no place", report{cell: 3, title: "panic", trace: "goroutine 1"}, true},
		{"a sentence", report{cell: 3, title: "interrupted"}, false},
	} {
		if _, got := tt.r.details(); got != tt.want {
			t.Errorf("%s: details are shown: %v, want %v", tt.name, got, tt.want)
		}
	}
	r := report{cell: 3, title: "panic", places: []place{here, library, there}}
	data, _ := r.details()
	const file = "testdata/details.html"
	if *update {
		if err := os.WriteFile(file, []byte(data["text/html"].(string)+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := data["text/html"].(string) + "\n"; got != string(want) {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestClean(t *testing.T) {
	o := &outlet{}
	o.labels.Store(7, 12)
	for _, tt := range [][2]string{
		{"/cell/7.go:3 +0x1f", "Cell [12], line 3"},
		{"file /cell/7.go", "file Cell [12]"},
		{"7.go:3: short", "Cell [12], line 3: short"},
		{"a17.go:3 and x/7.go:3", "a17.go:3 and x/7.go:3"},
		{"/cell/8.go:3", "/cell/8.go:3"},
		{"main.cellʹ7.func1", "main.main.func1"},
		{"main.scaleʹ2 ʹBig", "main.scale Big"},
		{
			"main.f()\n\t/cell/7.go:1\n" + modulePath + "/kernel/worker/internal/host.(*run).call(0x1)\n\t/x/host.go:2 +0x9c\ncreated by " + modulePath + "/kernel/worker/internal/host.(*host).run in goroutine 8\n\t/x/host.go:1 +0x1\nend",
			"main.f()\n\tCell [12], line 1\nend",
		},
	} {
		if got := o.clean(tt[0]); got != tt[1] {
			t.Errorf("clean(%q) = %q, want %q", tt[0], got, tt[1])
		}
	}
}
