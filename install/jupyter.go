package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// environments lists the Python environments in which programs of Jupyter's may be,
// likeliest first, as folders: the active one, those of this folder and above, of the
// user's tools (pip --user, pipx, uv), of conda. That of the PATH is not among them.
func environments() []string {
	var all []string
	add := func(patterns ...string) {
		for _, pattern := range patterns {
			found, _ := filepath.Glob(pattern) // what is no pattern matches nothing
			for _, dir := range found {
				if !slices.Contains(all, dir) {
					all = append(all, dir)
				}
			}
		}
	}
	for _, name := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if dir := os.Getenv(name); dir != "" {
			add(dir)
		}
	}
	if dir, err := os.Getwd(); err == nil {
		for {
			add(filepath.Join(dir, ".venv"), filepath.Join(dir, "venv"))
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		for _, pattern := range []string{
			".local", ".local/share/pipx/venvs/*", ".local/pipx/venvs/*", ".local/share/uv/tools/*", ".virtualenvs/*",
		} {
			add(filepath.Join(home, filepath.FromSlash(pattern)))
		}
		for _, conda := range condas {
			add(filepath.Join(home, conda), filepath.Join(home, conda, "envs", "*"))
		}
	}
	for _, conda := range []string{"/opt/conda", "/opt/miniconda3", "/opt/anaconda3", "/opt/homebrew", "/usr/local"} {
		add(conda, filepath.Join(conda, "envs", "*"))
	}
	return all
}

// condas are the folders that conda is installed into.
var condas = []string{"miniforge3", "mambaforge", "miniconda3", "anaconda3", "micromamba"}

// findProgram finds a program of Jupyter's, on the PATH or in an environment.
func findProgram(name string) (path string, onPath bool) {
	if path, err := exec.LookPath(name); err == nil {
		return path, true
	}
	bin := "bin"
	if runtime.GOOS == "windows" {
		bin, name = "Scripts", name+".exe"
	}
	for _, dir := range environments() {
		path := filepath.Join(dir, bin, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0) {
			return path, false
		}
	}
	return "", false
}

// checkJupyter looks for the programs that open notebooks. None is needed: the
// kernel executes notebooks by itself.
func checkJupyter(ctx context.Context) []finding {
	var all []finding
	for _, c := range []struct{ what, program, remedy string }{
		{"JupyterLab", "jupyter-lab", "pip install jupyterlab, in a virtual environment"},
		{"Jupyter Notebook", "jupyter-notebook", "pip install notebook, in a virtual environment"},
		{"Jupyter console", "jupyter-console", "pip install jupyter-console, in a virtual environment"},
	} {
		f := finding{what: c.what, lacks: "there is no " + c.program + " on the PATH or in an environment of pip, pipx, uv or conda", remedy: c.remedy, spare: true}
		if path, onPath := findProgram(c.program); path != "" {
			where := path
			if !onPath {
				where += ", which is not on the PATH"
			}
			if out, err := output(ctx, os.TempDir(), path, "--version"); err != nil {
				f.lacks = path + " does not run: " + err.Error()
			} else {
				f.found = strings.TrimSpace(out) + " (" + where + ")"
			}
		}
		all = append(all, f)
	}
	f := finding{what: "nbclient", lacks: "python3 has no module nbclient", remedy: "pip install nbclient, in a virtual environment", spare: true}
	if out, err := output(ctx, os.TempDir(), "python3", "-c", "import nbclient; print(nbclient.__version__)"); err == nil {
		f.found = strings.TrimSpace(out)
	}
	return append(all, f)
}

// foundJupyter is what checkJupyter found, or how to have JupyterLab when it found nothing.
func foundJupyter(ctx context.Context) []finding {
	all := checkJupyter(ctx)
	found := slices.DeleteFunc(slices.Clone(all), finding.missing)
	if len(found) == 0 {
		return all[:1]
	}
	return found
}

// checkSeen asks Jupyter which kernel it would start.
func checkSeen(ctx context.Context, p place) finding {
	f := finding{what: "Jupyter's list of kernels", lacks: "there is no jupyter-kernelspec to ask", spare: true}
	path, _ := findProgram("jupyter-kernelspec")
	if path == "" {
		return f
	}
	out, err := output(ctx, os.TempDir(), path, "list", "--json")
	if err != nil {
		f.lacks = err.Error()
		return f
	}
	var list struct {
		Kernelspecs map[string]struct {
			Dir string `json:"resource_dir"`
		}
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		f.lacks = fmt.Sprintf("%s prints no list: %v", path, err)
		return f
	}
	switch dir := list.Kernelspecs[kernelName].Dir; {
	case dir == "":
		f.lacks = fmt.Sprintf("%s does not look into %s", path, filepath.Dir(p.kernel()))
		f.remedy = "start Jupyter with JUPYTER_PATH=" + p.data
	case !sameFile(dir, p.kernel()):
		f.lacks = fmt.Sprintf("%s starts the kernel in %s, which comes before %s", path, dir, p.kernel())
		f.remedy = "remove that one, or start Jupyter with JUPYTER_PATH=" + p.data
	default:
		f.found = fmt.Sprintf("%s starts it", path)
	}
	return f
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	y, e := os.Stat(b)
	return err == nil && e == nil && os.SameFile(x, y)
}
