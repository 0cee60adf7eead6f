package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/version"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// oldestGo is the first Go that the kernel works with.
const oldestGo = "go1.26"

// A finding is one thing that a machine has or lacks.
type finding struct {
	what   string // "Go"
	found  string // what is there; "" when it is missing
	lacks  string // why it counts as missing
	remedy string // what to do then
	spare  bool   // not needed: missing is no failure
}

func (f finding) missing() bool { return f.found == "" }

func (f finding) print(out io.Writer) {
	if !f.missing() {
		fmt.Fprintf(out, "ok        %s: %s\n", f.what, f.found)
		return
	}
	state := "missing "
	if f.spare {
		state = "optional"
	}
	fmt.Fprintf(out, "%s  %s: %s\n", state, f.what, strings.ReplaceAll(f.lacks, "\n", "\n          "))
	if f.remedy != "" {
		fmt.Fprintf(out, "          -> %s\n", f.remedy)
	}
}

// examine reports on the machine and on the kernel at p, as a doctor would, and
// returns 1 when something needed is missing.
func examine(ctx context.Context, p place, out io.Writer) int {
	missing := 0
	report := func(f finding) bool {
		f.print(out)
		if f.missing() && !f.spare {
			missing++
		}
		return !f.missing()
	}

	tools := true
	for _, f := range checkTools(ctx) {
		tools = (report(f) || f.spare) && tools
	}
	report(checkCache())
	for _, f := range checkJupyter(ctx) {
		report(f)
	}
	if report(checkInstalled(ctx, p)) {
		report(checkSeen(ctx, p))
		report(checkLimits(ctx, p))
		sources := report(checkSources(ctx, p))
		if f, ok := checkClone(ctx, p); ok {
			report(f)
		}
		if tools && sources {
			report(checkAnswers(ctx, p))
			fmt.Fprintln(out, "          running a cell …")
			report(checkStarts(ctx, p))
		}
	}

	switch missing {
	case 0:
		fmt.Fprintln(out, "\nNothing is missing.")
		return 0
	case 1:
		fmt.Fprintln(out, "\nOne thing is missing.")
	default:
		fmt.Fprintf(out, "\n%d things are missing.\n", missing)
	}
	return 1
}

// checkTools looks for what the kernel needs to compile cells. Without the C
// tools each cell runs in a process of its own.
func checkTools(ctx context.Context) []finding {
	all := []finding{checkGo(ctx), checkCompiler(ctx), checkLinker(ctx)}
	for i, f := range all {
		if f.missing() && f.spare {
			all[i].lacks += "\nwithout it each cell runs in a process of its own, and the values of variables are not kept"
		}
	}
	return all
}

func checkGo(ctx context.Context) finding {
	f := finding{what: "Go", remedy: "install Go 1.26 or newer from https://go.dev/dl and put its bin directory on the PATH"}
	path, err := exec.LookPath("go")
	if err != nil {
		f.lacks = "there is no go on the PATH"
		return f
	}
	// Asked locally, go names itself and not the newer one that it could fetch.
	cmd := command(ctx, os.TempDir(), path, "env", "GOVERSION", "GOROOT")
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOWORK=off")
	out, err := runCommand(cmd)
	if err != nil {
		f.lacks = err.Error()
		return f
	}
	name, root, _ := strings.Cut(strings.TrimSpace(out), "\n")
	v := goVersion(name)
	if v == "" || version.Compare(v, oldestGo) < 0 {
		f.lacks = fmt.Sprintf("%s is %s, and the kernel needs %s", path, name, oldestGo)
		return f
	}
	if !onUsersPath(os.Getenv("PATH"), filepath.Join(root, "bin")) {
		f.lacks = fmt.Sprintf("%s is there as %s, but not on your PATH, so a kernel that Jupyter starts cannot find it", v, path)
		f.remedy = fmt.Sprintf("add it: export PATH=\"$PATH:%s\"", filepath.Join(root, "bin"))
		return f
	}
	f.found = v + " (" + path + ")"
	return f
}

// goVersion finds the version in what Go calls itself: "go1.26.8", or
// "devel go1.27-abcdef" when it was built from its repository; "" if there is none.
func goVersion(name string) string {
	for field := range strings.FieldsSeq(name) {
		v, _, _ := strings.Cut(field, "-")
		if version.IsValid(v) {
			return v
		}
	}
	return ""
}

// onUsersPath tells whether a go is on the path without the entry that `go run`
// puts in front of it. A binary that was built before sees the path as it is.
func onUsersPath(path, goBin string) bool {
	exe, err := os.Executable()
	dirs := filepath.SplitList(path)
	if err != nil || !strings.Contains(exe, "go-build") || len(dirs) == 0 || dirs[0] != goBin {
		return true
	}
	for _, dir := range dirs[1:] {
		name := filepath.Join(dir, "go")
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			return true
		}
	}
	return false
}

func checkCompiler(ctx context.Context) finding {
	f := finding{what: "C compiler", spare: true, remedy: packageAdvice("gcc libc6-dev", "gcc glibc-devel", "gcc")}
	cc := "gcc"
	if out, err := output(ctx, os.TempDir(), "go", "env", "CC"); err == nil && strings.TrimSpace(out) != "" {
		cc = strings.TrimSpace(out)
	}
	words := strings.Fields(cc)
	path, err := exec.LookPath(words[0])
	if err != nil {
		f.lacks = "there is no " + words[0] + " on the PATH"
		return f
	}
	// The compiler alone is not enough: the C library's headers come separately.
	dir, err := os.MkdirTemp("", "nnkit-cc-")
	if err != nil {
		f.lacks = err.Error()
		return f
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "a.c"), []byte("#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n"), 0o644); err != nil {
		f.lacks = err.Error()
		return f
	}
	if _, err := output(ctx, dir, words[0], append(words[1:], "-o", "a.out", "a.c")...); err != nil {
		f.lacks = path + " cannot build a C program: " + err.Error()
		return f
	}
	f.found = path
	return f
}

func checkLinker(ctx context.Context) finding {
	f := finding{what: "linker", spare: true, remedy: packageAdvice("binutils", "binutils", "binutils")}
	path, err := exec.LookPath("ld")
	if err != nil {
		f.lacks = "there is no ld on the PATH"
		return f
	}
	out, err := output(ctx, "", path, "--version")
	if err != nil && runtime.GOOS == "linux" {
		f.lacks = err.Error()
		return f
	}
	first, _, _ := strings.Cut(out, "\n")
	f.found = strings.TrimSpace(first + " (" + path + ")")
	return f
}

// packageAdvice is the command that installs system packages, as this machine calls it.
func packageAdvice(apt, dnf, other string) string {
	for _, m := range []struct{ tool, advice string }{
		{"apt-get", "sudo apt-get install " + apt},
		{"dnf", "sudo dnf install " + dnf},
		{"pacman", "sudo pacman -S " + other},
		{"apk", "sudo apk add " + other + " musl-dev"},
		{"zypper", "sudo zypper install " + dnf},
		{"xcode-select", "xcode-select --install"},
	} {
		if _, err := exec.LookPath(m.tool); err == nil {
			return m.advice
		}
	}
	return "install " + other + " with the system's package manager"
}

func checkInstalled(ctx context.Context, p place) finding {
	again := "go run ./install" + spaced(p.flag)
	f := finding{what: "kernel", remedy: again}
	ours, err := isOurs(p)
	switch {
	case err != nil:
		f.lacks, f.remedy = err.Error(), ""
		return f
	case !ours:
		f.lacks = fmt.Sprintf("not installed %s (%s)", p.name, p.kernel())
		return f
	}
	s, err := readSpec(p)
	if err != nil {
		f.lacks = err.Error()
		return f
	}
	if s.Argv[0] != p.binary() {
		f.lacks = fmt.Sprintf("%s starts %s, which is not the binary beside it; it was moved or copied", filepath.Join(p.kernel(), "kernel.json"), s.Argv[0])
		return f
	}
	out, err := output(ctx, "", p.binary(), "version")
	if err != nil {
		f.lacks = "it does not run: " + err.Error()
		return f
	}
	first, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	f.found = fmt.Sprintf("%s, installed %s (%s)", first, p.name, p.kernel())
	return f
}

// checkLimits asks the kernel what it keeps to.
func checkLimits(ctx context.Context, p place) finding {
	f := finding{what: "limits"}
	out, err := output(ctx, "", p.binary(), "limits")
	if err != nil {
		f.lacks = err.Error()
		return f
	}
	f.found = strings.ReplaceAll(strings.TrimSpace(out), "\n", "\n          ")
	return f
}

func checkSources(ctx context.Context, p place) finding {
	f := finding{what: "sources for cells", remedy: "go run ./install" + spaced(p.flag)}
	// The packages are listed with what they import, so that a missing file or module shows.
	args := append([]string{"list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}"}, cellPackages...)
	if _, err := os.Stat(filepath.Join(p.sources(), "go.mod")); err != nil {
		f.lacks = fmt.Sprintf("%s is not there", filepath.Join(p.sources(), "go.mod"))
		return f
	}
	out, err := goTool(ctx, p.sources(), nil, args...)
	if err != nil {
		f.lacks = err.Error()
		return f
	}
	f.found = fmt.Sprintf("%d packages in %s", len(strings.Fields(out)), p.sources())
	return f
}

// checkClone compares the installed kernel with the clone that this command is run
// in; ok is false if it is run elsewhere.
func checkClone(ctx context.Context, p place) (f finding, ok bool) {
	f = finding{what: "version", remedy: "go run ./install" + spaced(p.flag), spare: true}
	root, err := moduleRoot(ctx)
	if err != nil {
		return f, false
	}
	newer := ""
	err = filepath.WalkDir(p.sources(), func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || newer != "" {
			return err
		}
		rel, err := filepath.Rel(p.sources(), name)
		if err != nil {
			return err
		}
		installed, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if here, err := os.ReadFile(filepath.Join(root, rel)); err != nil || !bytes.Equal(here, installed) {
			newer = rel
		}
		return nil
	})
	if err != nil {
		f.lacks = err.Error()
		return f, true
	}
	if newer == "" { // of what the kernel itself is built from, there is no copy
		newer = changedSince(filepath.Join(root, "kernel"), p.binary())
	}
	if newer != "" {
		f.lacks = fmt.Sprintf("%s of this clone (%s) is another one than the kernel was installed from", newer, root)
		return f, true
	}
	f.found = "the kernel was installed from what is in this clone (" + root + ")"
	return f, true
}

// changedSince is a Go file in a folder that was changed after another file, or "".
func changedSince(dir, file string) string {
	built, err := os.Stat(file)
	if err != nil {
		return ""
	}
	changed := ""
	_ = filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		if info, err := d.Info(); err == nil && info.ModTime().After(built.ModTime()) {
			changed = filepath.Join("kernel", strings.TrimPrefix(name, dir))
		}
		return nil
	})
	return changed
}

// checkStarts lets the installed kernel execute two cells, and tells which way it
// went: with one process that holds the values of all variables, or with one for
// each cell.
func checkStarts(ctx context.Context, p place) finding {
	f := finding{what: "a cell's way", remedy: "go run ./install" + spaced(p.flag) + ", and if that does not help, report what stands above"}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	start := time.Now()
	executed, err := trial(ctx, p, nil, "var six = 6\nsix++", `import "fmt"`+"\nfmt.Println(\"the answer is\", six*6)")
	var out, told string
	if err == nil {
		out, err = streamOf(executed, "stdout")
	}
	if err == nil {
		told, err = streamOf(executed, "stderr")
	}
	took := fmt.Sprintf("a notebook ran in %.1f s", time.Since(start).Seconds())
	switch out = strings.TrimSpace(out); {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		f.lacks = "a notebook of two cells did not end within 10 minutes"
	case err != nil:
		f.lacks = err.Error()
	case out == "the answer is 42":
		f.found = took + ", a variable that its first cell had changed was there in the second"
	case out == "the answer is 36":
		f.found = took + ". " + strings.TrimSpace(told)
	default:
		f.lacks = fmt.Sprintf("a cell that prints \"the answer is 42\" printed %q", out)
	}
	return f
}
