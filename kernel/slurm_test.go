//go:build slurm

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

// startCluster starts a cluster of one node, with a folder of its own for all that it
// keeps, and has the environment lead to it. Its daemons end with the test.
func startCluster(t *testing.T) {
	t.Helper()
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%v: apt-get install munge slurm-wlm", err)
		}
	}
	dir, err := os.MkdirTemp("", "nnkit-slurm-") // a short path, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, folder := range []string{"state", "spool"} {
		if err := os.Mkdir(in(folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	conf := fmt.Sprintf(`ClusterName=nnkit
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[2]d
SlurmdPort=%[3]d
AuthInfo=socket=%[4]s/munge
SlurmUser=%[5]s
SlurmdUser=%[5]s
StateSaveLocation=%[4]s/state
SlurmdSpoolDir=%[4]s/spool
SlurmctldPidFile=%[4]s/slurmctld.pid
SlurmdPidFile=%[4]s/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MailProg=/bin/true
KillWait=10
MaxArraySize=9
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
`, host, freePort(t), freePort(t), dir, me.Username)
	if err := os.WriteFile(in("slurm.conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	// A container may have no control groups.
	if err := os.WriteFile(in("cgroup.conf"), []byte("CgroupPlugin=cgroup/v1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("key"), bytes.Repeat([]byte("munge"), 100), 0o400); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLURM_CONF", in("slurm.conf"))
	// Each is ready when it says so.
	startDaemon(t, "Created 2 work threads", "munged", "--foreground", "--force", "--num-threads=2", "--socket="+in("munge"), "--key-file="+in("key"),
		"--pid-file="+in("munged.pid"), "--log-file="+in("munged.log"), "--seed-file="+in("seed"))
	startDaemon(t, "Running as primary controller", "slurmctld", "-D", "-i")
	startDaemon(t, "slurmd started", "slurmd", "-D")
	t.Cleanup(func() { // before the daemons end: a task outlives them
		if out, err := exec.Command("scancel", "--full", "--user="+me.Username).CombinedOutput(); err != nil {
			t.Errorf("scancel: %v\n%s", err, out)
		}
		waitFor(t, func() bool {
			out, err := exec.Command("squeue", "--noheader").CombinedOutput()
			if err != nil {
				t.Errorf("squeue: %v\n%s", err, out)
			}
			return err != nil || len(out) == 0
		})
	})
}

// waitFor waits until something holds.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	for !holds() {
		time.Sleep(20 * time.Millisecond)
	}
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startDaemon starts a program and waits until it prints a text. It is ended with the
// test.
func startDaemon(t *testing.T, ready, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // of a test that is killed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	said := make(chan string)
	go func() {
		var all strings.Builder
		found := false
		for lines := bufio.NewScanner(r); lines.Scan(); {
			all.WriteString(lines.Text() + "\n")
			if !found && strings.Contains(lines.Text(), ready) {
				found = true
				said <- ""
			}
		}
		if !found {
			said <- all.String()
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		r.Close()
	})
	if text := <-said; text != "" {
		t.Fatalf("%s has ended:\n%s", name, text)
	}
}

// started is a kernel that runs; its lines of output are read one after the other.
type started struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
	all   strings.Builder
}

func startKernel(t *testing.T, args ...string) *started {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &started{t: t, cmd: cmd, lines: bufio.NewScanner(out)}
}

// until reads lines until one contains a text.
func (s *started) until(text string) {
	s.t.Helper()
	for s.lines.Scan() {
		s.all.WriteString(s.lines.Text() + "\n")
		if strings.Contains(s.lines.Text(), text) {
			return
		}
	}
	s.t.Fatalf("it ended without printing %q:\n%s", text, &s.all)
}

// end reads what is left, and checks the exit status. It returns all that was printed.
func (s *started) end(status int) string {
	s.t.Helper()
	for s.lines.Scan() {
		s.all.WriteString(s.lines.Text() + "\n")
	}
	s.cmd.Wait() // its status is in ProcessState
	if got := s.cmd.ProcessState.ExitCode(); got != status {
		s.t.Fatalf("it exits with %d, want %d\n%s", got, status, &s.all)
	}
	return s.all.String()
}

// trained is a notebook that trains, and fails with the rate 9 until there is a file.
func trained(t *testing.T) string {
	return cells(t, "#parameters\nrate := 0.1\nvar layers = []int{4}\nconst seed = 1", `import (
	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)
if rate > 5 {
	if _, err := os.Stat("ready"); err != nil { panic("the rate is too high") }
	rate = 0.3
}
clinic := data.Clinic(seed)
scaler := data.Standardize(clinic.X)
x := scaler.Apply(clinic.X)
model := nnkit.Sequential(nnkit.Dense(layers[0], nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid))
model.Compile(nnkit.SGD(nnkit.LearningRate(rate)), nnkit.BinaryCrossEntropy, nnkit.Accuracy)
history := model.Fit(x, clinic.Y, nnkit.Epochs(3), nnkit.ValidationSplit(0.2))`, "history")
}

// differently is what the files of a run have differently in each execution.
var differently = regexp.MustCompile(`"(duration|time)": ?[^,}]*|\d+\.\d+ s\b|<td class="number">\d+\.\d</td>(<td class="failure">)`)

// TestSlurm has a sweep executed on a cluster and on this machine: they leave the same
// files, and a run that failed is executed again alone.
func TestSlurm(t *testing.T) {
	startCluster(t)
	name := trained(t)
	dir := filepath.Dir(name)
	sweep := []string{"run", name, "--sweep", "rate=0.1,9", "--sweep", "layers=[]int{3},[]int{6,2}", "--sweep", "seed=1,2", "--jobs", "2"}
	local := append(sweep, "--output", filepath.Join(dir, "local"))
	// Nothing can be found on the node.
	remote := append(sweep, "--output", filepath.Join(dir, "remote"), "--on", "slurm", "--sbatch", "--time=10 --export=PATH=/nowhere")
	same := func() {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, "local", "*"))
		if err != nil || len(files) < 8*4 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			other := filepath.Join(dir, "remote", filepath.Base(file))
			if filepath.Ext(file) == ".log" { // they tell of what is compiled
				if _, err := os.Stat(other); err != nil {
					t.Error(err)
				}
				continue
			}
			masked := func(name string) string { return differently.ReplaceAllString(read(t, name), "$2") }
			if filepath.Ext(file) == ".json" {
				continue // how long it took
			}
			if masked(file) != masked(other) {
				t.Errorf("%s is\n%.3000s\nand from the cluster\n%.3000s", filepath.Base(file), masked(file), masked(other))
			}
		}
	}

	out := ok(t, statusFailed, local...)
	contains(t, "the sweep here", out, "8 runs, 2 at a time", "4 of 8 runs failed")
	out = ok(t, statusFailed, remote...)
	contains(t, "the sweep there", out, "8 runs, 2 at a time on Slurm", "submitted the runs 1-8", "running", "waiting", "[8/8]",
		"failed: cell 3, In [3], `import (`: panic: the rate is too high", "best val_loss", "4 of 8 runs failed")
	contains(t, "the script", read(t, filepath.Join(dir, "remote", "slurm", "array.sh")), "#SBATCH --array=1-8%2\n", "#SBATCH --time=10\n", "#     5  rate=9 layers=[]int{3} seed=1\n")
	same()

	if err := os.WriteFile(filepath.Join(dir, "ready"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	out = ok(t, 0, local...)
	contains(t, "the sweep here again", out, "4 of 8 runs are kept from before", "4 more, 2 at a time", "[8/8]")
	out = ok(t, 0, remote...)
	contains(t, "the sweep there again", out, "4 of 8 runs are kept from before", "4 more, 2 at a time on Slurm", "submitted the runs 5-8", "[8/8]")
	same()
	for _, args := range [][]string{local, remote} {
		out := ok(t, 0, args...)
		contains(t, "a sweep that is over", out, "8 of 8 runs are kept from before", "index.html")
		if strings.Contains(out, "[8/8]") || strings.Contains(out, "submitted") {
			t.Errorf("a sweep that is over executes something:\n%s", out)
		}
	}

	nb, err := notebook.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	nb.Cells[2].Source += " // changed"
	if err := nb.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	contains(t, "a notebook that has changed", ok(t, 0, local...), "8 runs, 2 at a time")
}

// TestSlurmInterrupted leaves the runs to Slurm, comes back, and finds some that Slurm
// has ended.
func TestSlurmInterrupted(t *testing.T) {
	startCluster(t)
	name := cells(t, "#parameters\nn := 0", `for began := time.Now(); ; {
	if time.Since(began) > 5*time.Minute { panic("the test is gone") }
	if _, err := os.Stat(fmt.Sprint("go", n)); err == nil { break }
	time.Sleep(20 * time.Millisecond)
}
fmt.Println(n)`)
	dir := filepath.Dir(name)
	free := func(n string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "go"+n), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	sweep := []string{"run", name, "--sweep", "n=1,2,3,4", "--on", "slurm", "--jobs", "2"}
	first := startKernel(t, sweep...)
	first.until("2 running, 2 waiting")
	first.cmd.Process.Signal(os.Interrupt)
	out := first.end(statusInterrupted)
	m := regexp.MustCompile(`The runs go on\. .* scancel (\d+) ends them`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("it does not say how to go on:\n%s", out)
	}
	job := m[1]

	changed := append([]string{"run", name, "--sweep", "n=1,2,3,5"}, sweep[4:]...)
	contains(t, "another sweep meanwhile", ok(t, statusImpossible, changed...), "has changed since runs were submitted that are under way (2 running, 2 waiting", "scancel "+job)

	// While nobody waits, one ends well.
	free("1")
	waitFor(t, func() bool {
		_, err := os.Stat(filepath.Join(dir, "nb.sweep", "1-n=1.json"))
		return err == nil
	})
	second := startKernel(t, sweep...)
	second.until("1 of 4 runs are kept")
	second.until(", 1 waiting")
	if out, err := exec.Command("scancel", job+"_2", job+"_4").CombinedOutput(); err != nil {
		t.Fatalf("scancel: %v\n%s", err, out)
	}
	free("3")
	out = second.end(statusFailed)
	contains(t, "the sweep after an interrupt", out, "3 of them are under way", "[2/4]", "n=2", "failed: interrupted; for Slurm it is CANCELLED")
	contains(t, "a run that was cancelled", read(t, filepath.Join(dir, "nb.sweep", "2-n=2.ipynb")), "its process was ended by a signal (terminated)")
	if strings.Contains(out, "submitted") {
		t.Errorf("runs are submitted that are under way:\n%s", out)
	}

	// The script alone, submitted by hand.
	free("2")
	free("4")
	out = ok(t, 0, append(sweep, "--dry-run")...)
	contains(t, "a dry run", out, "2 of 4 runs are kept", "sbatch nb.sweep/slurm/array.sh", "index.html")
	submitted := exec.Command("sbatch", "--wait", "nb.sweep/slurm/array.sh")
	submitted.Dir = dir
	if out, err := submitted.CombinedOutput(); err != nil {
		t.Fatalf("sbatch: %v\n%s", err, out)
	}
	out = ok(t, 0, sweep...)
	contains(t, "the sweep at last", out, "4 of 4 runs are kept", "index.html")

	contains(t, "too many runs", ok(t, statusImpossible, "run", name, "--sweep", "n=1,2,3,4,5,6,7,8,9", "--on", "slurm", "--output", filepath.Join(dir, "many")), "there are 9 runs, and on this cluster the tasks of an array are numbered up to 8 (MaxArraySize)")
	t.Setenv("SLURM_CONF", filepath.Join(dir, "nowhere"))
	contains(t, "without a cluster", ok(t, statusImpossible, append(sweep, "--again")...), "squeue: ")
}

// TestSlurmRequeued has Slurm put a run back into the queue, as it does with one that makes way for another or has lost its node. What
// waits for it does not take it for a failure.
func TestSlurmRequeued(t *testing.T) {
	startCluster(t)
	name := cells(t, "#parameters\nn := 0", `import "path/filepath"
begun := fmt.Sprint("begun", n)
if _, err := os.Stat(begun); err != nil {
	os.WriteFile(begun, nil, 0o666)
	select {}
}
filepath.Base(begun)`)
	dir := filepath.Dir(name)
	k := startKernel(t, "run", name, "--sweep", "n=1,2", "--on", "slurm")
	k.until("job ")
	job := regexp.MustCompile(`job (\d+)`).FindStringSubmatch(k.all.String())[1]
	for _, n := range []string{"1", "2"} {
		waitFor(t, func() bool {
			_, err := os.Stat(filepath.Join(dir, "begun"+n))
			return err == nil
		})
		if out, err := exec.Command("scontrol", "requeue", job+"_"+n).CombinedOutput(); err != nil {
			t.Fatalf("scontrol requeue: %v\n%s", err, out)
		}
	}
	// Slurm begins them again two minutes later: sooner, the end of what ran before could reach what runs then.
	out := k.end(0)
	contains(t, "the sweep", out, "[2/2]", "index.html")
	if strings.Contains(out, "failed") {
		t.Errorf("a run that was put back counts as failed:\n%s", out)
	}
}
