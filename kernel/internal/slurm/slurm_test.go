package slurm

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		list []int
		want string
	}{
		{nil, ""}, {[]int{4}, "4"}, {[]int{1, 2}, "1-2"}, {[]int{1, 3, 4, 5, 9, 11, 12}, "1,3-5,9,11-12"},
	} {
		if got := Numbers(c.list); got != c.want {
			t.Errorf("%v is written %q, want %q", c.list, got, c.want)
		}
	}
}

func TestParseOptions(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  []string
		wrong string // what the error says
	}{
		{text: "--partition=x --time=1:00:00", want: []string{"--partition=x", "--time=1:00:00"}},
		{text: "-p x  --exclusive -c 4", want: []string{"-p x", "--exclusive", "-c 4"}},
		{text: ""},
		{text: "x", wrong: `"x" is no option of sbatch`},
		{text: "--time=1 x", wrong: `"x" is no option of sbatch`},
		{text: "-p x y", wrong: `"y" is no option of sbatch`},
		{text: "--array=1-3", wrong: "--array cannot be given"},
		{text: "-a1-3", wrong: "-a cannot be given"},
		{text: "--output x", wrong: "--output cannot be given"},
	} {
		got, err := ParseOptions(c.text)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q: the error is %v, want %s", c.text, err, c.wrong)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %q, %v, want %q", c.text, got, err, c.want)
		}
	}
}

// TestScript has the shell run the script of a task, as Slurm would.
func TestScript(t *testing.T) {
	s := Script{
		Comment: []string{"A sweep.", ""}, Name: "rate-1", Tasks: []int{2, 3, 5}, Most: 2, Output: "a b/%A_%a.out", Options: []string{"--time=1"},
		Command: []string{"./show it", "it's $HOME", "b=c"},
	}
	const want = `#!/bin/bash
# A sweep.
#
#SBATCH --job-name=rate-1
#SBATCH --array=2-3,5%2
#SBATCH --output="a b/%A_%a.out"
#SBATCH --time=1

export GOMAXPROCS="${GOMAXPROCS:-$SLURM_CPUS_ON_NODE}"
exec './show it' 'it'\''s $HOME' b=c "$SLURM_ARRAY_TASK_ID"
`
	if got := s.String(); got != want {
		t.Fatalf("the script is\n%s\nwant\n%s", got, want)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"array.sh": s.String(), "show it": "#!/bin/sh\nprintf '<%s>' \"$@\" \"$GOMAXPROCS\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "array.sh")
	cmd.Dir, cmd.Env = dir, []string{"SLURM_ARRAY_TASK_ID=3", "SLURM_CPUS_ON_NODE=4", "PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if want := "<it's $HOME><b=c><3><4>"; err != nil || string(out) != want {
		t.Errorf("the task gets %s, %v, want %s", out, err, want)
	}
}

func TestParseTasks(t *testing.T) {
	got, err := parseTasks("12|3|PENDING|JobArrayTaskLimit\n12|1|RUNNING|None\n\n13|N/A|RUNNING|None\n9|1|OUT_OF_MEMORY|None\n9|2|FAILED|NonZeroExitCode\n9|3|NODE_FAIL|None\n9|4|REQUEUE_HOLD|job_requeued_in_held_state\n")
	want := []Task{
		{12, 3, "PENDING", "JobArrayTaskLimit"},
		{12, 1, "RUNNING", ""},
		{9, 1, "OUT_OF_MEMORY", ""},
		{9, 2, "FAILED", "NonZeroExitCode"},
		{9, 3, "NODE_FAIL", ""},
		{9, 4, "REQUEUE_HOLD", "job_requeued_in_held_state"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("the tasks are %v, %v, want %v", got, err, want)
	}
	for i, c := range []struct{ waiting, over, killed bool }{{true, false, false}, {false, false, false}, {false, true, true}, {false, true, false}, {false, true, false}, {true, false, false}} {
		if task := got[i]; task.Waiting() != c.waiting || task.Over() != c.over || task.Killed() != c.killed {
			t.Errorf("%v: waiting %v, over %v, killed %v", task, task.Waiting(), task.Over(), task.Killed())
		}
	}
	for _, text := range []string{"slurm: error", "x|1|RUNNING|None"} {
		if got, err := parseTasks(text); err == nil {
			t.Errorf("%q: %v, and no error", text, got)
		}
	}
}

// TestErrors has the words of a command that fails in the error.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if err := Available(); err == nil || !strings.Contains(err.Error(), "no sbatch on the PATH") {
		t.Errorf("without Slurm: %v", err)
	}
	for text, want := range map[string]string{
		"#!/bin/sh\necho sbatch: error: invalid partition specified: x >&2\necho sbatch: error: failed >&2\nexit 1": "sbatch: invalid partition specified: x\nfailed",
		"#!/bin/sh\nexit 3":     "sbatch: exit status 3",
		"#!/bin/sh\necho hello": `sbatch was to print the number of a job, and prints "hello\n"`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "sbatch"), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := Submit(t.Context(), dir, "x"); err == nil || err.Error() != want {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "sbatch"), []byte("#!/bin/sh\necho '12;cluster'"), 0o777); err != nil {
		t.Fatal(err)
	}
	if job, err := Submit(t.Context(), dir, "x"); err != nil || job != 12 {
		t.Errorf("job %d, %v", job, err)
	}
}
