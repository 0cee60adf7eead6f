package session

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/build"
	"github.com/seed5607215b/nnkit/kernel/internal/cgroup"
)

func TestMemoryForWorker(t *testing.T) {
	const mb, gb = 1 << 20, 1 << 30
	for _, test := range []struct {
		limit      cgroup.Memory
		used, want int64
	}{
		{cgroup.Memory{}, gb, 0},
		{cgroup.Memory{Bytes: 20 * gb}, 300 * mb, 19*gb - 556*mb}, // a twentieth is no memory of Go's
		{cgroup.Memory{Bytes: 1000 * mb}, 100 * mb, 594 * mb},
		{cgroup.Memory{Bytes: 1000 * mb}, 900 * mb, 500 * mb}, // others may end
		{cgroup.Memory{Bytes: 100 * mb}, 0, 50 * mb},
		{cgroup.Memory{Bytes: 20 * gb, High: 1000 * mb}, 100 * mb, 594 * mb},
		{cgroup.Memory{High: 1000 * mb}, 100 * mb, 594 * mb},
	} {
		m := memory{limit: test.limit}
		if got := m.forWorker(test.used); got != test.want {
			t.Errorf("of %+v, %d MB of which are in use, a worker gets %d MB, want %d", test.limit, test.used/mb, got/mb, test.want/mb)
		}
	}
}

func TestWhyKilled(t *testing.T) {
	limit := cgroup.Memory{Bytes: 512 << 20, File: "/sys/fs/cgroup/memory.max"}
	for _, test := range []struct {
		name  string
		limit cgroup.Memory
		kills int64 // of 3 that were known; -1: the system does not tell
		want  string
		notes int
	}{
		{"limit", limit, 4, "by the system when the memory limit of 512 MB was reached, which all processes there share (/sys/fs/cgroup/memory.max)", 1},
		{"machine", cgroup.Memory{}, 4, "by the system when the machine's memory ran out", 1},
		{"outside", limit, 3, "from outside (SIGKILL), and not for want of memory", 0},
		{"outside, no limit", cgroup.Memory{}, 3, "from outside (SIGKILL), and not for want of memory", 0},
		{"unknown", limit, -1, ": by the system when the memory limit of 512 MB was reached (/sys/fs/cgroup/memory.max), or from outside", 0},
		{"unknown, no limit", cgroup.Memory{}, -1, ": by the system when memory ran out, or from outside", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := memory{limit: test.limit, known: 3, kills: func() (int64, bool) { return test.kills, test.kills >= 0 }}
			reason, notes := m.whyKilled("the compiler")
			if !strings.HasPrefix(reason, "the compiler was killed") || !strings.HasSuffix(reason, test.want) || len(notes) != test.notes {
				t.Errorf("%s %q", reason, notes)
			}
			m.see()
			if reason, _ = m.whyKilled("the compiler"); test.kills >= 0 && !strings.Contains(reason, "from outside (SIGKILL)") {
				t.Errorf("what was seen before: %s", reason)
			}
		})
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "500MB": 500 << 20, "2GB": 2 << 30, "1.5 GiB": 3 << 29, " 10g ": 10 << 30, "64k": 64 << 10, "3TiB": 3 << 40,
		"": 0, "B": 0, "GB": 0, "-1GB": 0, "0": 0, "much": 0, "NaN": 0, "inf": 0, "1e99": 0, "1 G B": 0,
	} {
		if got, err := parseBytes(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d (%v), want %d", text, got, err, want)
		}
	}
}

// TestPlace: the environment says where libraries are kept, and what of it cannot be
// followed is told and not fatal.
func TestPlace(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	shared, own := t.TempDir(), filepath.Join(os.Getenv("XDG_CACHE_HOME"), "nnkit")
	for _, test := range []struct {
		name, size, shared string
		want               int64
		use                string
		warnings           []string
	}{
		{name: "nothing", want: build.DefaultCacheSize},
		{name: "both", size: "300MB", shared: shared, want: 300 << 20, use: shared},
		{name: "one's own", shared: own, want: build.DefaultCacheSize},
		{name: "neither", size: "lots", shared: shared + "/none", want: build.DefaultCacheSize, warnings: []string{"NNKIT_CACHE_SIZE=lots: a size is", "it is 4.0 GB now", "no such file"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(cacheSizeVariable, test.size)
			t.Setenv(sharedCacheVariable, test.shared)
			var c Config
			warning, err := c.place()
			if err != nil || c.CacheSize != test.want || c.SharedCacheDir != test.use || (warning == "") != (test.warnings == nil) {
				t.Errorf("%+v, %q, %v", c, warning, err)
			}
			for _, want := range test.warnings {
				if !strings.Contains(warning, want) {
					t.Errorf("the warning %q lacks %q", warning, want)
				}
			}
		})
	}
}

// TestLimitMemory: what the user has set stays.
func TestLimitMemory(t *testing.T) {
	s := &Session{memory: memory{limit: cgroup.Memory{Bytes: 1 << 30}}, settings: newSettings(Config{Dir: "/"}, "/")}
	if got := s.limitMemory(); len(got) != 1 || !strings.HasPrefix(got[0], "GOMEMLIMIT=") {
		t.Errorf("%q", got)
	}
	s.settings.env[memoryVariable] = "5GiB"
	if got := s.limitMemory(); got != nil {
		t.Errorf("%q, and the user has set 5GiB", got)
	}
}

// Why there are so many threads is told by what has limited them: also where the kernel
// has set GOMAXPROCS, for Go to obey a group that it does not look at.
func TestLimitRowsProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	all := runtime.NumCPU()
	for _, test := range []struct {
		threads int
		set     string
		quota   float64
		want    string
	}{
		{threads: all, want: fmt.Sprintf("%d of %d", all, all)},
		{threads: all, set: strconv.Itoa(all), quota: float64(all) - 0.5, want: fmt.Sprintf("%d of %d, the time of %.3g (cpu.max)", all, all, float64(all)-0.5)},
		{threads: all + 1, set: strconv.Itoa(all + 1), quota: 1, want: fmt.Sprintf("%d of %d, by GOMAXPROCS", all+1, all)},
	} {
		t.Setenv("GOMAXPROCS", test.set)
		runtime.GOMAXPROCS(test.threads)
		rows := limitRows(Config{CacheDir: t.TempDir()}, newMemory(cgroup.Memory{}), cgroup.CPU{Quota: test.quota, File: "cpu.max"}, "")
		if got := rows[1][1]; got != test.want {
			t.Errorf("processors  %s, want %s", got, test.want)
		}
	}
}
