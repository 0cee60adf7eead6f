package session

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/cgroup"
)

// The variables of the environment that say where compiled libraries are kept, beside
// XDG_CACHE_HOME. docs/hub.md has them.
const (
	cacheSizeVariable   = "NNKIT_CACHE_SIZE"
	sharedCacheVariable = "NNKIT_SHARED_CACHE"
	memoryVariable      = "GOMEMLIMIT"
)

// roomForTools is the memory that is left for what runs beside the worker: compilers
// and linkers for two cells, and the kernel's own growth.
const roomForTools = 256 << 20

// memory is what the session knows of the limits of its memory.
type memory struct {
	limit cgroup.Memory
	kills func() (n int64, ok bool) // as cgroup.Memory.Kills
	known int64                     // how many kills there were by the end of the last cell
}

func newMemory(limit cgroup.Memory) memory {
	m := memory{limit: limit, kills: limit.Kills}
	m.see()
	return m
}

// see takes note of the kills so far.
func (m *memory) see() { m.known, _ = m.kills() }

// forWorker is how many bytes the Go runtime of a worker that is started now is to
// stay below; 0 is no limit. What other processes of the group have stays theirs, and
// there is room for the tools and for what is no memory of Go's. It is a soft limit: the
// collector works harder there.
func (m *memory) forWorker(used int64) int64 {
	limit := m.limit.Bytes
	if m.limit.High > 0 && (limit == 0 || m.limit.High < limit) {
		limit = m.limit.High
	}
	return max(limit-used-roomForTools-limit/20, limit/2)
}

// limitMemory is the variable for a worker that is started with the settings, or "". What
// the user has set stays.
func (s *Session) limitMemory() []string {
	used := s.memory.limit.Used()
	if s.leaving != nil {
		used = max(0, used-s.leaving.resident())
	}
	n := s.memory.forWorker(used)
	if n == 0 || s.settings.getenv(memoryVariable) != "" {
		return nil
	}
	return []string{memoryVariable + "=" + strconv.FormatInt(n, 10)}
}

// free is how much memory may still be taken.
func (m *memory) free() int64 {
	free := int64(math.MaxInt64)
	if m.limit.Bytes > 0 {
		free = m.limit.Bytes - m.limit.Used()
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		_, rest, _ := strings.Cut(string(text), "\nMemAvailable:")
		if f := strings.Fields(rest); len(f) > 0 {
			if kb, err := strconv.ParseInt(f[0], 10, 64); err == nil {
				free = min(free, kb<<10)
			}
		}
	}
	return max(free, 0)
}

// whyKilled says why a process of the session's was killed, such as "the compiler", and
// what can be done about it.
func (m *memory) whyKilled(process string) (reason string, notes []string) {
	kills, ok := m.kills()
	const less = "Smaller batches take less, and so do fewer notebooks that run at once; what is not needed any more goes with x = nil."
	switch {
	case ok && kills > m.known && m.limit.Bytes > 0:
		return fmt.Sprintf("%s was killed by the system when the memory limit of %s was reached, which all processes there share (%s)",
				process, bytesText(m.limit.Bytes), m.limit.File),
			[]string{less + " The limit is set outside of the notebook: by mem_limit in JupyterHub, resources.limits.memory in Kubernetes, --memory in Docker, MemoryMax in systemd."}
	case ok && kills > m.known:
		return process + " was killed by the system when the machine's memory ran out", []string{less}
	case ok:
		return process + " was killed from outside (SIGKILL), and not for want of memory", nil
	case m.limit.Bytes > 0:
		return fmt.Sprintf("%s was killed: by the system when the memory limit of %s was reached (%s), or from outside", process, bytesText(m.limit.Bytes), m.limit.File), nil
	}
	return process + " was killed: by the system when memory ran out, or from outside", nil
}

// addressSpace is a note on the limit of addresses that a process may have (ulimit -v),
// if there is one: Go's runtime asks for many more than it has memory.
func addressSpace() []string {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_AS, &r) != nil || r.Cur > 1<<50 {
		return nil
	}
	return []string{fmt.Sprintf("The addresses that a process may have are limited to %s (ulimit -v), of which Go needs more than it has memory: limit memory by a control group instead.", bytesText(int64(r.Cur)))}
}

// place completes where libraries are kept, by the environment, and says what of that
// cannot be followed.
func (c *Config) place() (warning string, err error) {
	if c.CacheDir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("a place to keep compiled libraries: %w", err)
		}
		c.CacheDir = filepath.Join(cache, "nnkit")
	}
	if c.SharedCacheDir == "" {
		c.SharedCacheDir = os.Getenv(sharedCacheVariable)
	}
	if c.SharedCacheDir == c.CacheDir { // it is being filled
		c.SharedCacheDir = ""
	}
	if c.SharedCacheDir != "" {
		if e := build.CheckShared(c.SharedCacheDir); e != nil {
			warning += fmt.Sprintf("The shared cache is not used (%s=%s): %v\n", sharedCacheVariable, c.SharedCacheDir, e)
			c.SharedCacheDir = ""
		}
	}
	if text := os.Getenv(cacheSizeVariable); c.CacheSize == 0 && text != "" {
		n, e := parseBytes(text)
		if e != nil {
			warning += fmt.Sprintf("%s=%s: %v; it is %s now\n", cacheSizeVariable, text, e, bytesText(build.DefaultCacheSize))
		}
		c.CacheSize = n
	}
	if c.CacheSize == 0 {
		c.CacheSize = build.DefaultCacheSize
	}
	return warning, nil
}

// Limits tells, line by line, what the sessions of this machine keep to: memory,
// processors, and the size of the cache.
func Limits() (string, error) {
	var c Config
	warning, err := c.place()
	if err != nil {
		return "", err
	}
	l := cgroup.Read()
	m := newMemory(l.Memory)
	return warning + table(limitRows(c, m, l.CPU, os.Getenv(memoryVariable))), nil
}

// limits shows the session's.
func (c *call) limits() error {
	if len(c.args) > 0 {
		return errUsage
	}
	c.print("%s", table(limitRows(c.config, c.memory, cgroup.Read().CPU, c.settings.getenv(memoryVariable))))
	return nil
}

func limitRows(c Config, m memory, cpu cgroup.CPU, set string) [][]string {
	used := m.limit.Used()
	text := "no limit but the machine's"
	if m.limit.Bytes > 0 {
		text = fmt.Sprintf("%s (%s), of which %s are in use", bytesText(m.limit.Bytes), m.limit.File, bytesText(used))
	}
	if m.limit.High > 0 {
		text += fmt.Sprintf("; slowed down from %s on", bytesText(m.limit.High))
	}
	switch n := m.forWorker(used); {
	case set != "":
		text += fmt.Sprintf("; %s=%s is yours", memoryVariable, set)
	case n > 0:
		text += fmt.Sprintf("; a process of cells that is started now collects garbage so as to stay below %s (%s)", bytesText(n), memoryVariable)
	}
	rows := [][]string{{"memory", text}}

	text = fmt.Sprintf("%d of %d", runtime.GOMAXPROCS(0), runtime.NumCPU())
	switch {
	case cpu.Quota > 0 && runtime.GOMAXPROCS(0) == cpu.Processors(runtime.NumCPU()):
		// This process may have set GOMAXPROCS itself, for Go to obey the group above.
		text += fmt.Sprintf(", the time of %.3g (%s)", cpu.Quota, cpu.File)
	case os.Getenv("GOMAXPROCS") != "":
		text += ", by GOMAXPROCS"
	}
	rows = append(rows, []string{"processors", text})

	text = fmt.Sprintf("%s: %s, at most %s (%s)", c.CacheDir, bytesText(build.CacheSize(c.CacheDir)), bytesText(c.CacheSize), cacheSizeVariable)
	if c.SharedCacheDir != "" {
		text += fmt.Sprintf("; beside it the shared %s", c.SharedCacheDir)
	}
	return append(rows, []string{"cache", text})
}

// parseBytes reads a size: 500MB, 2GB, 1.5 GiB; the units are powers of 1024.
func parseBytes(text string) (int64, error) {
	form := errors.New("a size is a number with a unit: 500MB, 2GB")
	s := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(text)), "B"), "I")
	unit := 1.0
	if s != "" {
		if i := strings.IndexByte("KMGT", s[len(s)-1]); i >= 0 {
			unit, s = float64(int64(1)<<(10*(i+1))), s[:len(s)-1]
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(n*unit >= 1 && n*unit < 1<<60) {
		return 0, form
	}
	return int64(n * unit), nil
}

// bytesText is a size as people write it.
func bytesText(n int64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%d MB", (n+1<<19)>>20)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
}
