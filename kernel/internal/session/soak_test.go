//go:build soak

package session

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSoak executes hundreds of cells in one session, from a generator with a
// seed, and keeps a model of what every variable must be. Cells define and
// redefine, panic, do not compile, are interrupted, flood, and end the worker.
// Then it looks at what the session has used up and left behind.
func TestSoak(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	const cells, seed = 500, 1
	m := &model{
		person: newPerson(t), rand: rand.New(rand.NewPCG(seed, seed)),
		variables: map[string]int{}, functions: map[string][2]int{},
	}
	for i := range 5 {
		m.define(fmt.Sprintf("v%d", i))
		m.function(fmt.Sprintf("f%d", i))
	}
	m.retype()
	m.make()
	var before usage
	for i := range cells {
		if i == 50 {
			before = m.usage()
		}
		m.step(i)
		if i%10 == 9 {
			m.checkAll()
		}
		if t.Failed() {
			t.Fatalf("after %d cells with seed %d", i, seed)
		}
	}
	after := m.usage()
	t.Logf("%d cells; the kernel after 50 cells: %+v; at the end: %+v; the worker's memory a cell: %d KB", m.count, before, after, m.memoryACell())
	if after.goroutines > before.goroutines+5 || after.files > before.files+5 || after.threads > before.threads+20 {
		t.Errorf("the kernel had %+v after 50 cells and has %+v after %d", before, after, cells)
	}
	if grown := (after.heap - before.heap) / (cells - 50); grown > 200<<10 {
		t.Errorf("the kernel keeps %d bytes a cell", grown)
	}
	if kb := m.memoryACell(); kb > 300 {
		t.Errorf("the worker takes %d KB a cell", kb)
	}
	if files := len(m.workerFiles()); files > 20 {
		t.Errorf("the worker has %d open files: %v", files, m.workerFiles())
	}
	worker := m.session.runner.(*live).current().PID()
	if err := m.session.Close(); err != nil {
		t.Error(err)
	}
	for _, pid := range append(m.children, worker) {
		expectGone(t, strconv.Itoa(pid))
	}
	left, _ := filepath.Glob(filepath.Join(tmp, "nnkit-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// model is what the session must hold.
type model struct {
	*person
	rand      *rand.Rand
	variables map[string]int
	functions map[string][2]int // x*a + b
	fields    int               // of the type point, beside x
	factor    int               // of its method
	point     *int              // x of the variable p, nil while it has no value
	children  []int

	cellsOfWorker int // since it was started
	memory        int // of it after its first cells, in KB
}

// action is something that a cell does; weight is how often.
type action struct {
	weight int
	do     func(m *model)
}

var actions = []action{
	{20, func(m *model) { m.define(m.name("v")) }},
	{15, func(m *model) { m.function(m.name("f")) }},
	{20, (*model).use},
	{15, (*model).add},
	{6, (*model).retype},
	{6, (*model).remethod},
	{8, (*model).make},
	{10, (*model).panics},
	{8, (*model).refused},
	{3, (*model).interrupt},
	{2, (*model).flood},
	{3, (*model).goroutines},
	{2, (*model).child},
}

func (m *model) step(i int) {
	if i%90 == 89 { // seldom, and surely
		m.dies(i / 90)
		return
	}
	total := 0
	for _, a := range actions {
		total += a.weight
	}
	n := m.rand.IntN(total)
	for _, a := range actions {
		if n -= a.weight; n < 0 {
			a.do(m)
			break
		}
	}
	if m.cellsOfWorker++; m.cellsOfWorker == 20 {
		m.memory = residentMemory(m.T, m.session.runner.(*live).current().PID())
	}
}

func (m *model) name(prefix string) string { return prefix + strconv.Itoa(m.rand.IntN(5)) }

// expect executes a cell that shows exactly a text.
func (m *model) expect(want, format string, args ...any) {
	m.Helper()
	code := fmt.Sprintf(format, args...)
	if got := m.runs(code); got != want {
		m.Errorf("cell %d\n%s\nshows\n%.2000s\nwant\n%s", m.count, code, got, want)
	}
}

func result(v int) string { return fmt.Sprintf("result: text/plain %d\n", v) }

func (m *model) define(name string) {
	v := m.rand.IntN(1000)
	m.expect("", "%s := %d", name, v)
	m.variables[name] = v
}

// known is a variable that has a value; if there is none, it makes one.
func (m *model) known() string {
	if len(m.variables) == 0 {
		m.define(m.name("v"))
	}
	names := slices.Sorted(maps.Keys(m.variables))
	return names[m.rand.IntN(len(names))]
}

func (m *model) function(name string) {
	f := [2]int{m.rand.IntN(10), m.rand.IntN(10)}
	m.expect("", "func %s(x int) int { return x*%d + %d }", name, f[0], f[1])
	m.functions[name] = f
}

func (m *model) use() {
	v, w, f := m.known(), m.known(), m.name("f")
	c := m.functions[f]
	m.expect(result(m.variables[v]+m.variables[w]*c[0]+c[1]), "%s + %s(%s)", v, f, w)
}

func (m *model) add() {
	v, n := m.known(), m.rand.IntN(100)
	m.variables[v] += 3 * n
	m.expect(result(m.variables[v]), "for range 3 {\n\t%s += %d\n}\n%s", v, n, v)
}

// retype gives the type point another layout: a value of it is lost.
func (m *model) retype() {
	m.fields++
	m.factor = 1 + m.rand.IntN(9)
	m.expect("", "type point struct {\n\tx int\n\tmore [%d]int\n}\n\nfunc (p point) get() int { return p.x * %d }", m.fields, m.factor)
	m.point = nil
}

// remethod gives it another method: a value of it is kept.
func (m *model) remethod() {
	m.factor = 1 + m.rand.IntN(9)
	m.expect("", "func (p point) get() int { return p.x * %d }", m.factor)
}

func (m *model) make() {
	x := m.rand.IntN(1000)
	m.point = &x
	m.expect(result(x*m.factor), "p := point{x: %d}\np.get()", x)
}

func (m *model) panics() {
	v, n := m.known(), m.rand.IntN(1000)
	m.variables[v] = n
	want := fmt.Sprintf("panic: panic: boom %d\n  Cell [%d], line 2\n    panic(fmt.Sprint(\"boom \", %d))\n    ^\n", n, m.count+1, n)
	m.expect(want, "%s = %d\npanic(fmt.Sprint(\"boom \", %d))", v, n, n)
}

func (m *model) refused() {
	v := m.known()
	m.shows(fmt.Sprintf("%s = 1\n%s = \"text\"", v, v), "CompileError", fmt.Sprintf("Cell [%d], line 2", m.count+1))
}

func (m *model) interrupt() {
	v, n := m.known(), m.rand.IntN(1000)
	m.variables[v] = n
	timer := time.AfterFunc(300*time.Millisecond, func() { _ = m.session.Interrupt(m.Context()) })
	defer timer.Stop()
	got := m.shows(fmt.Sprintf("%s = %d\nfor {\n}", v, n), "Interrupted")
	if strings.Contains(got, "before the cell ran") { // the machine is slow
		m.expect("", "%s = %d", v, n)
	}
}

func (m *model) flood() {
	const lines = 100_000
	got := m.runs(fmt.Sprintf("for i := range %d {\n\tfmt.Println(i)\n}", lines))
	if n := strings.Count(got, "\n"); n != lines {
		m.Errorf("cell %d shows %d lines, want %d", m.count, n, lines)
	}
}

// goroutines starts some that end, one of them after the cell.
func (m *model) goroutines() {
	v := m.known()
	m.variables[v] += 1000
	m.expect(result(m.variables[v]), "var wg sync.WaitGroup\nvar mu sync.Mutex\nfor range 1000 {\n\twg.Go(func() {\n\t\tmu.Lock()\n\t\tdefer mu.Unlock()\n\t\t%s++\n\t})\n}\nwg.Wait()\ngo time.Sleep(100 * time.Millisecond)\n%s", v, v)
}

func (m *model) child() { m.children = append(m.children, m.pid(startChild)) }

// dies ends the worker in one of several ways.
func (m *model) dies(way int) {
	ways := []struct{ code, want string }{
		{"os.Exit(3)", "status 3"},
		{"go func() {\n\tpanic(\"elsewhere\")\n}()\nselect {}", "panic: elsewhere"},
		{"debug.SetMaxStack(1 << 20)\nvar down func(n int) int\ndown = func(n int) int { return down(n+1) + 1 }\ndown(0)", "stack overflow"},
		{"syscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}", "killed"},
		{"syscall.Close(4)\nselect {}", "closed the descriptors"},
	}
	w := ways[way%len(ways)]
	m.shows(w.code, "SessionEnded: the session ended: ", w.want)
	for name := range m.variables {
		m.shows(name, name+" has no value any more", "run Cell [")
		break
	}
	clear(m.variables)
	m.point = nil
	for _, pid := range m.children {
		expectGone(m.T, strconv.Itoa(pid))
	}
	m.children, m.cellsOfWorker = nil, 0
}

// checkAll looks at every variable and function at once.
func (m *model) checkAll() {
	names := slices.Sorted(maps.Keys(m.variables))
	functions := slices.Sorted(maps.Keys(m.functions))
	var asked, want []string
	for _, n := range names {
		asked, want = append(asked, n), append(want, strconv.Itoa(m.variables[n]))
	}
	for _, f := range functions {
		asked, want = append(asked, f+"(7)"), append(want, strconv.Itoa(7*m.functions[f][0]+m.functions[f][1]))
	}
	if m.point != nil {
		asked, want = append(asked, "p.get()"), append(want, strconv.Itoa(*m.point*m.factor))
	}
	m.expect("stdout: "+strings.Join(want, " ")+"\n", "fmt.Println(%s)", strings.Join(asked, ", "))
	if m.point == nil {
		m.shows("p", "CompileError")
	}
}

// usage is what the kernel takes.
type usage struct{ goroutines, files, threads, heap int }

func (m *model) usage() usage {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	files, _ := os.ReadDir("/proc/self/fd")
	threads, _ := os.ReadDir("/proc/self/task")
	return usage{runtime.NumGoroutine(), len(files), len(threads), int(s.HeapAlloc)}
}

// memoryACell is what the worker has grown by, in KB.
func (m *model) memoryACell() int {
	return (residentMemory(m.T, m.session.runner.(*live).current().PID()) - m.memory) / max(1, m.cellsOfWorker-20)
}

func (m *model) workerFiles() []string {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", m.session.runner.(*live).current().PID()))
	return files
}
