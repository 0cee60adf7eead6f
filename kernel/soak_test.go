//go:build soak

package main

import (
	"context"
	"encoding/json"
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

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

var (
	soakCells    = flag.Int("cells", 500, "how many cells the session executes")
	soakTime     = flag.Duration("duration", 0, "how long that takes: the cells are that far apart")
	soakProfiles = flag.String("profiles", "", "a folder for profiles of the kernel's heap")
)

// TestSoak executes cells in one session of a real kernel, from a generator with a
// seed, and keeps a model of what every variable must be. Cells are new, repeated and
// redefined; they panic, do not compile, are interrupted, flood and show pictures.
// Between them a person types, looks things up, and comes back with another client.
// A training goes on in the background all the time: again and again the same one,
// which must end the same. The table that is printed tells what kernel, worker and
// their files take; at the end that must be what it was after a tenth of the cells,
// but for the code of the cells themselves. Then a restart that keeps values gives that
// back, the worker is ended in several ways, and at last the kernel, which must leave
// nothing behind.
func TestSoak(t *testing.T) {
	const seed = 1
	m := &model{
		process: newProcess(t, "soak"), rand: rand.New(rand.NewPCG(seed, seed)),
		variables: map[string]int{}, functions: map[string][2]int{},
	}
	m.usageFile = filepath.Join(t.TempDir(), "usage")
	environment := []string{"NNKIT_USAGE=" + m.usageFile}
	if *soakProfiles != "" {
		environment = append(environment, "NNKIT_PROFILE="+m.usageFile+".pprof")
	}
	m.start(environment...)
	t.Cleanup(func() {
		m.client.Close()
		if m.kernel.ProcessState == nil {
			_ = m.kernel.Process.Kill()
			_ = m.kernel.Wait()
		}
	})
	m.train()
	for i := range 5 {
		m.define(fmt.Sprintf("v%d", i))
		m.function(fmt.Sprintf("f%d", i))
	}
	m.retype()
	m.make()
	for _, a := range actions { // each once, so that all is loaded that the generator uses
		a.do(m)
	}
	began := time.Now()
	for i := range *soakCells {
		time.Sleep(time.Until(began.Add(*soakTime * time.Duration(i) / time.Duration(*soakCells))))
		if i%max(1, *soakCells/20) == 0 {
			m.measure(time.Since(began))
			m.reconnect()
		}
		m.step()
		if i%10 == 9 {
			m.checkAll()
		}
		if t.Failed() {
			t.Fatalf("after %d cells with seed %d\n%s", i, seed, m.said)
		}
	}
	m.measure(time.Since(began))
	m.judge()
	m.trained()
	m.keep()
	for way := range deaths {
		m.dies(way)
		for range 20 {
			m.step()
		}
		m.checkAll()
	}
	worker := m.worker()
	m.shutdown()
	m.gone(worker)
	if left, _ := filepath.Glob(filepath.Join(m.tmp, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if m.said.Len() > 0 {
		t.Errorf("the kernel logged %s", m.said)
	}
}

// model is what the session must hold.
type model struct {
	*process
	rand      *rand.Rand
	count     int // of cells
	variables map[string]int
	functions map[string][2]int // x*a + b
	fields    int               // of the type point, beside x
	factor    int               // of its method
	point     *int              // x of the variable p, nil while it has no value
	fresh     int               // of names that were used once
	repeated  int               // of executions of one cell

	usageFile string
	usages    []usage
}

// action is something that a cell does; weight is how often.
type action struct {
	weight int
	do     func(m *model)
}

var actions = []action{
	{20, func(m *model) { m.define(m.name("v")) }},
	{15, func(m *model) { m.function(m.name("f")) }},
	{10, (*model).declare},
	{20, (*model).use},
	{15, (*model).add},
	{15, (*model).again},
	{6, (*model).retype},
	{6, (*model).remethod},
	{8, (*model).make},
	{10, (*model).panics},
	{8, (*model).refused},
	{5, (*model).picture},
	{3, (*model).interrupt},
	{2, (*model).flood},
	{3, (*model).goroutines},
	{2, (*model).child},
}

func (m *model) step() {
	m.types()
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
}

func (m *model) name(prefix string) string { return prefix + strconv.Itoa(m.rand.IntN(5)) }

// ofTraining is what the training in the background prints into whatever cell runs.
var ofTraining = regexp.MustCompile(`training \d+ has ended\n`)

// shown is all that a cell showed, without what the training printed.
func shown(r *client.Result) string {
	var b strings.Builder
	stream := ""
	for _, o := range r.Outputs {
		switch o.Header.Type {
		case "stream":
			var s message.Stream
			if o.Decode(&s) != nil {
				continue
			}
			text := ofTraining.ReplaceAllString(s.Text, "")
			if text == "" {
				continue
			}
			if s.Name != stream {
				b.WriteString(s.Name + ": ")
			}
			stream = s.Name
			b.WriteString(text)
			continue
		case "execute_result", "display_data":
			var d message.DisplayData
			if o.Decode(&d) != nil {
				continue
			}
			switch {
			case d.Data["image/png"] != nil:
				b.WriteString("picture\n")
			case o.Header.Type == "execute_result":
				fmt.Fprintf(&b, "result: %v\n", d.Data["text/plain"])
			}
		case "error":
			var e message.ErrorReply
			if o.Decode(&e) == nil {
				b.WriteString(e.ErrorName + ": " + strings.Join(e.Traceback, "\n") + "\n")
			}
		default:
			continue
		}
		stream = ""
	}
	return colours.ReplaceAllString(b.String(), "")
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// runs executes a cell and returns all that it shows.
func (m *model) runs(code string) string {
	m.t.Helper()
	m.count++
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := m.client.Execute(ctx, code)
	if err != nil {
		m.t.Fatalf("%s\n%v\n%s", code, err, m.said)
	}
	return shown(r)
}

// shows executes a cell that must show all of some texts.
func (m *model) shows(code string, want ...string) string {
	m.t.Helper()
	got := m.runs(code)
	for _, w := range want {
		if !strings.Contains(got, w) {
			m.t.Errorf("%s\nshows\n%s\nwant %q in it", code, got, w)
		}
	}
	return got
}

// expect executes a cell that shows exactly a text.
func (m *model) expect(want, format string, args ...any) {
	m.t.Helper()
	code := fmt.Sprintf(format, args...)
	if got := m.runs(code); got != want {
		m.t.Errorf("cell %d\n%s\nshows\n%.2000s\nwant\n%s", m.count, code, got, want)
	}
}

func number(v int) string { return fmt.Sprintf("result: %d\n", v) }

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

// declare uses names that no other cell uses.
func (m *model) declare() {
	m.fresh++
	m.expect(number(3*m.fresh), "fresh%d := %[1]d\nfunc thrice%[1]d(x int) int { return 3 * x }\nthrice%[1]d(fresh%[1]d)", m.fresh)
}

func (m *model) use() {
	v, w, f := m.known(), m.known(), m.name("f")
	c := m.functions[f]
	m.expect(number(m.variables[v]+m.variables[w]*c[0]+c[1]), "%s + %s(%s)", v, f, w)
}

func (m *model) add() {
	v, n := m.known(), m.rand.IntN(100)
	m.variables[v] += 3 * n
	m.expect(number(m.variables[v]), "for range 3 {\n\t%s += %d\n}\n%s", v, n, v)
}

// again executes a cell that was executed before, which is not compiled for that.
func (m *model) again() {
	m.repeated++
	m.expect(number(m.repeated), "var repeated int\nrepeated++\nrepeated")
}

// retype gives the type point another layout: a value of it is lost.
func (m *model) retype() {
	m.fields = m.fields%50 + 1
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
	m.expect(number(x*m.factor), "p := point{x: %d}\np.get()", x)
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

// picture shows a figure and an image.
func (m *model) picture() {
	n := 2 + m.rand.IntN(100)
	m.expect("picture\npicture\n", "display.Plot([]display.Series{{Name: \"squares\", X: []float64{0, 1, %d}, Y: []float64{0, 1, %d}}}), image.NewGray(image.Rect(0, 0, %d, %d))", n, n*n, n, n)
}

func (m *model) interrupt() {
	v, n := m.known(), m.rand.IntN(1000)
	m.variables[v] = n
	m.count++
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p, err := m.client.Start(client.Cell(fmt.Sprintf("%s = %d\nfmt.Println(\"runs\")\nfor {\n}", v, n)))
	if err != nil {
		m.t.Fatal(err)
	}
	for !strings.Contains(shown(p.SoFar()), "runs\n") && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	if err := m.client.Interrupt(ctx); err != nil {
		m.t.Fatal(err)
	}
	r, err := m.client.Wait(ctx, p)
	if err != nil {
		m.t.Fatal(err)
	}
	if got := shown(r); !strings.HasPrefix(got, "stdout: runs\nInterrupted: ") {
		m.t.Errorf("a cell that was interrupted shows %s", got)
	}
}

func (m *model) flood() {
	const lines = 100_000
	got := m.runs(fmt.Sprintf("for i := range %d {\n\tfmt.Println(i)\n}", lines))
	if n := strings.Count(got, "\n"); n != lines {
		m.t.Errorf("cell %d shows %d lines, want %d", m.count, n, lines)
	}
}

// goroutines starts some that end, one of them after the cell.
func (m *model) goroutines() {
	v := m.known()
	m.variables[v] += 1000
	m.expect(number(m.variables[v]), "var wg sync.WaitGroup\nvar mu sync.Mutex\nfor range 1000 {\n\twg.Go(func() {\n\t\tmu.Lock()\n\t\tdefer mu.Unlock()\n\t\t%s++\n\t})\n}\nwg.Wait()\ngo time.Sleep(100 * time.Millisecond)\n%s", v, v)
}

// child starts a process that ends, and asks for its id.
func (m *model) child() {
	m.expect("result: true\n", "child := exec.Command(\"true\")\nchild.Run()\nchild.ProcessState.Success()")
}

// types is a person who types: some of the time they complete, or look something up.
func (m *model) types() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	switch m.rand.IntN(6) {
	case 0:
		const code = "fmt.Pri"
		got, err := m.client.Complete(ctx, message.CompleteRequest{Code: code, CursorPos: len(code)})
		if err != nil || got.Status != "ok" {
			m.t.Errorf("completing %s: %+v %v", code, got, err)
		}
	case 1:
		code := m.known() + " + f"
		got, err := m.client.Complete(ctx, message.CompleteRequest{Code: code, CursorPos: len(code)})
		if err != nil || got.Status != "ok" {
			m.t.Errorf("completing %s: %+v %v", code, got, err)
		}
	case 2:
		code := m.name("f")
		got, err := m.client.Inspect(ctx, message.InspectRequest{Code: code, CursorPos: len(code)})
		if err != nil || got.Status != "ok" {
			m.t.Errorf("inspecting %s: %+v %v", code, got, err)
		}
	case 3:
		if got, err := m.client.IsComplete(ctx, "func f(x int) {"); err != nil || got.Status != "incomplete" {
			m.t.Errorf("is complete: %+v %v", got, err)
		}
	case 4:
		n := 10
		if got, err := m.client.History(ctx, message.HistoryRequest{AccessType: "tail", N: &n}); err != nil || len(got.History) == 0 {
			m.t.Errorf("history: %d cells, %v", len(got.History), err)
		}
	}
}

// reconnect is a client that goes, and another that comes.
func (m *model) reconnect() {
	strays, err := m.client.Strays()
	if err != nil {
		m.t.Error(err)
	}
	for _, s := range strays { // the training prints into a cell of the client before
		if got := shown(&client.Result{Outputs: []*jupyter.Message{s}}); s.Header.Type != "status" && (s.Header.Type != "stream" || got != "") {
			m.t.Errorf("%s belongs to no request: %s", s.Header.Type, got)
		}
	}
	m.client.Close()
	m.client = m.dial(m.file)
}

// train starts the training in the background. It is slow, so that others have the
// machine as well, and always the same.
func (m *model) train() {
	m.runs(`import (
	"github.com/seed5607215b/nnkit/display"
	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)`) // which tells what it compiles
	m.expect("", `import "sync/atomic"

patients := data.Clinic(1)
var trainings, others atomic.Int64
var enough atomic.Bool
var first string

func train() (string, error) {
	model := nnkit.Sequential(nnkit.Dense(10, nnkit.ReLU), nnkit.Dense(8, nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid))
	if err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy); err != nil {
		return "", err
	}
	history, err := model.Fit(patients.X, patients.Y, nnkit.Epochs(20), nnkit.BatchSize(32), nnkit.ValidationSplit(0.2), nnkit.Seed(1), nnkit.Verbose(0),
		nnkit.OnBatchEnd(func(*nnkit.Training) { time.Sleep(5 * time.Millisecond) }))
	return fmt.Sprint(history.Series("loss"), history.Series("val_loss")), err
}

stopped := make(chan bool)

go func() {
	defer close(stopped)
	for !enough.Load() {
		losses, err := train()
		switch {
		case first == "":
			first = losses
		case losses != first || err != nil:
			others.Add(1)
		}
		fmt.Println("training", trainings.Add(1), "has ended")
	}
}()`)
}

// trained ends it.
func (m *model) trained() {
	got := m.shows("enough.Store(true)\n<-stopped\nlosses, err := train()\nfmt.Println(trainings.Load(), \"trainings,\", others.Load(), \"ended otherwise than the first\")\nerr == nil && losses == first", ", 0 ended otherwise than the first\n", "result: true\n")
	fmt.Print(got)
}

// keep restarts the worker so that it has the values of all variables, among them a
// model that has been trained half, and looks at each.
func (m *model) keep() {
	m.expect("", `halves := func() (*nnkit.Model, error) {
	model := nnkit.Sequential(nnkit.Dense(10, nnkit.ReLU), nnkit.Dropout(0.2), nnkit.Dense(1, nnkit.Sigmoid))
	err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy)
	return model, err
}
model := halves()
model.Fit(patients.X, patients.Y, nnkit.Epochs(3), nnkit.BatchSize(32), nnkit.Verbose(0))
alike := halves()
alike.Fit(patients.X, patients.Y, nnkit.Epochs(3), nnkit.BatchSize(32), nnkit.Verbose(0))
whole := alike.Fit(patients.X, patients.Y, nnkit.Epochs(3), nnkit.BatchSize(32), nnkit.Verbose(0))`)
	before := m.worker()
	began := time.Now()
	got := m.runs("%restart --keep")
	for strings.Contains(got, "goes on (sleep)") && time.Since(began) < patience { // of goroutines, which ends
		got = m.runs("%restart --keep")
	}
	if !strings.Contains(got, "a fresh process has the values of ") || strings.Contains(got, "fresh1:") {
		m.t.Fatalf("%%restart --keep shows\n%s", got)
	}
	m.gone(before)
	then := m.usages[len(m.usages)-1]
	m.measure(0)
	now := m.usages[len(m.usages)-1]
	fmt.Printf("A restart that keeps values took %v: the worker has %d KB and not %d, the kernel %d KB and not %d.\n%s",
		time.Since(began).Round(time.Millisecond), now.worker.resident, then.worker.resident, now.kernel.resident, then.kernel.resident, got)
	if now.libraries > 10 {
		m.t.Errorf("the fresh worker has the libraries of %d cells", now.libraries)
	}
	m.checkAll()
	var fresh []string
	for i := range m.fresh {
		fresh = append(fresh, fmt.Sprintf("fresh%d == %[1]d", i+1))
	}
	for part := range slices.Chunk(fresh, 100) {
		m.expect("result: true\n", "%s", strings.Join(part, " && "))
	}
	m.expect(number(m.repeated), "repeated")
	m.expect("result: true\n", `rest := model.Fit(patients.X, patients.Y, nnkit.Epochs(3), nnkit.BatchSize(32), nnkit.Verbose(0))
slices.Equal(rest.Series("loss"), whole.Series("loss"))`)
}

var deaths = []struct{ code, want string }{
	{"os.Exit(3)", "status 3"},
	{"go func() {\n\tpanic(\"elsewhere\")\n}()\nselect {}", "panic: elsewhere"},
	{"debug.SetMaxStack(1 << 20)\nvar down func(n int) int\ndown = func(n int) int { return down(n+1) + 1 }\ndown(0)", "stack overflow"},
	{"syscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}", "killed"},
	{"syscall.Close(4)\nselect {}", "closed the descriptors"},
}

// dies ends the worker in one of several ways, and a process that it started.
func (m *model) dies(way int) {
	child := m.pid("sleeper := exec.Command(\"sleep\", \"600\")\nsleeper.Start()\nsleeper.Process.Pid")
	m.shows(deaths[way].code, "SessionEnded: the session ended: ", deaths[way].want)
	for name := range m.variables {
		m.shows(name, name+" has no value any more", "run Cell [")
		break
	}
	clear(m.variables)
	m.point, m.repeated = nil, 0
	m.gone(child)
}

// pid executes a cell that shows a process id.
func (m *model) pid(code string) int {
	m.t.Helper()
	text := m.runs(code)
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(text, "result: ")))
	if err != nil {
		m.t.Fatalf("%s\nshows %q, want a process id", code, text)
	}
	return n
}

// worker is the process that holds the values.
func (m *model) worker() int { return m.pid("os.Getpid()") }

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

// usage is what the session takes after some cells.
type usage struct {
	after          time.Duration
	cells          int
	kernel, worker taken
	libraries      int // of cells, in the worker
	code           int // what they take of its memory, in KB
	tmp, cache     int // files
	tmpKB, cacheKB int
	history        int
}

// taken is what a process takes, after a collection; sizes are in KB.
type taken struct{ resident, heap, goroutines, threads, descriptors int }

func (m *model) measure(after time.Duration) {
	m.t.Helper()
	u := usage{after: after, cells: m.count}
	kernel, worker := m.kernel.Process.Pid, m.worker()
	if err := os.Remove(m.usageFile); err != nil && m.usages != nil {
		m.t.Fatal(err)
	}
	if err := m.kernel.Process.Signal(syscall.SIGUSR1); err != nil {
		m.t.Fatal(err)
	}
	var of struct{ Goroutines, Heap int }
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		data, err := os.ReadFile(m.usageFile)
		if err == nil {
			err = json.Unmarshal(data, &of)
		}
		if err == nil {
			break
		}
		if time.Since(began) > patience {
			m.t.Fatal(err)
		}
	}
	if *soakProfiles != "" {
		if err := os.Rename(m.usageFile+".pprof", filepath.Join(*soakProfiles, fmt.Sprintf("%d.pprof", m.count))); err != nil {
			m.t.Error(err)
		}
	}
	u.kernel = m.taken(kernel)
	u.kernel.goroutines, u.kernel.heap = of.Goroutines, of.Heap/1024
	text := m.runs("var stats runtime.MemStats\nruntime.GC()\ndebug.FreeOSMemory()\nruntime.ReadMemStats(&stats)\nfmt.Println(runtime.NumGoroutine(), stats.HeapAlloc/1024)")
	u.worker = m.taken(worker)
	if _, err := fmt.Sscanf(text, "stdout: %d %d\n", &u.worker.goroutines, &u.worker.heap); err != nil {
		m.t.Fatalf("%v: %s", err, text)
	}
	u.libraries, u.code = m.libraries(worker)
	u.tmp, u.tmpKB = files(m.t, m.tmp)
	u.cache, u.cacheKB = files(m.t, m.cache)
	_, u.history = files(m.t, m.state)
	m.usages = append(m.usages, u)
	fmt.Fprintf(os.Stderr, "%s: %d cells: the worker takes %d KB, the kernel %d KB\n", after.Round(time.Second), u.cells, u.worker.resident, u.kernel.resident)
}

// taken reads what the system says of a process.
func (m *model) taken(pid int) taken {
	m.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		m.t.Fatal(err)
	}
	field := func(name string) int {
		_, rest, _ := strings.Cut(string(status), "\n"+name+":")
		n, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			m.t.Fatal(err)
		}
		return n
	}
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		m.t.Fatal(err)
	}
	return taken{resident: field("VmRSS"), threads: field("Threads"), descriptors: len(descriptors)}
}

var mapping = regexp.MustCompile(`(?m)^[0-9a-f]+-[0-9a-f]+ .*?(/.*)?$`)

// libraries counts those of cells in the worker, and what they take.
func (m *model) libraries(pid int) (n, kb int) {
	m.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		m.t.Fatal(err)
	}
	of := map[string]bool{}
	cell := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if match := mapping.FindStringSubmatch(line); match != nil {
			cell = ""
			if strings.Contains(filepath.Base(match[1]), "cell") {
				cell = match[1]
				of[cell] = true
			}
		} else if rest, ok := strings.CutPrefix(line, "Rss:"); ok && cell != "" {
			size, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				m.t.Fatal(err)
			}
			kb += size
		}
	}
	return len(of), kb
}

// files counts those below a folder, and their size.
func files(t *testing.T, dir string) (n, kb int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // it may just have gone
		}
		if info, err := d.Info(); err == nil {
			n++
			kb += int(info.Size()) / 1024
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, kb
}

// judge prints the usages, and compares the last with the one after a tenth of the
// cells. What a cell that was compiled costs for good is told, and taken off: its code
// in the worker; in the kernel its text, what it declares and its line of the history.
func (m *model) judge() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tcells,\tcompiled\tworker: KB\theap\tgoroutines\tthreads\tdescriptors\tkernel: KB\theap\tgoroutines\tthreads\tdescriptors\tfiles: temporary\tKB\tcache\tKB\thistory, KB\t")
	for _, u := range m.usages {
		fmt.Fprintf(w, "%v\t%d\t%d\t", u.after.Round(time.Second), u.cells, u.libraries)
		for _, p := range []taken{u.worker, u.kernel} {
			fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t", p.resident, p.heap, p.goroutines, p.threads, p.descriptors)
		}
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t\n", u.tmp, u.tmpKB, u.cache, u.cacheKB, u.history)
	}
	w.Flush()
	first, last := m.usages[len(m.usages)/10], m.usages[len(m.usages)-1]
	compiled := last.libraries - first.libraries
	perCell := func(now, then int) float64 { return float64(now-then) / float64(compiled) }
	fmt.Printf("A compiled cell costs the worker %.1f KB, of which %.1f KB is its code, and the kernel %.1f KB, of which %.1f KB is heap.\n",
		perCell(last.worker.resident, first.worker.resident), perCell(last.code, first.code),
		perCell(last.kernel.resident, first.kernel.resident), perCell(last.kernel.heap, first.kernel.heap))
	for _, c := range []struct {
		what      string
		then, now int
		ofCells   int // what the cells since then may take
		few       int // that come and go
	}{
		{"the worker's memory in KB", first.worker.resident, last.worker.resident, compiled * 24, 0},
		{"the worker's heap in KB", first.worker.heap, last.worker.heap, compiled * 1, 0},
		{"the worker's goroutines", first.worker.goroutines, last.worker.goroutines, 0, 2},
		{"the worker's threads", first.worker.threads, last.worker.threads, 0, 5},
		{"the worker's descriptors", first.worker.descriptors, last.worker.descriptors, 0, 2},
		{"the kernel's memory in KB", first.kernel.resident, last.kernel.resident, compiled * 4, 0},
		{"the kernel's heap in KB", first.kernel.heap, last.kernel.heap, compiled * 2, 0},
		{"the kernel's goroutines", first.kernel.goroutines, last.kernel.goroutines, 0, 2},
		{"the kernel's threads", first.kernel.threads, last.kernel.threads, 0, 5},
		{"the kernel's descriptors", first.kernel.descriptors, last.kernel.descriptors, 0, 2},
		{"temporary files", first.tmp, last.tmp, 0, 5},
		{"temporary files in KB", first.tmpKB, last.tmpKB, 0, 500},
		{"files in the cache", first.cache, last.cache, 0, 0},
		{"the cache in KB", first.cacheKB, last.cacheKB, 0, 0},
	} {
		if c.now > c.then+c.then/10+c.ofCells+c.few {
			m.t.Errorf("%s: %d after %d cells, and %d after %d", c.what, c.then, first.cells, c.now, last.cells)
		}
	}
}
