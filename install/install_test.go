package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// bare takes the user's Jupyter settings and Python environment out of the
// test's environment and gives it an empty home.
func bare(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	// Go's caches lie in the home directory unless told otherwise.
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv(name, strings.TrimSpace(string(out)))
	}
	t.Setenv("HOME", home)
	// The go command counts what it does in the home directory, by a process that
	// may outlive the test.
	telemetry := filepath.Join(home, ".config", "go", "telemetry")
	if err := os.MkdirAll(telemetry, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(telemetry, "mode"), []byte("off"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CONFIG_HOME", "")
	for _, name := range []string{"JUPYTER_DATA_DIR", "JUPYTER_PATH", "XDG_DATA_HOME", "APPDATA", "VIRTUAL_ENV", "CONDA_PREFIX"} {
		t.Setenv(name, "")
	}
	return home
}

// fakeTool puts an executable shell script in front of the PATH.
func fakeTool(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// quick installs a shell script in place of the kernel.
func quick(script string) installer {
	return installer{build: func(_ context.Context, _, binary string) error {
		return os.WriteFile(binary, []byte("#!/bin/sh\n"+script), 0o755)
	}}
}

func prefixPlace(t *testing.T, prefix string) place {
	t.Helper()
	p, err := findPlace(t.Context(), prefix, false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestUserData(t *testing.T) {
	home := bare(t)
	for _, c := range []struct {
		goos string
		env  map[string]string
		want string
	}{
		{"linux", nil, filepath.Join(home, ".local/share/jupyter")},
		{"freebsd", nil, filepath.Join(home, ".local/share/jupyter")},
		{"linux", map[string]string{"XDG_DATA_HOME": "/x/data"}, "/x/data/jupyter"},
		{"linux", map[string]string{"XDG_DATA_HOME": "/x/data", "JUPYTER_DATA_DIR": "/j"}, "/j"},
		{"darwin", map[string]string{"XDG_DATA_HOME": "/x/data"}, filepath.Join(home, "Library/Jupyter")},
		{"windows", map[string]string{"APPDATA": "/roaming"}, "/roaming/jupyter"},
	} {
		t.Run(c.goos, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			got, err := userData(c.goos)
			if err != nil || got != c.want {
				t.Errorf("userData(%q) with %v = %q, %v; want %q", c.goos, c.env, got, err, c.want)
			}
		})
	}
}

func TestFindPlace(t *testing.T) {
	home := bare(t)
	env := t.TempDir()
	fakeTool(t, "python3", "echo /made/up\n")
	for _, c := range []struct {
		name   string
		prefix string
		sys    bool
		env    [2]string
		want   string
	}{
		{name: "user", want: filepath.Join(home, ".local/share/jupyter/kernels/nnkit")},
		{name: "prefix", prefix: "/p", want: "/p/share/jupyter/kernels/nnkit"},
		{name: "python", sys: true, want: "/made/up/share/jupyter/kernels/nnkit"},
		{name: "venv", sys: true, env: [2]string{"VIRTUAL_ENV", env}, want: env + "/share/jupyter/kernels/nnkit"},
		{name: "conda", sys: true, env: [2]string{"CONDA_PREFIX", env}, want: env + "/share/jupyter/kernels/nnkit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.env[0] != "" {
				t.Setenv(c.env[0], c.env[1])
			}
			p, err := findPlace(t.Context(), c.prefix, c.sys)
			if err != nil || p.kernel() != c.want {
				t.Errorf("kernel goes to %q, %v; want %q", p.kernel(), err, c.want)
			}
		})
	}
	t.Run("gone", func(t *testing.T) {
		t.Setenv("VIRTUAL_ENV", "/no/such/environment")
		if _, err := findPlace(t.Context(), "", true); err == nil || !strings.Contains(err.Error(), "/no/such/environment, which is not a directory") {
			t.Errorf("an environment that is gone gives the error %v", err)
		}
	})
}

// TestEnvironments finds Jupyter where it is not on the PATH.
func TestEnvironments(t *testing.T) {
	home := bare(t)
	t.Setenv("PATH", t.TempDir())
	here := t.TempDir()
	t.Chdir(here)
	for _, dir := range []string{
		filepath.Join(home, "miniforge3", "envs", "learning"), filepath.Join(home, ".local", "share", "pipx", "venvs", "jupyterlab"), filepath.Join(here, ".venv"),
	} {
		bin := filepath.Join(dir, "bin")
		if err := os.MkdirAll(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		lab := filepath.Join(bin, "jupyter-lab")
		if err := os.WriteFile(lab, []byte("#!/bin/sh\necho 4.9.9\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got, onPath := findProgram("jupyter-lab"); got != lab || onPath {
			t.Errorf("found %q, on the PATH %v; want %s", got, onPath, lab)
		}
		if f := checkJupyter(t.Context())[0]; f.found != "4.9.9 ("+lab+", which is not on the PATH)" {
			t.Errorf("%+v", f)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := findProgram("jupyter-lab"); got != "" {
		t.Errorf("found %q, which was removed", got)
	}
}

// TestVirtualEnvironment installs into one that Python has made, whose Jupyter then
// lists the kernel.
func TestVirtualEnvironment(t *testing.T) {
	if _, err := exec.LookPath("/usr/bin/jupyter-kernelspec"); err != nil {
		t.Fatalf("Jupyter of the system is missing, which ./test installs: %v", err)
	}
	bare(t)
	env := filepath.Join(t.TempDir(), "with spaces")
	if out, err := exec.Command("/usr/bin/python3", "-m", "venv", "--without-pip", "--system-site-packages", env).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// What pip would make of Jupyter's entry point.
	script := "#!/bin/sh\nexec '" + filepath.Join(env, "bin", "python3") + "' -m jupyter_client.kernelspecapp \"$@\"\n"
	if err := os.WriteFile(filepath.Join(env, "bin", "jupyter-kernelspec"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("VIRTUAL_ENV", env)
	t.Setenv("PATH", filepath.Join(env, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	p, err := findPlace(t.Context(), "", true)
	if err != nil {
		t.Fatal(err)
	}
	if f := checkSeen(t.Context(), p); !f.missing() || !strings.Contains(f.lacks, "does not look into") {
		t.Errorf("before it is installed: %+v", f)
	}
	if err := quick("echo new\n").install(t.Context(), p, io.Discard); err != nil {
		t.Fatal(err)
	}
	if f := checkSeen(t.Context(), p); f.missing() || !strings.Contains(f.found, env) {
		t.Errorf("Jupyter of the environment does not list the kernel: %+v", f)
	}
	// Another one, which comes first.
	user, err := findPlace(t.Context(), "", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := quick("echo user\n").install(t.Context(), user, io.Discard); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JUPYTER_PREFER_ENV_PATH", "0")
	if f := checkSeen(t.Context(), p); !f.missing() || !strings.Contains(f.lacks, "starts the kernel in "+user.kernel()) {
		t.Errorf("with the user's own kernel: %+v", f)
	}
}

func TestCheckCache(t *testing.T) {
	bare(t)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "cache"))
	if f := checkCache(); f.missing() || !strings.Contains(f.found, "0 MB in it") {
		t.Errorf("%+v", f)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", file)
	if f := checkCache(); !f.missing() || !strings.Contains(f.lacks, "cannot be made") || f.remedy == "" {
		t.Errorf("%+v", f)
	}
}

func TestCommandLine(t *testing.T) {
	bare(t)
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"somewhere"}, 2, "--prefix DIR"},
		{[]string{"--prefix", "/p", "--sys-prefix"}, 2, "give one of them"},
		{[]string{"--check", "--uninstall"}, 2, "give one of them"},
		{[]string{"--nonsense"}, 2, "--sys-prefix"},
		{[]string{"--help"}, 0, "--sys-prefix"},
		{[]string{"--uninstall"}, 0, "is not installed for the user"},
	} {
		var out bytes.Buffer
		if got := run(t.Context(), c.args, &out, &out); got != c.status || !strings.Contains(out.String(), c.says) {
			t.Errorf("install %v: status %d, want %d; it says:\n%s", c.args, got, c.status, &out)
		}
	}
}

func TestInstalledDirectory(t *testing.T) {
	bare(t)
	prefix := t.TempDir()
	p := prefixPlace(t, prefix)
	var out bytes.Buffer
	if err := quick("echo made-up kernel\n").install(t.Context(), p, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Installed the kernel", p.kernel(), "JUPYTER_PATH=" + p.data} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, &out)
		}
	}

	text, err := os.ReadFile(filepath.Join(p.kernel(), "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s spec
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Argv, []string{p.binary(), "jupyter", "{connection_file}"}) ||
		s.DisplayName != "Go (nnkit)" || s.Language != "go" || s.InterruptMode != "message" {
		t.Errorf("kernel.json is\n%s", text)
	}

	for name, size := range map[string]int{"logo-32x32.png": 32, "logo-64x64.png": 64} {
		f, err := os.Open(filepath.Join(p.kernel(), name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := png.DecodeConfig(f)
		f.Close()
		if err != nil || c.Width != size || c.Height != size {
			t.Errorf("%s is %d by %d, %v", name, c.Width, c.Height, err)
		}
	}

	// What cells import is there with all that it imports of ours, and nothing else of the kernel.
	got, err := goTool(t.Context(), p.sources(), nil, append([]string{"list"}, cellPackages...)...)
	if err != nil {
		t.Fatalf("the installed sources do not list: %v", err)
	}
	for _, pkg := range []string{"nnkit", "display", "kernel/worker/live"} {
		if !slices.Contains(strings.Fields(got), modulePath+"/"+pkg) {
			t.Errorf("the installed sources lack %s; they are\n%s", pkg, got)
		}
	}
	err = filepath.WalkDir(p.sources(), func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(p.sources(), path)
		if strings.HasSuffix(path, "_test.go") || d.IsDir() && (d.Name() == "testdata" ||
			strings.HasPrefix(rel, "kernel/internal/") && rel != "kernel/internal/wire") {
			t.Errorf("%s was installed for cells", rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	onlyKernel(t, p)
}

// onlyKernel fails unless the kernel is all that there is in the kernels folder.
func onlyKernel(t *testing.T, p place) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(p.kernel()))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != kernelName {
		t.Errorf("the kernels folder holds %v", entries)
	}
}

func TestReplaceWhileRunning(t *testing.T) {
	bare(t)
	p := prefixPlace(t, t.TempDir())
	if err := quick("echo old; read line; echo still $line\n").install(t.Context(), p, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.sources(), "left-over.go"), []byte("package x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	old := exec.Command(p.binary())
	stdin, err := old.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	old.Stdout = &said
	if err := old.Start(); err != nil {
		t.Fatal(err)
	}

	var out bytes.Buffer
	if err := quick("echo new\n").install(t.Context(), p, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Replaced the kernel") {
		t.Errorf("the second installation says\n%s", &out)
	}
	io.WriteString(stdin, "alive\n")
	stdin.Close()
	if err := old.Wait(); err != nil || said.String() != "old\nstill alive\n" {
		t.Errorf("the kernel that ran while it was replaced: %v, it printed %q", err, &said)
	}
	if now, err := exec.Command(p.binary()).Output(); err != nil || string(now) != "new\n" {
		t.Errorf("the new kernel prints %q, %v", now, err)
	}
	if _, err := os.Stat(filepath.Join(p.sources(), "left-over.go")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a source file of the old kernel is still there: %v", err)
	}
	onlyKernel(t, p)
}

func TestFailureKeepsOldKernel(t *testing.T) {
	bare(t)
	p := prefixPlace(t, t.TempDir())
	if err := quick("echo old\n").install(t.Context(), p, io.Discard); err != nil {
		t.Fatal(err)
	}
	broken := installer{build: func(context.Context, string, string) error { return errors.New("no compiler today") }}
	if err := broken.install(t.Context(), p, io.Discard); err == nil || !strings.Contains(err.Error(), "no compiler today") {
		t.Errorf("a build that fails gives the error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	interrupted := installer{build: func(context.Context, string, string) error { cancel(); return nil }}
	if err := interrupted.install(ctx, p, io.Discard); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("an interrupt gives the error %v", err)
	}
	if now, err := exec.Command(p.binary()).Output(); err != nil || string(now) != "old\n" {
		t.Errorf("after failures the kernel prints %q, %v", now, err)
	}
	onlyKernel(t, p)
}

func TestAnothersKernel(t *testing.T) {
	bare(t)
	p := prefixPlace(t, t.TempDir())
	if err := os.MkdirAll(p.kernel(), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(p.kernel(), "kernel.json")
	if err := os.WriteFile(file, []byte(`{"argv": ["python3", "-m", "other"]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := quick("").install(t.Context(), p, io.Discard); err == nil || !strings.Contains(err.Error(), "holds another kernel") {
		t.Errorf("installing over another's kernel gives %v", err)
	}
	if err := remove(p, io.Discard); err == nil {
		t.Error("another's kernel was removed")
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestUninstall(t *testing.T) {
	home := bare(t)
	p, err := findPlace(t.Context(), "", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := quick("").install(t.Context(), p, io.Discard); err != nil {
		t.Fatal(err)
	}
	neighbour := filepath.Join(home, ".local/share/jupyter/kernels/other/kernel.json")
	mine := filepath.Join(p.kernel(), "notes.txt")
	for _, file := range []string{neighbour, mine} {
		if err := copyFile(filepath.Join(p.kernel(), "kernel.json"), file); err != nil {
			t.Fatal(err)
		}
	}

	var out bytes.Buffer
	if got := run(t.Context(), []string{"--uninstall"}, &out, &out); got != 0 || !strings.Contains(out.String(), "left there what was not installed with it: notes.txt") {
		t.Errorf("status %d, it says\n%s", got, &out)
	}
	if entries, err := os.ReadDir(p.kernel()); err != nil || len(entries) != 1 {
		t.Errorf("the kernel's directory holds %v, %v", entries, err)
	}
	if err := os.RemoveAll(p.kernel()); err != nil {
		t.Fatal(err)
	}

	if err := quick("").install(t.Context(), p, io.Discard); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if got := run(t.Context(), []string{"--uninstall"}, &out, &out); got != 0 || !strings.Contains(out.String(), "Removed "+p.kernel()+"\n") {
		t.Errorf("status %d, it says\n%s", got, &out)
	}
	if _, err := os.Stat(p.kernel()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after uninstalling: %v", err)
	}
	if _, err := os.Stat(neighbour); err != nil {
		t.Errorf("another kernel was removed: %v", err)
	}
}

func TestUnwritable(t *testing.T) {
	bare(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := quick("").install(t.Context(), prefixPlace(t, file), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "--prefix DIR") {
		t.Errorf("a prefix that is a file gives %v", err)
	}
}

func TestGoVersion(t *testing.T) {
	for name, want := range map[string]string{
		"go1.26.8": "go1.26.8", "go1.27rc1": "go1.27rc1", "devel go1.27-0123abc Mon": "go1.27", "gccgo": "", "go1.26.1-X:nodwarf5": "go1.26.1",
	} {
		if got := goVersion(name); got != want {
			t.Errorf("goVersion(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestCheckTools(t *testing.T) {
	bare(t)
	ctx := t.Context()
	for _, f := range checkTools(ctx) {
		if f.missing() && f.what != "Go" { // Go may be on the PATH of this test alone
			t.Errorf("%s is missing here: %s", f.what, f.lacks)
		}
	}
	t.Run("old Go", func(t *testing.T) {
		fakeTool(t, "go", "echo go1.21.3; echo /old\n")
		if f := checkGo(ctx); !f.missing() || !strings.Contains(f.lacks, "is go1.21.3, and the kernel needs go1.26") {
			t.Errorf("%+v", f)
		}
	})
	t.Run("no headers", func(t *testing.T) {
		fakeTool(t, "go", "echo mycc -m64\n")
		fakeTool(t, "mycc", "echo 'stdlib.h: No such file' >&2; exit 1\n")
		if f := checkCompiler(ctx); !f.missing() || !strings.Contains(f.lacks, "stdlib.h: No such file") || f.remedy == "" {
			t.Errorf("%+v", f)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		for _, f := range append(checkTools(ctx), checkJupyter(ctx)...) {
			if !f.missing() || f.lacks == "" || f.remedy == "" {
				t.Errorf("with an empty PATH: %+v", f)
			}
		}
	})
}

func TestCheckKernel(t *testing.T) {
	home := bare(t)
	check := func(args ...string) (int, string) {
		var out bytes.Buffer
		status := run(t.Context(), append([]string{"--check"}, args...), &out, &out)
		return status, out.String()
	}
	if status, said := check(); status != 1 || !strings.Contains(said, "not installed for the user ("+home) || !strings.Contains(said, "-> go run ./install\n") {
		t.Errorf("without a kernel: status %d\n%s", status, said)
	}

	// A kernel that says it ran, but printed nothing.
	prefix := t.TempDir()
	p := prefixPlace(t, prefix)
	script := `[ "$1" = version ] && { echo "nnkit 0.0 made up"; exit; }
[ "$#" = 6 ] && echo '{"cells": []}' >"$4"
`
	if err := quick(script).install(t.Context(), p, io.Discard); err != nil {
		t.Fatal(err)
	}
	status, said := check("--prefix", prefix)
	if status != 1 || !strings.Contains(said, "nnkit 0.0 made up") || !strings.Contains(said, `"the answer is 42" printed ""`) {
		t.Errorf("with a kernel that does nothing: status %d\n%s", status, said)
	}
	t.Setenv("JUPYTER_PATH", p.data)
	if _, said := check(); !strings.Contains(said, "named by JUPYTER_PATH ("+p.kernel()) {
		t.Errorf("the kernel that Jupyter would start is not found:\n%s", said)
	}

	if err := os.RemoveAll(filepath.Join(p.sources(), "nnkit")); err != nil {
		t.Fatal(err)
	}
	if status, said := check("--prefix", prefix); status != 1 || !strings.Contains(said, "missing   sources for cells") {
		t.Errorf("without sources: status %d\n%s", status, said)
	}
}

func TestOnUsersPath(t *testing.T) {
	// This test is a binary that `go test` runs, so the entry in front counts as put there by go.
	if exe, err := os.Executable(); err != nil || !strings.Contains(exe, "go-build") {
		t.Skip("the test's binary was built before")
	}
	with, without := t.TempDir(), t.TempDir()
	name := "go"
	if runtime.GOOS == "windows" {
		name = "go.exe"
	}
	if err := os.WriteFile(filepath.Join(with, name), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	list := func(dirs ...string) string { return strings.Join(dirs, string(os.PathListSeparator)) }
	if onUsersPath(list(with, without), with) {
		t.Error("a go that `go run` alone put on the path counts as the user's")
	}
	if !onUsersPath(list(with, without, with), with) || !onUsersPath(list(without, with), with) {
		t.Error("the user's go is not seen")
	}
}

func TestTail(t *testing.T) {
	var out bytes.Buffer
	said := &tail{to: &out}
	for _, part := range []string{"   on", "e\ntwo\nthr", "ee"} {
		io.WriteString(said, part)
	}
	if out.String() != "  one\n" || said.text() != "one\ntwo\nthree" {
		t.Errorf("passed on %q, kept %q", &out, said.text())
	}
}

func TestStreamOf(t *testing.T) {
	got, err := streamOf([]byte(`{"cells": [{"cell_type": "markdown"}, {"outputs": [
		{"output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"]},
		{"output_type": "stream", "name": "stderr", "text": "not this"},
		{"output_type": "stream", "name": "stdout", "text": "c"},
		{"output_type": "execute_result", "data": {"text/plain": "42"}}]}]}`), "stdout")
	if err != nil || got != "a\nb\nc" {
		t.Errorf("got %q, %v", got, err)
	}
}

// The real kernel is built once, and must answer by itself.
func TestBuildKernel(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the kernel")
	}
	bare(t)
	prefix := t.TempDir()
	var out bytes.Buffer
	if status := run(t.Context(), []string{"--no-warm", "--prefix", prefix}, &out, &out); status != 0 {
		t.Fatalf("status %d\n%s", status, &out)
	}
	p := prefixPlace(t, prefix)
	cmd := exec.Command(p.binary(), "version")
	cmd.Dir = t.TempDir()
	version, err := cmd.CombinedOutput()
	if err != nil || len(bytes.TrimSpace(version)) == 0 {
		t.Errorf("the installed kernel's version is %q, %v", version, err)
	}
	if root, err := moduleRoot(t.Context()); err != nil {
		t.Error(err)
	} else if data, err := os.ReadFile(p.binary()); err != nil || bytes.Contains(data, []byte(root+"/")) {
		t.Errorf("the installed kernel names the clone %s, %v", root, err)
	}

	// It answers Jupyter, also while it is replaced and after it was removed.
	if f := checkAnswers(t.Context(), p); f.missing() {
		t.Error(f.lacks)
	}
	if f, ok := checkClone(t.Context(), p); !ok || f.missing() {
		t.Errorf("the kernel is not of this clone: %+v", f)
	}
	k, err := startKernel(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer k.end()
	for _, args := range [][]string{{"--no-warm"}, {"--uninstall"}} {
		if err := k.ping(t.Context()); err != nil {
			t.Errorf("the running kernel: %v", err)
		}
		if status := run(t.Context(), append(args, "--prefix", prefix), &out, &out); status != 0 {
			t.Errorf("%s while a kernel runs: status %d\n%s", args, status, &out)
		}
	}
	if err := k.ping(t.Context()); err != nil {
		t.Errorf("the running kernel after it was removed: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Join(prefix, "share", "jupyter", "kernels")); err != nil || len(entries) > 0 {
		t.Errorf("after its removal there is still %v, %v", entries, err)
	}
}
