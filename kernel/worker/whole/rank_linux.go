package whole

import (
	"os/exec"
	"syscall"
)

// executable is this program, also when its file is gone.
func executable() string { return "/proc/self/exe" }

// endsWithParent has the system kill a process when this one ends.
func endsWithParent(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
