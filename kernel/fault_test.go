//go:build fault

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

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
	slowest := map[string]*slow{}
	for i, name := range order {
		n.counter++
		n.expect("", fmt.Sprintf("counter = %d; weights[%d] = %d", n.counter, n.counter%8, n.counter))
		n.weights[n.counter%8] = n.counter
		n.slow = slow{}
		faults[name](n)
		began := time.Now()
		n.check(name)
		n.slow.next = time.Since(began)
		if slowest[name] == nil {
			slowest[name] = new(slow)
		}
		slowest[name].add(n.slow)
		if done := i + 1; done%(10*len(order)/(*rounds)) == 0 && done < len(order) {
			printSlowest(done*(*rounds)/len(order), slowest) // it takes long
		}
		if t.Failed() {
			t.Fatalf("after %d mishaps with seed %d, the last one: %s", i+1, seed, name)
		}
	}
	printSlowest(*rounds, slowest)
}

// printSlowest prints what a person waited for at most.
func printSlowest(rounds int, slowest map[string]*slow) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "mishap, %d times each\tseconds to the cell's first word\tto its end\tto all values after it, at most\n", rounds)
	for _, name := range slices.Sorted(maps.Keys(slowest)) {
		s := slowest[name]
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.2f\n", name, s.word.Seconds(), s.end.Seconds(), s.next.Seconds())
	}
	w.Flush()
}

// slow is how long a person waits at most: for the first word in the cell to which the
// mishap happens, for its end, and for the next cell, with those that make lost values
// again.
type slow struct{ word, end, next time.Duration }

func (s *slow) add(t slow) {
	s.word, s.end, s.next = max(s.word, t.word), max(s.end, t.end), max(s.next, t.next)
}

// A patient is a kernel's process, on a small file system of its own, with what its
// cells have been told.
type patient struct {
	*process
	counter  int
	weights  [8]int
	elements int
	slow     slow
}

const (
	counterCell = "counter := 0"
	weightsCell = "weights := make([]int, 8)\nbyName := map[string]int{\"a\": 1}"
	readCell    = "fmt.Sprint(counter, weights, byName)"
)

func newPatient(t *testing.T) *patient {
	n := &patient{process: newProcess(t, "")}
	n.mount(n.tmp, "64m")
	n.mount(n.cache, "512m")
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
	})
	n.write("go.mod", "module faulty\n\ngo 1.26\n")
	n.write("c/c.go", "package c\n\n// static void crash(void) { volatile int *p = 0; *p = 1; }\nimport \"C\"\n\n// Crash writes where it may not, in C.\nfunc Crash() { C.crash() }\n")
	n.start()
	n.define()
	return n
}

// mount makes a folder a small file system, to fill it.
func (n *patient) mount(dir, size string) {
	n.t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		n.t.Fatalf("a small file system, to fill it (this test wants to be root): %v", err)
	}
	n.t.Cleanup(func() {
		for range 50 { // while what the kernel has left ends
			if syscall.Unmount(dir, 0) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		n.t.Errorf("%s is still in use", dir)
	})
}

// withoutRoom executes a new cell while there is no room in the file system of a
// folder, and again when there is.
func (n *patient) withoutRoom(dir string, code func() string) {
	n.t.Helper()
	for began := time.Now(); ; {
		n.elements++
		code := code()
		empty := n.fill(dir)
		_, failure := n.execute(code)
		empty()
		if failure == "" && time.Since(began) < patience {
			continue // the kernel was just removing something, which made room
		}
		if !strings.Contains(failure, "no space left") {
			n.t.Errorf("with a full disk the cell\n%s\nsays %q", code, failure)
		}
		n.expect("", code)
		return
	}
}

// fill fills the file system of a folder until what it returns is called.
func (n *patient) fill(dir string) (empty func()) {
	n.t.Helper()
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		n.t.Fatal(err)
	}
	for block := make([]byte, 1<<16); err == nil; {
		_, err = f.Write(block)
	}
	f.Close()
	return func() {
		if err := os.Remove(filler); err != nil {
			n.t.Error(err)
		}
	}
}

// execute executes a cell and returns its result as a text, and its error.
func (n *patient) execute(code string) (text, failure string) {
	n.t.Helper()
	p, err := n.client.Start(client.Cell(code))
	if err != nil {
		n.t.Fatal(err)
	}
	return n.await(code, p)
}

// await waits for the end of a cell.
func (n *patient) await(code string, p *client.Pending) (text, failure string) {
	n.t.Helper()
	began := time.Now()
	for said := false; !said && time.Since(began) < patience; {
		select {
		case <-p.Done():
			said = true
		case <-time.After(time.Millisecond):
			said = len(p.SoFar().Types()) > 0
		}
	}
	n.slow.word = max(n.slow.word, time.Since(began))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := n.client.Wait(ctx, p)
	if err != nil {
		n.t.Fatalf("%s\n%v\n%s", code, err, n.said)
	}
	n.slow.end = max(n.slow.end, time.Since(began))
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

// restart ends the kernel in good order, does something, and starts it again.
func (n *patient) restart(between func()) {
	n.t.Helper()
	n.shutdown()
	n.leftBehind(0)
	between()
	n.start()
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
	"worker killed in a cell": func(n *patient) {
		pid := n.worker()
		const code = "fmt.Println(\"this cell runs\")\nselect {}"
		p, err := n.client.Start(client.Cell(code))
		if err != nil {
			n.t.Fatal(err)
		}
		for began := time.Now(); !strings.Contains(p.SoFar().Text("stdout"), "this cell runs\n") && time.Since(began) < patience; {
			time.Sleep(time.Millisecond)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			n.t.Error(err)
		}
		if _, failure := n.await(code, p); !strings.HasPrefix(failure, "SessionEnded: its process was killed") {
			n.t.Errorf("its worker was killed, and the cell says %q", failure)
		}
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
		if _, failure := n.await("the compilers", p); failure != "" && !strings.Contains(failure, "killed") {
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
		n.withoutRoom(n.tmp, func() string { return fmt.Sprintf("func g%d() int { return %[1]d }\ng%[1]d()", n.elements) })
	},
	"disk of the cache full": func(n *patient) {
		n.withoutRoom(n.cache, func() string {
			n.write(fmt.Sprintf("full%d/full.go", n.elements), fmt.Sprintf("package full%d\n\n// F is new.\nfunc F() int { return 1 }\n", n.elements))
			return fmt.Sprintf("import \"faulty/full%d\"\nfull%[1]d.F()", n.elements)
		})
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
	"clock set forward": func(n *patient) { // another kernel takes all of this one's cache for old
		long := time.Now().Add(-1000 * time.Hour)
		for _, file := range n.cached() {
			for path := file; path != n.cache; path = filepath.Dir(path) {
				if err := os.Chtimes(path, long, long); err != nil {
					n.t.Error(err)
				}
			}
		}
		n.another("strconv.Itoa(200)")
		n.again()
	},
	"cache removed": func(n *patient) {
		remove := func() {
			err := os.RemoveAll(filepath.Join(n.cache, "nnkit"))
			for errors.Is(err, syscall.ENOTEMPTY) { // the kernel builds something there
				err = os.RemoveAll(filepath.Join(n.cache, "nnkit"))
			}
			if err != nil {
				n.t.Error(err)
			}
		}
		n.check("before the cache was removed") // a cell that has run
		remove()
		n.elements++
		n.expect("CacheRemoved: .*nnkit was removed while the kernel ran.*%restart builds it again.*counter", fmt.Sprintf("func h%d() int { return %[1]d }\nh%[1]d()", n.elements))
		n.check("the cache was removed")
		n.expect("", "%restart")
		n.again()
		remove()
		n.again()
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
		n.another("import \"net/http\"\nhttp.StatusOK")
	},
}

// another runs a cell that shows 200 in a second kernel, and in this one.
func (n *patient) another(code string) {
	n.t.Helper()
	other, file := n.begin()
	c := n.dial(file)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p, err := c.Start(client.Cell(code))
	if err != nil {
		n.t.Fatal(err)
	}
	n.expect("", code)
	r, err := c.Wait(ctx, p)
	if err != nil {
		n.t.Fatal(err)
	}
	if text, failure := outcome(r); text != "200" && text != `"200"` {
		n.t.Errorf("the other kernel: %q %s", text, failure)
	}
	if err := c.Shutdown(ctx, false); err != nil {
		n.t.Error(err)
	}
	c.Close()
	if err := other.Wait(); err != nil {
		n.t.Error(err)
	}
}

// again compiles a cell, and one more in a fresh worker.
func (n *patient) again() {
	n.t.Helper()
	for range 2 {
		n.elements++
		n.expect("", fmt.Sprintf("func h%d() int { return %[1]d }\nh%[1]d()", n.elements))
		n.expect(dies("exit"), "os.Exit(3)")
	}
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
