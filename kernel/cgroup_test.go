//go:build cgroup

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

// group makes a control group below the test's own, or below the topmost one where
// version 2 has both controllers, and returns a function that runs a command in it. The
// limits are those of a group around it. It needs root:
//
//	go test -tags cgroup -run TestControlGroup -v ./kernel
func group(t *testing.T, memory int64, processors float64) (run func(args ...string) *exec.Cmd, dir string) {
	t.Helper()
	write := func(value any, parts ...string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(parts...), []byte(fmt.Sprint(value)), 0o644); err != nil {
			t.Fatalf("%v: this test needs root, and control groups that can be written", err)
		}
	}
	make := func(parent string) (outer, inner string) {
		t.Helper()
		outer, err := os.MkdirTemp(parent, "nnkit-test-")
		if err != nil {
			t.Fatalf("%v: this test needs root, and control groups that can be written", err)
		}
		inner = filepath.Join(outer, "inner")
		t.Cleanup(func() {
			if err := errors.Join(os.Remove(inner), os.Remove(outer)); err != nil {
				t.Error(err)
			}
		})
		return outer, inner
	}
	const top = "/sys/fs/cgroup"
	var groups []string
	if _, err := os.Stat(filepath.Join(top, "cgroup.controllers")); err == nil {
		outer, inner := make(top)
		write("+memory +cpu", outer, "cgroup.subtree_control")
		if err := os.Mkdir(inner, 0o755); err != nil {
			t.Fatal(err)
		}
		write(memory, outer, "memory.max")
		write(fmt.Sprintf("%d 100000", int(processors*100000)), outer, "cpu.max")
		groups, dir = []string{inner}, outer
	} else {
		for line := range strings.Lines(read(t, "/proc/self/cgroup")) {
			f := strings.SplitN(strings.TrimSpace(line), ":", 3)
			if f[1] != "memory" && !strings.HasPrefix(f[1], "cpu") || f[1] == "cpuset" || f[1] == "cpuacct" {
				continue
			}
			outer, inner := make(filepath.Join(top, f[1], f[2]))
			if err := os.Mkdir(inner, 0o755); err != nil {
				t.Fatal(err)
			}
			if f[1] == "memory" {
				write(memory, outer, "memory.limit_in_bytes")
				dir = outer
			} else {
				write(100000, outer, "cpu.cfs_period_us")
				write(int(processors*100000), outer, "cpu.cfs_quota_us")
			}
			groups = append(groups, inner)
		}
	}
	return func(args ...string) *exec.Cmd {
		script := ""
		for _, g := range groups {
			script += "echo 0 > " + filepath.Join(g, "cgroup.procs") + " && "
		}
		return exec.CommandContext(t.Context(), "sh", append([]string{"-c", script + `exec "$0" "$@"`, binary}, args...)...)
	}, dir
}

// TestControlGroup runs notebooks in a control group inside of a limited one: the
// kernel finds the limits of the outer one and keeps to them, and a cell that takes too
// much is told of them.
func TestControlGroup(t *testing.T) {
	const limit = 1 << 30
	run, dir := group(t, limit, 1.5)
	shown, err := run("limits").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	contains(t, "kernel limits", string(shown), "1.0 GB ("+dir+"/memory.", "(GOMEMLIMIT)", "processors  2 of ")
	t.Logf("\n%s", shown)

	name := cells(t,
		"kept := 1",
		"import (\"runtime\"; \"runtime/debug\")\nfmt.Println(runtime.GOMAXPROCS(0), debug.SetMemoryLimit(-1)>>20)",
		// A heap that is mostly garbage fits, since the collector knows the limit.
		"var live [][]byte\nfor i := range 400 {\n\tb := make([]byte, 4<<20)\n\tfor j := 0; j < len(b); j += 4096 {\n\t\tb[j] = 1\n\t}\n\tif i%4 == 0 {\n\t\tlive = append(live, b)\n\t}\n\tif len(live) > 90 {\n\t\tlive = live[45:]\n\t}\n}\nlen(live) > 0",
		"var all [][]byte\nfor {\n\tb := make([]byte, 16<<20)\n\tfor i := 0; i < len(b); i += 4096 {\n\t\tb[i] = 1\n\t}\n\tall = append(all, b)\n}",
		"kept = 2",
		"fmt.Println(\"a new session\")",
		"import \"syscall\"\nsyscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}")
	executed := beside(name, ".executed.ipynb")
	out, err := run("run", "--allow-errors", "--output", executed, name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	nb, err := notebook.ReadFile(executed)
	if err != nil {
		t.Fatal(err)
	}
	outputs := make([]string, len(nb.Cells))
	for i, c := range nb.Cells {
		for _, o := range c.Outputs {
			outputs[i] += fmt.Sprint(o.Text, o.Data["text/plain"], strings.Join(o.Traceback, "\n"))
		}
	}
	var procs, mb int
	if _, err := fmt.Sscan(outputs[1], &procs, &mb); err != nil || mb < limit>>21 || mb > (limit>>20)-300 {
		t.Errorf("the worker keeps below %d MB: %v", mb, err)
	}
	t.Logf("the worker has %d processors and keeps below %d MB", procs, mb)
	contains(t, "garbage", outputs[2], "true")
	contains(t, "a cell that takes too much", outputs[3], "the memory limit of 1.0 GB was reached", dir+"/memory.", "Smaller batches", "mem_limit in JupyterHub", "Lost: kept, live and all.")
	t.Log(outputs[3])
	contains(t, "a variable that is lost", outputs[4], "kept has no value any more")
	contains(t, "the next cell", outputs[5], "a new session")
	contains(t, "a kill", outputs[6], "was killed from outside (SIGKILL), and not for want of memory")
	if _, err := os.Stat(filepath.Join(dir, "inner")); errors.Is(err, fs.ErrNotExist) {
		t.Error("the group is gone")
	}
}
