//go:build protoc

package tensorboard

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"testing"
)

var update = flag.Bool("update", false, "write what protoc reads into testdata")

// The compiler of Protocol Buffers reads what is written.
func TestProtoc(t *testing.T) {
	var read bytes.Buffer
	for _, record := range records(t, written(t)) {
		cmd := exec.CommandContext(t.Context(), "protoc", "--decode=tensorflow.Event", "testdata/event.proto")
		cmd.Stdin = bytes.NewReader(record)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		read.Write(out)
		read.WriteString("---\n")
	}
	const name = "testdata/events.txt"
	if *update {
		if err := os.WriteFile(name, read.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read.Bytes(), want) {
		t.Errorf("protoc reads\n%s\nwant\n%s", &read, want)
	}
}
