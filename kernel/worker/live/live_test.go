package live

import (
	"os/exec"
	"strings"
	"testing"
)

// TestCheckInlined checks that the call in every loop of a cell costs no call.
func TestCheckInlined(t *testing.T) {
	out, err := exec.Command("go", "build", "-gcflags=-m", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "can inline Check") {
		t.Errorf("the compiler does not inline Check:\n%s", out)
	}
}
