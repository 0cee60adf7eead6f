package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

// binary is the program itself, which the tests run.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "kernel-test-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "kernel")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Stderr = os.Stderr
	status := 1
	if err := build.Run(); err == nil {
		status = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(status)
}

// A result is what a run of the program left.
type result struct {
	stdout, stderr string
	status         int
}

// kernel runs the program with arguments, for which environment variables may stand
// before, and standard input.
func kernel(t *testing.T, input string, args ...string) result {
	t.Helper()
	n := 0
	for n < len(args) && strings.Contains(args[n], "=") && strings.ToUpper(args[n][:1]) == args[n][:1] {
		n++
	}
	cmd := exec.CommandContext(t.Context(), binary, args[n:]...)
	cmd.Env = append(os.Environ(), args[:n]...)
	cmd.Stdin = strings.NewReader(input)
	return resultOf(t, cmd)
}

// resultOf runs a command to its end.
func resultOf(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// ok runs the program, which must exit with a status, and returns all it printed.
func ok(t *testing.T, status int, args ...string) string {
	t.Helper()
	r := kernel(t, "", args...)
	if r.status != status {
		t.Fatalf("kernel %s exits with %d, want %d\n%s%s", strings.Join(args, " "), r.status, status, r.stdout, r.stderr)
	}
	return r.stdout + r.stderr
}

// contains checks that a text holds others.
func contains(t *testing.T, what, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q:\n%.1500s", what, want, text)
		}
	}
}

// cells writes a notebook of code cells to a file; a cell that begins with "#tag" has
// that tag.
func cells(t *testing.T, sources ...string) string {
	t.Helper()
	nb := &notebook.Notebook{}
	for _, source := range sources {
		c := &notebook.Cell{Type: notebook.Code, Source: source}
		if tag, rest, tagged := strings.Cut(strings.TrimPrefix(source, "#"), "\n"); tagged && source[0] == '#' {
			c.Source, c.Metadata = rest, map[string]any{"tags": []any{tag}}
		}
		nb.Cells = append(nb.Cells, c)
	}
	name := filepath.Join(t.TempDir(), "nb.ipynb")
	if err := nb.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func beside(name, ending string) string { return strings.TrimSuffix(name, ".ipynb") + ending }

// TestUsage has the command line told what is wrong with it, and what would be right.
func TestUsage(t *testing.T) {
	name := cells(t, "#parameters\nrate := 0.1", "rate")
	for _, test := range []struct {
		args string
		want string
	}{
		{"", "kernel: no command is given\n\nusage: kernel COMMAND …"},
		{"frob", `there is no command "frob"`},
		{"run", "it wants one notebook, and there are 0 arguments\nkernel help run tells more."},
		{"run a b", "there are 2 arguments"},
		{"run a --outptu b", "there is no flag --outptu"},
		{"run a --output", "--output wants a value behind it"},
		{"run a --timeout 3", "--timeout 3: it wants a time above 0 with its unit, as 90s or 5m"},
		{"run a --jobs 0 --sweep a=1", "--jobs 0: it wants a number from 1 on"},
		{"run a --jobs 2", "--jobs is for --sweep, which is not given"},
		{"run a --allow-errors=perhaps", "--allow-errors perhaps: it is on or off: write it alone, or with =false"},
		{"run NB --cells 1-9", "--cells 1-9: the notebook has 2 cells with code"},
		{"run a --cells 1-x", `--cells 1-x: "1-x" is no number from 1 on and no span of them: write it as 1-5,7`},
		{"run a -p rate", `-p rate: "rate" is not of the form NAME=VALUE, as in rate=0.01`},
		{"run NB -p rat=1", "there is no parameter rat: there are rate = 0.1"},
		{"run NB -p rate=fast", "parameter rate: fast does not suit it (float64)"},
		{"run NB --sweep rate=1,fast", "parameter rate: fast does not suit it"},
		{"run NB --sweep rate=1,,2", `has a value that is empty`},
		{"run NB --sweep rate=1 --html x", "--html and --junit are of one run"},
		{"run a --again", "--again is for --sweep, which is not given"},
		{"run a --on slurm", "--on is for --sweep, which is not given"},
		{"run NB --sweep rate=1 --dry-run", "--dry-run is for --on slurm, which is not given"},
		{"run a --sweep rate=1 --on pbs", "--on pbs: it knows slurm alone"},
		{"run a --sbatch --array=1-3", "--sbatch --array=1-3: --array cannot be given"},
		{"task a", "it wants the folder of a sweep and a number, and there are 1 arguments"},
		{"convert NB --output x.pdf", "--output x.pdf: what to write is told by the ending, .go, .ipynb or .html"},
		{"help frob", `there is no command "frob"`},
	} {
		r := kernel(t, "", strings.Fields(strings.ReplaceAll(test.args, "NB", name))...)
		if r.status != statusUsage || r.stdout != "" || !strings.Contains(r.stderr, test.want) {
			t.Errorf("kernel %s exits with %d and prints\n%s%s\nwant 2 and %q", test.args, r.status, r.stdout, r.stderr, test.want)
		}
	}
	contains(t, "the overview", ok(t, 0, "help"), "run NOTEBOOK", "verify NOTEBOOK", "lock NOTEBOOK", "convert NOTEBOOK", "strip [NOTEBOOK…]")
	help := ok(t, 0, "help", "run")
	contains(t, "the help", help, "usage: kernel run NOTEBOOK [flags]", "--sweep NAME=VALUE,VALUE…", "-p NAME=VALUE", "exit status:")
	if other := ok(t, 0, "run", "--help"); other != help {
		t.Errorf("run --help prints\n%s\nand help run\n%s", other, help)
	}
	for line := range strings.Lines(help) {
		if line = strings.TrimSuffix(line, "\n"); len([]rune(line)) > 116 {
			t.Errorf("a line of the help is %d characters wide: %s", len([]rune(line)), line)
		}
	}
	contains(t, "no file", ok(t, statusImpossible, "run", filepath.Join(t.TempDir(), "none.ipynb")), "none.ipynb: no such file")
}

// TestRun executes a notebook with one worker, and with a process for each cell,
// where the declarations of the first cell are known to the second.
func TestRun(t *testing.T) {
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{nil, "the answer is 49"},
		{[]string{"--alone"}, "the answer is 42"},
	} {
		t.Run(strings.Join(test.flags, " "), func(t *testing.T) {
			name := cells(t, "var six = 6\nfunc times(n int) int { return six * n }\nsix++", `fmt.Println("the answer is", times(7))`)
			before := read(t, name)
			ok(t, 0, append([]string{"run", name}, test.flags...)...)
			contains(t, "the notebook", read(t, beside(name, ".executed.ipynb")), test.want)
			contains(t, "the page", read(t, beside(name, ".html")), test.want)
			if read(t, name) != before {
				t.Error("the notebook itself has changed")
			}
		})
	}
}

// TestRunForMachines has cells fail, hang, and left out.
func TestRunForMachines(t *testing.T) {
	name := cells(t, "n := 1", `panic("boom")`, "for {\n}", "n + 41")
	report := beside(name, ".xml")
	out := ok(t, statusFailed, "run", name, "--junit", report)
	contains(t, "the first failure", out, "cell 2, In [2], `panic(\"boom\")`: panic: boom")
	var parsed struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	if err := xml.Unmarshal([]byte(read(t, report)), &parsed); err != nil || parsed.Tests != 2 || parsed.Failures != 1 {
		t.Errorf("the report counts %+v (%v)", parsed, err)
	}

	ok(t, 0, "run", name, "--allow-errors", "--timeout", "1s", "--junit", report)
	executed := read(t, beside(name, ".executed.ipynb"))
	contains(t, "the notebook", executed, "boom", "the cell took longer than 1s and was interrupted", `"42"`)
	contains(t, "the report", read(t, report), `tests="4" failures="2"`, "the cell took longer than 1s")

	ok(t, 0, "run", name, "--cells", "1,4", "--output", beside(name, ".some.ipynb"))
	some := read(t, beside(name, ".some.ipynb"))
	contains(t, "the notebook", some, `"42"`, `"execution_count": 4`)
	if strings.Contains(some, "boom\n") || strings.Contains(some, `"execution_count": 3`) {
		t.Errorf("cells that were not chosen were executed:\n%s", some)
	}
}

// TestParameters gives a notebook other values.
func TestParameters(t *testing.T) {
	name := cells(t, "#parameters\nrate, name := 0.1, \"a\"\nconst epochs = 3", `fmt.Printf("%v %v %T %s", rate, epochs, rate, name)`)
	for _, flags := range [][]string{nil, {"--alone"}} {
		ok(t, 0, append([]string{"run", name, "-p", "rate=1", "-p", "epochs=20", "-p", "name=so so"}, flags...)...)
		executed := read(t, beside(name, ".executed.ipynb"))
		contains(t, "the notebook", executed, "1 20 float64 so so", `"injected-parameters"`, "var rate float64 = 1", `"rate": "1"`)
	}
	// What was given stays when the executed notebook is executed again.
	again := beside(name, ".executed.ipynb")
	ok(t, 0, "run", again, "-p", "rate=2")
	contains(t, "the notebook", read(t, beside(again, ".executed.ipynb")), "2 3 float64 a")
}

// TestSweep executes a notebook on a grid, of which one point fails.
func TestSweep(t *testing.T) {
	name := cells(t, "#parameters\nrate := 0.1\nvar layers = []int{4}", `import (
	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)
if rate > 5 { panic("the rate is too high") }
clinic := data.Clinic(1)
scaler := data.Standardize(clinic.X)
x := scaler.Apply(clinic.X)
model := nnkit.Sequential(nnkit.Dense(layers[0], nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid))
model.Compile(nnkit.SGD(nnkit.LearningRate(rate)), nnkit.BinaryCrossEntropy, nnkit.Accuracy)
model.Fit(x, clinic.Y, nnkit.Epochs(3), nnkit.ValidationSplit(0.2))`)
	dir := beside(name, ".sweep")
	out := ok(t, statusFailed, "run", name, "--sweep", "rate=0.0001,0.5,9", "--sweep", "layers=[]int{3},[]int{6,2}", "--jobs", "2")
	contains(t, "what is printed", out, "6 runs, 2 at a time", "failed: cell 3, In [3]", "2 of 6 runs failed", "best val_loss")
	page := read(t, filepath.Join(dir, "index.html"))
	contains(t, "the page", page, "2 failed", "the rate is too high", "<polyline", "val_accuracy", "[]int{6,2}", "default-src 'none'")
	first := strings.Index(page, `<td class="parameter">0.5</td>`)
	if small := strings.Index(page, `<td class="parameter">0.0001</td>`); first < 0 || small < first {
		t.Error("the best run is not the first one")
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.ipynb"))
	if len(names) != 6 {
		t.Errorf("there are %d notebooks, want 6: %v", len(names), names)
	}
	executed := 0
	for _, n := range names {
		nb, err := notebook.ReadFile(n)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, c := range nb.Cells {
			if c.Tagged("injected-parameters") && c.ExecutionCount > 0 {
				executed++
			}
		}
	}
	if executed != 6 {
		t.Errorf("%d of 6 notebooks have executed a cell of parameters", executed)
	}
	contains(t, "an unknown metric", ok(t, statusImpossible, "run", name, "--sweep", "rate=0.5", "--sort", "f1"), "there is no such metric, but loss, accuracy, val_loss, val_accuracy")
}

// TestConvert goes to text and back, and to a page.
func TestConvert(t *testing.T) {
	name := cells(t, "#parameters\nrate := 0.1", "%env A=b\nfmt.Println(rate)")
	ok(t, 0, "convert", name)
	text := read(t, beside(name, ".go"))
	contains(t, "the text", text, `// %% id="`, `tags=["parameters"]`, "\nrate := 0.1\n", "\n// %env A=b\n")
	contains(t, "a file that is there", ok(t, statusImpossible, "convert", name), "is there already")
	back := filepath.Join(t.TempDir(), "back.ipynb")
	ok(t, 0, "convert", beside(name, ".go"), "--output", back)
	if read(t, back) != read(t, name) {
		t.Errorf("it comes back as\n%s\nwant\n%s", read(t, back), read(t, name))
	}
	ok(t, 0, "run", beside(name, ".go"), "-p", "rate=3", "--output", back)
	contains(t, "the executed text", read(t, back), `"3\n"`)
	ok(t, 0, "convert", back, "--output", beside(name, ".html"))
	contains(t, "the page", read(t, beside(name, ".html")), "<pre>A=&#34;b&#34;\n3</pre>")

	// The go command is not disturbed by such a file.
	module := t.TempDir()
	for file, content := range map[string]string{"go.mod": "module m\n\ngo 1.26\n", "a.go": "package m\n", "nb.go": text} {
		if err := os.WriteFile(filepath.Join(module, file), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "vet", "./...")
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go vet beside a notebook: %v\n%s", err, out)
	}
}

// TestStrip takes outputs out, as a filter and in place.
func TestStrip(t *testing.T) {
	name := cells(t, "fmt.Println(6 * 7)")
	clean := read(t, name)
	ok(t, 0, "run", name, "--output", name)
	executed := read(t, name)
	r := kernel(t, executed, "strip")
	if r.status != 0 || strings.Contains(r.stdout, "42") || !strings.Contains(r.stdout, "6 * 7") {
		t.Errorf("the filter exits with %d and writes\n%s%s", r.status, r.stdout, r.stderr)
	}
	contains(t, "stripping", ok(t, 0, "strip", name), "stripped "+name)
	if read(t, name) != r.stdout || ok(t, 0, "strip", name) != "" {
		t.Error("stripped in place it is another notebook")
	}
	if len(r.stdout) < len(clean) {
		t.Error("more is gone than outputs")
	}
	if r := kernel(t, "{}", "strip"); r.status != statusImpossible || !strings.Contains(r.stderr, "standard input") {
		t.Errorf("no notebook: %+v", r)
	}
}

// TestVerify finds what is different, and nothing where only the time is, whatever
// the number of cores and the instructions.
func TestVerify(t *testing.T) {
	name := cells(t, `import "github.com/seed5607215b/nnkit/nnkit"
import "github.com/seed5607215b/nnkit/nnkit/data"
import "github.com/seed5607215b/nnkit/display"
digits := data.Digits(200, 1)
model := nnkit.Sequential(nnkit.Conv2D(4, 3, nnkit.ReLU), nnkit.Flatten(), nnkit.Dropout(0.2), nnkit.Dense(10, nnkit.Softmax))
model.Compile(nnkit.Adam(), nnkit.SparseCategoricalCrossEntropy, nnkit.Accuracy)
history := model.Fit(digits.X, digits.Y, nnkit.Epochs(2), nnkit.ValidationSplit(0.2), display.Live())
history`, "model.Parameters()[0].Data()", `fmt.Println(time.Now(), os.Getpid() > 0, "1.5 s")`)
	if out := ok(t, statusImpossible, "verify", name); !strings.Contains(out, "holds no outputs to compare with") {
		t.Errorf("a notebook without outputs: %s", out)
	}
	ok(t, 0, "run", name, "--output", name)
	ok(t, 0, "lock", name)
	before := read(t, name)
	for _, env := range []string{"GOMAXPROCS=1", "GOMAXPROCS=3", "NNKIT_SIMD=avx2", "NNKIT_SIMD=go"} {
		out := ok(t, 0, env, "verify", name)
		contains(t, env, out, "0 something else", "same, but for times and paths")
	}
	if read(t, name) != before {
		t.Error("verifying has changed the notebook")
	}

	report := beside(name, ".xml")
	changed := strings.Replace(before, `nnkit.Epochs(2)`, `nnkit.Epochs(3)`, 1)
	if err := os.WriteFile(name, []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
	out := ok(t, statusFailed, "verify", name, "--junit", report)
	contains(t, "the report", out, "DIFFERENT", "output 1, text/plain, line 1:", "2 something else", "something else than is recorded")
	contains(t, "the report", read(t, report), `tests="3" failures="2"`)
}

// TestLock names what is missing or different elsewhere.
func TestLock(t *testing.T) {
	name := cells(t, "#parameters\nrate := 0.1", `r := rand.New(rand.NewPCG(1, 2))
b := os.ReadFile("data.csv")
os.WriteFile("made.txt", b, 0o666)
fmt.Println(len(b), r.IntN(100))`)
	dir := filepath.Dir(name)
	file := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	file("data.csv", "1,2\n")
	file("more.bin", "x")
	ok(t, 0, "run", name, "--output", name)
	out := ok(t, 0, "lock", name, "--data", filepath.Join(dir, "more.bin"))
	contains(t, "what is locked", out, "kernel 0.1.0", "2 files of data", "1 seed, 1 parameter")
	text := read(t, name)
	contains(t, "the lock", text, `"gonum.org/v1/gonum v`, `"data.csv": "sha256:`, `"more.bin": "sha256:`, `"rand.NewPCG(1, 2)"`, `"rate": "0.1"`, `"sources": "h1:`)
	if strings.Contains(text, `"made.txt": "sha256:`) {
		t.Error("a file that the notebook writes is locked")
	}
	ok(t, 0, "verify", name)

	// A notebook from elsewhere.
	var nb map[string]any
	if err := json.Unmarshal([]byte(text), &nb); err != nil {
		t.Fatal(err)
	}
	lock := nb["metadata"].(map[string]any)["nnkit"].(map[string]any)["lock"].(map[string]any)
	lock["go"], lock["kernel"] = "go1.21.0", "0.0.9"
	lock["seeds"] = []string{"rand.NewPCG(3, 4)"}
	modules := lock["modules"].([]any)
	for i, line := range modules {
		modules[i] = strings.ReplaceAll(line.(string), "gonum.org/v1/gonum v0.17.0 ", "gonum.org/v1/gonum v0.16.0 ")
	}
	data, err := json.Marshal(nb)
	if err != nil {
		t.Fatal(err)
	}
	file("nb.ipynb", string(data))
	file("data.csv", "1,3\n")
	if err := os.Remove(filepath.Join(dir, "more.bin")); err != nil {
		t.Fatal(err)
	}
	out = ok(t, statusImpossible, "verify", name)
	contains(t, "what is different", out, ", locked is go1.21.0", "the kernel is 0.1.0, locked is 0.0.9",
		"module gonum.org/v1/gonum is v0.17.0, locked is v0.16.0", "data file data.csv is another: sha256:", "data file more.bin is missing",
		"the seeds are rand.NewPCG(1, 2), locked are rand.NewPCG(3, 4)", "0 something else")
	contains(t, "a run all the same", ok(t, 0, "run", name), "lock: data file more.bin is missing")
}
