package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSweepAgain starts a sweep again: what went well is kept, unless what it rests on
// has changed.
func TestSweepAgain(t *testing.T) {
	name := cells(t, "#parameters\nn := 0", `data := os.ReadFile("data.txt")
if n == 2 && string(data) == "first" { panic("not yet") }
f := os.OpenFile("executed", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
fmt.Fprint(f, n, " ")
f.Close()
string(data)`)
	dir := filepath.Dir(name)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("data.txt", "first")
	sweep := []string{"run", name, "--sweep", "n=1,2,3", "--jobs", "1"}
	executes := func(what string, status int, want string, args ...string) string {
		t.Helper()
		os.Remove(filepath.Join(dir, "executed"))
		out := ok(t, status, append(sweep, args...)...)
		got, _ := os.ReadFile(filepath.Join(dir, "executed"))
		if string(got) != want {
			t.Errorf("%s executes %q, want %q:\n%s", what, got, want, out)
		}
		return out
	}
	executes("a sweep", statusFailed, "1 3 ")
	out := executes("what failed", statusFailed, "")
	contains(t, "a sweep again", out, "2 of 3 runs are kept from before (--again executes them again)", "1 more, 1 at a time", "[3/3] n=2", "failed: ", "1 of 3 runs failed")
	write("data.txt", "second")
	executes("other data", 0, "1 2 3 ")
	executes("nothing new", 0, "")
	executes("all again", 0, "1 2 3 ", "--again")
	executes("other flags", 0, "1 2 3 ", "--allow-errors")

	// One that was interrupted, or whose files are gone.
	files, err := filepath.Glob(filepath.Join(dir, "nb.sweep", "3-*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	write(filepath.Join("nb.sweep", filepath.Base(files[0])), "{")
	executes("what is damaged", 0, "3 ", "--allow-errors")

	text := strings.Replace(read(t, name), "string(data)\"", "len(data)\"", 1)
	write("nb.ipynb", text)
	executes("another notebook", 0, "1 2 3 ", "--allow-errors")

	write(filepath.Join("nb.sweep", "sweep.json"), `{"format": 9}`)
	contains(t, "a plan from the future", ok(t, statusImpossible, sweep...), "is a plan of format 9, and this kernel knows 1: delete it to begin anew")
}

// TestBuilt executes the runs of a sweep by the programs that are built for a cluster,
// where no other program can be found: each shows what it shows in a session.
func TestBuilt(t *testing.T) {
	name := cells(t, "#parameters\nvar words = []string{\"a\"}\nconst k = 2\nn := 1", `type point struct{ X, Y int }
func (p *point) sum() int { return p.X + p.Y }
func check(n int) int {
	if n > 3 { panic(fmt.Sprint(n, " is too much")) }
	return n * k
}
fmt.Println(words, k, check(n))
fmt.Fprintln(os.Stderr, "to the other stream")
fmt.Println("and back")`,
		"!echo from the shell; exit 3",
		`point{n, k}`,
		`check(n + 2)`,
		`var p *point
p.sum()`,
		`os.ReadFile("nowhere")
os.Open("nowhere")`,
		`f := os.Open("nowhere")`,
		`var line string
fmt.Scanln(&line)`,
		"//go:build ignore\n\nundefined",
		`img := image.NewGray(image.Rect(0, 0, 8, 8))
img`,
		`display.Dashed`, // of a package that is used by this cell alone
	)
	// nnkit's own packages are not needed here.
	text := strings.Replace(read(t, name), "display.Dashed", "strings.ToUpper(words[0])", 1)
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(name)
	sweep := []string{"run", name, "--allow-errors", "-p", "n=2", "--sweep", `words=[]string{"b"},[]string{"c","d"}`, "--sweep", "k=3,4"}
	ok(t, 0, append(sweep, "--output", filepath.Join(dir, "here"))...)
	out := ok(t, 0, append(sweep, "--output", filepath.Join(dir, "there"), "--on", "slurm", "--dry-run", "--jobs", "3")...)
	contains(t, "what is written", out, "4 runs, 3 at a time on Slurm", "sbatch there/slurm/array.sh")
	contains(t, "the script", read(t, filepath.Join(dir, "there/slurm/array.sh")), "#SBATCH --array=1-4%3\n", "exec ./there/slurm/kernel task --built there \"$SLURM_ARRAY_TASK_ID\"\n")
	for _, number := range []string{"1", "2", "3", "4"} {
		cmd := exec.CommandContext(t.Context(), "./there/slurm/kernel", "task", "--built", "there", number)
		cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/bin:/bin", "TMPDIR=" + t.TempDir()}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("run %s: %v\n%s", number, err, out)
		}
	}
	runs, err := filepath.Glob(filepath.Join(dir, "here", "*.ipynb"))
	if err != nil || len(runs) != 4 {
		t.Fatal(runs, err)
	}
	for _, here := range runs {
		if there := filepath.Join(dir, "there", filepath.Base(here)); read(t, here) != read(t, there) {
			diff, _ := exec.Command("diff", here, there).CombinedOutput()
			t.Errorf("%s differs:\n%s", filepath.Base(here), diff)
		}
	}
	out = ok(t, 0, append(sweep, "--output", filepath.Join(dir, "there"), "--on", "slurm")...)
	contains(t, "gathered", out, "4 of 4 runs are kept", "wrote")

	notFound := kernel(t, "", append([]string{"PATH=/nowhere"}, append(sweep, "--output", filepath.Join(dir, "there"), "--on", "slurm", "--again")...)...)
	contains(t, "without Slurm", notFound.stderr, "--on slurm: there is no sbatch on the PATH", "--dry-run")
}
