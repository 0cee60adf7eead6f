//go:build fault

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

var (
	rounds = flag.Int("rounds", 1, "how often each mishap happens to the session")
	only   = flag.String("only", "", "a regular expression for the mishaps to try")
)

// TestFaults does to one notebook's kernel whatever can happen to it, in random
// order, and looks at every value afterwards: it is what it was, or the kernel says
// that it has gone and which cell makes it again. It prints how long the kernel took
// to answer the next cell.
func TestFaults(t *testing.T) {
	const seed = 1
	n := newPatient(t)
	random := rand.New(rand.NewPCG(seed, seed))
	wanted := regexp.MustCompile(*only)
	var order []string
	for range *rounds {
		round := slices.DeleteFunc(slices.Sorted(maps.Keys(faults)), func(name string) bool { return !wanted.MatchString(name) })
		random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		order = append(order, round...)
	}
	slowest := map[string]time.Duration{}
	for i, name := range order {
		n.counter++
		n.expect("", fmt.Sprintf("counter = %d; weights[%d] = %d", n.counter, n.counter%8, n.counter))
		n.weights[n.counter%8] = n.counter
		faults[name](n)
		began := time.Now()
		n.check(name)
		slowest[name] = max(slowest[name], time.Since(began))
		if t.Failed() {
			t.Fatalf("after %d mishaps with seed %d, the last one: %s", i+1, seed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(slowest)) {
		t.Logf("%-28s %3d times; the next cell and what it takes to have all values: at most %.2f s", name, *rounds, slowest[name].Seconds())
	}
}

// A patient is a kernel's process, with what its cells have been told.
type patient struct {
	t        *testing.T
	program  string
	dir      string // of the notebook
	tmp      string // where the kernel keeps its session: a small file system of its own
	cache    string
	goCache  string // the usual one, so that not all is compiled again
	file     jupyter.ConnectionFile
	kernel   *exec.Cmd
	said     *bytes.Buffer
	client   *client.Client
	counter  int
	weights  [8]int
	elements int
}

const (
	counterCell = "counter := 0"
	weightsCell = "weights := make([]int, 8)\nbyName := map[string]int{\"a\": 1}"
	readCell    = "fmt.Sprint(counter, weights, byName)"
)

func newPatient(t *testing.T) *patient {
	n := &patient{t: t, program: filepath.Join(t.TempDir(), "kernel"), dir: t.TempDir(), tmp: t.TempDir(), cache: t.TempDir(), said: new(bytes.Buffer)}
	if out, err := exec.Command("go", "build", "-o", n.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sources, err := filepath.Abs("..")
	if err == nil {
		err = os.Symlink(sources, filepath.Join(filepath.Dir(n.program), "src"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", n.tmp, "tmpfs", 0, "size=64m"); err != nil {
		t.Fatalf("a small file system, to fill it (this test wants to be root): %v", err)
	}
	t.Cleanup(func() {
		if n.client != nil {
			n.client.Close()
		}
		if n.kernel != nil {
			children := slices.Collect(maps.Keys(n.children()))
			_ = n.kernel.Process.Kill()
			_ = n.kernel.Wait()
			n.gone(children...)
		}
		for range 50 { // while what the kernel has left ends
			if syscall.Unmount(n.tmp, 0) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("%s is still in use", n.tmp)
	})
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	n.goCache = strings.TrimSpace(string(goCache))
	n.write("go.mod", "module faulty\n\ngo 1.26\n")
	n.write("c/c.go", "package c\n\n// static void crash(void) { volatile int *p = 0; *p = 1; }\nimport \"C\"\n\n// Crash writes where it may not, in C.\nfunc Crash() { C.crash() }\n")
	n.start()
	n.define()
	return n
}

func (n *patient) write(name, text string) {
	n.t.Helper()
	file := filepath.Join(n.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		n.t.Fatal(err)
	}
}

// begin starts a kernel's process on its own.
func (n *patient) begin() (*exec.Cmd, jupyter.ConnectionFile) {
	n.t.Helper()
	file, err := client.NewConnection()
	if err != nil {
		n.t.Fatal(err)
	}
	data, err := json.Marshal(file)
	if err != nil {
		n.t.Fatal(err)
	}
	n.write("connection.json", string(data))
	kernel := exec.Command(n.program, "jupyter", filepath.Join(n.dir, "connection.json"))
	kernel.Dir = n.dir
	kernel.Env = append(os.Environ(), "TMPDIR="+n.tmp, "XDG_CACHE_HOME="+n.cache, "GOCACHE="+n.goCache, "XDG_STATE_HOME="+n.cache)
	kernel.Stderr = n.said
	if err := kernel.Start(); err != nil {
		n.t.Fatal(err)
	}
	return kernel, file
}

// start starts the kernel and connects to it.
func (n *patient) start() {
	n.t.Helper()
	n.kernel, n.file = n.begin()
	n.client = n.dial(n.file)
}

func (n *patient) dial(file jupyter.ConnectionFile) *client.Client {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := client.Dial(ctx, file)
	if err != nil {
		n.t.Fatalf("%v\n%s", err, n.said)
	}
	return c
}

// patience is for machines that have a lot to do. The first start of a kernel
// compiles its worker.
const patience = 3 * time.Minute

// execute executes a cell and returns its result as a text, and its error.
func (n *patient) execute(code string) (text, failure string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := n.client.Execute(ctx, code)
	if err != nil {
		n.t.Fatalf("%s\n%v\n%s", code, err, n.said)
	}
	return outcome(r)
}

func outcome(r *client.Result) (text, failure string) {
	for _, result := range client.Contents[message.DisplayData](r, "execute_result") {
		text = fmt.Sprint(result.Data["text/plain"])
	}
	if reply := r.Execution(); reply.Status == "error" {
		failure = reply.ErrorName + ": " + reply.ErrorValue + r.Text("stderr")
	}
	return text, failure
}

// expect executes a cell that fails as the pattern says, or, if that is empty,
// does not.
func (n *patient) expect(failure, code string) {
	n.t.Helper()
	_, got := n.execute(code)
	if failure == "" && got != "" || failure != "" && !regexp.MustCompile(failure).MatchString(got) {
		n.t.Errorf("%s\nfailed as %q, and not as %q", code, got, failure)
	}
}

// define makes all values as they should be.
func (n *patient) define() {
	n.t.Helper()
	n.expect("", counterCell)
	n.expect("", weightsCell)
	n.expect("", fmt.Sprintf("counter = %d; copy(weights, %#v)", n.counter, n.weights[:]))
}

// check looks at the values. Where they are lost, the kernel says so and names the
// cells that make them again.
func (n *patient) check(after string) {
	n.t.Helper()
	want := fmt.Sprint(n.counter, n.weights[:], map[string]int{"a": 1})
	got, failure := n.execute(readCell)
	if strings.HasPrefix(failure, "SessionEnded: its process was killed") { // the kernel learns of it by this cell
		got, failure = n.execute(readCell)
	}
	if failure != "" {
		if !regexp.MustCompile(`counter has no value any more: .*run Cell \[\d+\] again`).MatchString(failure) && !strings.Contains(failure, "undefined: ") {
			n.t.Errorf("after %s: a person cannot act on %q", after, failure)
		}
		n.define()
		got, failure = n.execute(readCell)
	}
	if got != want || failure != "" {
		n.t.Errorf("after %s: %q (%s), want %q", after, got, failure, want)
	}
}

// children are the processes that the kernel has started, and theirs, by name.
func (n *patient) children() map[int]string {
	all := map[int]string{}
	var add func(pid int)
	add = func(pid int) {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, list := range lists {
			data, _ := os.ReadFile(list) // it may have ended
			for _, child := range strings.Fields(string(data)) {
				pid, _ := strconv.Atoi(child)
				name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
				all[pid] = strings.TrimSpace(string(name))
				add(pid)
			}
		}
	}
	add(n.kernel.Process.Pid)
	return all
}

// worker is the process that holds the values.
func (n *patient) worker() int {
	n.t.Helper()
	text, failure := n.execute("os.Getpid()")
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		n.t.Fatalf("the worker's process: %q %s", text, failure)
	}
	return pid
}

// gone waits until processes have ended.
func (n *patient) gone(pids ...int) {
	n.t.Helper()
	for _, pid := range pids {
		for began := time.Now(); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
			if state, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); strings.Contains(string(state), ") Z ") {
				break // nobody has looked after it
			}
			if time.Since(began) > patience {
				n.t.Errorf("process %d is still there", pid)
				return
			}
		}
	}
}

// restart ends the kernel in good order, does something, and starts it again.
func (n *patient) restart(between func()) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.client.Shutdown(ctx, false); err != nil {
		n.t.Error(err)
	}
	if err := n.kernel.Wait(); err != nil {
		n.t.Error(err)
	}
	n.client.Close()
	n.leftBehind(0)
	between()
	n.start()
}

// leftBehind says how many folders of sessions there may be.
func (n *patient) leftBehind(want int) {
	n.t.Helper()
	left, err := filepath.Glob(filepath.Join(n.tmp, "nnkit-*"))
	if err != nil || len(left) != want {
		n.t.Errorf("%d folders of sessions, want %d: %v %v", len(left), want, left, err)
	}
}

// cached lists the files of the cache, in an order that is always the same.
func (n *patient) cached() []string {
	var files []string
	err := filepath.WalkDir(filepath.Join(n.cache, "nnkit"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		n.t.Errorf("no files in the cache: %v", err)
	}
	return files
}

// dies is what a cell says that has ended the process of the values.
func dies(cause string) string { return `(?s)` + cause }

var faults = map[string]func(*patient){
	"panic": func(n *patient) {
		n.expect("^panic: boom$", `panic("boom")`)
	},
	"panic in a goroutine": func(n *patient) {
		n.expect(dies("boom"), "go func() { panic(\"boom\") }()\ntime.Sleep(time.Minute)")
	},
	"os.Exit": func(n *patient) {
		n.expect(dies("exit"), "os.Exit(3)")
	},
	"log.Fatal": func(n *patient) {
		n.expect(dies("exit"), `log.Fatal("that was it")`)
	},
	"stack overflow": func(n *patient) {
		n.expect(dies("stack"), "func deep(i int) int { return deep(i+1) + 1 }\ndeep(0)")
	},
	"out of memory": func(n *patient) {
		n.expect(dies("memory"), "_ = syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: 3 << 30, Max: 3 << 30})\nvar kept [][]byte\nfor { b := make([]byte, 64<<20); for i := 0; i < len(b); i += 4096 { b[i] = 1 }; kept = append(kept, b) }")
	},
	"concurrent map writes": func(n *patient) {
		n.expect(dies("concurrent map"), "m := map[int]int{}\nfor i := range 8 { go func() { for { m[i]++ } }() }\ntime.Sleep(time.Minute)")
	},
	"SIGSEGV in C": func(n *patient) {
		n.expect(dies("(?i)segmentation|SIGSEGV|invalid memory"), "import \"faulty/c\"\nc.Crash()")
	},
	"worker killed": func(n *patient) {
		pid := n.worker()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			n.t.Error(err)
		}
		n.gone(pid)
	},
	"compilers killed": func(n *patient) {
		n.elements++
		p, err := n.client.Start(client.Cell(fmt.Sprintf("import \"go/types\"\nimport \"regexp\"\nfunc f%d() any { return []any{new(types.Info), regexp.MustCompile(%q)} }\nf%[1]d() != nil", n.elements, strconv.Itoa(n.elements))))
		if err != nil {
			n.t.Fatal(err)
		}
		killed := 0
		for end := false; !end; {
			select {
			case <-p.Done():
				end = true
			default:
			}
			for pid, name := range n.children() {
				if (name == "compile" || name == "link" || name == "go" || name == "asm") && killed < 3 {
					if syscall.Kill(pid, syscall.SIGKILL) == nil {
						killed++
					}
				}
			}
		}
		if _, failure := outcome(p.SoFar()); failure != "" && !strings.Contains(failure, "killed") {
			n.t.Errorf("%d compilers were killed, and the cell says %q", killed, failure)
		}
	},
	"kernel killed": func(n *patient) {
		children := slices.Collect(maps.Keys(n.children()))
		if err := n.kernel.Process.Kill(); err != nil {
			n.t.Error(err)
		}
		_ = n.kernel.Wait()
		n.client.Close()
		n.gone(children...)
		n.start()
		n.expect("", "1")
		n.leftBehind(1)
	},
	"client gone and back": func(n *patient) {
		if _, err := n.client.Start(client.Cell("for i := range 200 { fmt.Println(\"line\", i); time.Sleep(time.Millisecond) }")); err != nil {
			n.t.Error(err)
		}
		n.client.Close()
		n.client = n.dial(n.file)
	},
	"disk full": func(n *patient) {
		filler := filepath.Join(n.tmp, "filler")
		f, err := os.Create(filler)
		if err != nil {
			n.t.Fatal(err)
		}
		for block := make([]byte, 1<<16); err == nil; {
			_, err = f.Write(block)
		}
		f.Close()
		n.elements++
		n.expect("no space left", fmt.Sprintf("func g%d() int { return %[1]d }\ng%[1]d()", n.elements))
		if err := os.Remove(filler); err != nil {
			n.t.Error(err)
		}
	},
	"full pipes": func(n *patient) {
		n.expect("", "go func() { for range 300_000 { fmt.Println(\"a line of a flood, on and on\") } }()\nfor range 3000 { fmt.Fprintln(os.Stderr, \"another\") }")
	},
	"clock set back": func(n *patient) { // as the kernel sees it: all files are of tomorrow
		tomorrow := time.Now().Add(24 * time.Hour)
		n.restart(func() {
			for _, file := range n.cached() {
				if err := os.Chtimes(file, tomorrow, tomorrow); err != nil {
					n.t.Error(err)
				}
			}
		})
	},
	"cache file cut short": func(n *patient) {
		n.restart(func() { n.spoil(func(data []byte) []byte { return data[:len(data)/2] }) })
	},
	"cache file of zeros": func(n *patient) {
		n.restart(func() { n.spoil(func(data []byte) []byte { return make([]byte, len(data)) }) })
	},
	"two kernels, one cache": func(n *patient) {
		n.restart(func() {
			if err := os.RemoveAll(filepath.Join(n.cache, "nnkit", "lib")); err != nil {
				n.t.Error(err)
			}
		})
		other, file := n.begin()
		c := n.dial(file)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		p, err := c.Start(client.Cell("import \"net/http\"\nhttp.StatusOK"))
		if err != nil {
			n.t.Fatal(err)
		}
		n.expect("", "import \"net/http\"\nhttp.StatusOK")
		r, err := c.Wait(ctx, p)
		if err != nil {
			n.t.Fatal(err)
		}
		if text, failure := outcome(r); text != "200" {
			n.t.Errorf("the other kernel: %q %s", text, failure)
		}
		if err := c.Shutdown(ctx, false); err != nil {
			n.t.Error(err)
		}
		c.Close()
		if err := other.Wait(); err != nil {
			n.t.Error(err)
		}
	},
}

// spoil changes each file of the cache, one of three at a time.
func (n *patient) spoil(change func([]byte) []byte) {
	n.t.Helper()
	n.elements++
	for i, file := range n.cached() {
		if i%3 != n.elements%3 {
			continue
		}
		data, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, change(data), 0o666)
		}
		if err != nil {
			n.t.Error(err)
		}
	}
}
