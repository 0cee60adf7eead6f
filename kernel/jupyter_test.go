package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

// live starts the kernel as a Jupyter server does for a notebook, and returns a client
// of it.
func live(t *testing.T, name string) *client.Client {
	t.Helper()
	connection, err := client.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(connection)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "connection.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "jupyter", file)
	// The sources of this project are found above the working directory of the tests,
	// which a server would not have.
	cmd.Env = append(os.Environ(), notebookFile+"="+name, "XDG_STATE_HOME="+t.TempDir())
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(t.Context(), connection)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = c.Shutdown(end, false)
		c.Close()
		_ = cmd.Wait()
	})
	return c
}

// shows runs a cell and checks that what it prints holds some texts.
func shows(t *testing.T, c *client.Client, code string, wants ...string) {
	t.Helper()
	r, err := c.Execute(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	reply := r.Execution()
	contains(t, "cell "+code, r.Text("stdout")+r.Text("stderr")+reply.ErrorValue, wants...)
}

// TestLiveLock locks a notebook from within, and opens it elsewhere.
func TestLiveLock(t *testing.T) {
	name := cells(t, "#parameters\nrate := 0.1", `os.ReadFile("data.csv")`)
	data := filepath.Join(filepath.Dir(name), "data.csv")
	if err := os.WriteFile(data, []byte("1,2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	shows(t, live(t, name), "fmt.Println(1)\n%lock", "1\n", "locked in nb.ipynb: go1.", "1 file of data, 1 parameter", "Reload Notebook from Disk")
	contains(t, "the notebook", read(t, name), `"lock": {`, `"data.csv": "sha256:`)

	// All is as it was: nothing is told.
	r, err := live(t, name).Execute(t.Context(), "fmt.Println(2)")
	if err != nil || r.Text("stdout") != "2\n" || r.Text("stderr") != "" {
		t.Errorf("the first cell prints %q and %q (%v)", r.Text("stdout"), r.Text("stderr"), err)
	}

	// Something is different, and an older module is asked for than the kernel brings.
	changed := strings.Replace(read(t, name), "gonum.org/v1/gonum v0.17.0 ", "gonum.org/v1/gonum v0.15.0 ", 1)
	if err := os.WriteFile(name, []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(data); err != nil {
		t.Fatal(err)
	}
	shows(t, live(t, name), "fmt.Println(3)", "3\n", "not all is as its lock has it:", "module gonum.org/v1/gonum is v0.17.0, locked is v0.15.0", "data file data.csv is missing")

	shows(t, live(t, ""), "%lock", "this client does not tell a kernel which file its notebook is", "save the notebook, and write !", " lock NOTEBOOK.ipynb in a cell")
	if err := os.WriteFile(name, []byte(strings.Replace(changed, `"format": 1`, `"format": 2`, 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	shows(t, live(t, name), "fmt.Println(4)", "4\n", `has format 2, and this kernel knows 1: "kernel lock" makes it again`)
}

// The server that has started a kernel is found by what it writes beside the kernel's
// connection file.
func TestFindServer(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("JPY_PARENT_PID", "12")
	for _, test := range []struct {
		file, text string
		want       *session.Server
	}{
		{"jpserver-12.json", `{"root_dir": "/home/gopher", "base_url": "/user/gopher/"}`, &session.Server{Root: "/home/gopher", URL: "/user/gopher/"}},
		{"nbserver-12.json", `{"notebook_dir": "/work"}`, &session.Server{Root: "/work", URL: "/"}},
		{"jpserver-13.json", `{"root_dir": "/another"}`, nil},
		{"jpserver-12.json", `{"root_dir": `, nil},
	} {
		file := filepath.Join(dir, test.file)
		if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := findServer(dir); !reflect.DeepEqual(got, test.want) {
			t.Errorf("with %s %s: %+v", test.file, test.text, got)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}
