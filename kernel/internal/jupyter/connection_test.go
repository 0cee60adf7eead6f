package jupyter_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
)

func TestConnectionFile(t *testing.T) {
	const ports = `"shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5`
	for text, want := range map[string]string{
		`{` + ports + `,"ip":"127.0.0.1","transport":"tcp","key":"k","signature_scheme":"hmac-sha256"}`: "tcp://127.0.0.1:1",
		`{` + ports + `,"ip":"::1"}`:                                                       "tcp://[::1]:1",
		`{` + ports + `,"ip":"*"}`:                                                         "tcp://:1",
		`{` + ports + `,"transport":"ipc","ip":"/run/k"}`:                                  "ipc:///run/k-1",
		`{` + ports + `,"signature_scheme":"hmac-md5"}`:                                    "tcp://:1", // no key, no signatures
		`{` + ports + `,"key":"k","signature_scheme":"hmac-md5"}`:                          `signature_scheme "hmac-md5"`,
		`{` + ports + `,"transport":"pgm"}`:                                                `transport "pgm"`,
		`{` + ports + `,"transport":"ipc"}`:                                                `"ip", which is empty`,
		`{"shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4}`:                  "hb_port is missing",
		`{"shell_port":1,"control_port":1,"stdin_port":3,"iopub_port":4,"hb_port":5}`:      "shell_port and control_port are both 1",
		`{"shell_port":70000,"control_port":1,"stdin_port":3,"iopub_port":4,"hb_port":5}`:  "shell_port is 70000",
		`{"shell_port":"http","control_port":1,"stdin_port":3,"iopub_port":4,"hb_port":5}`: "not a connection file",
		`shell`: "not a connection file",
	} {
		path := filepath.Join(t.TempDir(), "c.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := jupyter.ReadConnectionFile(path)
		if err == nil {
			if got := c.Endpoint(c.ShellPort); got != want {
				t.Errorf("%s:\n got %s\nwant %s", text, got, want)
			}
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
	if _, err := jupyter.ReadConnectionFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}
