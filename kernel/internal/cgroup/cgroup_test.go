package cgroup

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// system is a file system of the files in an archive.
func system(text string) fs.FS {
	files := fstest.MapFS{}
	for _, f := range txtar.Parse([]byte(text)).Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return files
}

func TestRead(t *testing.T) {
	for _, test := range []struct {
		name, system string
		memory       Memory
		cpu          CPU
		kills, used  int64
		uncounted    bool
	}{
		{name: "nothing", uncounted: true},
		{
			name: "version 1, nested", system: `
-- proc/self/cgroup --
9:name=systemd:/
4:memory:/hub/alice/server
2:cpu,cpuacct:/hub/alice
0::/
-- proc/self/mountinfo --
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
-- sys/fs/cgroup/memory/memory.limit_in_bytes --
9223372036854771712
-- sys/fs/cgroup/memory/hub/memory.limit_in_bytes --
4294967296
-- sys/fs/cgroup/memory/hub/alice/memory.limit_in_bytes --
1073741824
-- sys/fs/cgroup/memory/hub/alice/server/memory.limit_in_bytes --
2147483648
-- sys/fs/cgroup/memory/hub/alice/server/memory.oom_control --
oom_kill_disable 0
under_oom 0
oom_kill 3
-- sys/fs/cgroup/memory/hub/alice/server/memory.stat --
cache 4096
rss 8192
total_cache 4096
total_rss 12288
-- sys/fs/cgroup/cpu,cpuacct/hub/cpu.cfs_quota_us --
300000
-- sys/fs/cgroup/cpu,cpuacct/hub/cpu.cfs_period_us --
200000
-- sys/fs/cgroup/cpu,cpuacct/hub/alice/cpu.cfs_quota_us --
-1
-- sys/fs/cgroup/cpu,cpuacct/hub/alice/cpu.cfs_period_us --
100000
`, memory: Memory{Bytes: 1 << 30, File: "/sys/fs/cgroup/memory/hub/alice/memory.limit_in_bytes"},
			cpu: CPU{1.5, "/sys/fs/cgroup/cpu,cpuacct/hub/cpu.cfs_quota_us"}, kills: 3, used: 12288,
		},
		{
			name: "version 2, systemd's slices", system: `
-- proc/self/cgroup --
0::/user.slice/user-1000.slice/jupyter.service
-- proc/self/mountinfo --
25 30 0:23 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
-- sys/fs/cgroup/user.slice/memory.max --
max
-- sys/fs/cgroup/user.slice/cpu.max --
max 100000
-- sys/fs/cgroup/user.slice/user-1000.slice/memory.max --
8589934592
-- sys/fs/cgroup/user.slice/user-1000.slice/memory.high --
6442450944
-- sys/fs/cgroup/user.slice/user-1000.slice/cpu.max --
250000 100000
-- sys/fs/cgroup/user.slice/user-1000.slice/jupyter.service/memory.max --
max
-- sys/fs/cgroup/user.slice/user-1000.slice/jupyter.service/cpu.max --
max 100000
-- sys/fs/cgroup/user.slice/user-1000.slice/jupyter.service/memory.events --
low 0
high 0
max 7
oom 1
oom_kill 1
-- sys/fs/cgroup/user.slice/user-1000.slice/jupyter.service/memory.stat --
anon 1048576
file 4096
shmem 1024
`, memory: Memory{Bytes: 8 << 30, File: "/sys/fs/cgroup/user.slice/user-1000.slice/memory.max", High: 6 << 30},
			cpu: CPU{2.5, "/sys/fs/cgroup/user.slice/user-1000.slice/cpu.max"}, kills: 1, used: 1<<20 + 1<<10,
		},
		{name: "version 2, a container with a name space of its own", system: `
-- proc/self/cgroup --
0::/
-- proc/self/mountinfo --
1511 1503 0:31 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw
-- sys/fs/cgroup/memory.max --
536870912
-- sys/fs/cgroup/memory.high --
max
-- sys/fs/cgroup/cpu.max --
50000 100000
-- sys/fs/cgroup/memory.events --
oom_kill 0
-- sys/fs/cgroup/memory.stat --
anon 0
`, memory: Memory{Bytes: 512 << 20, File: "/sys/fs/cgroup/memory.max"}, cpu: CPU{0.5, "/sys/fs/cgroup/cpu.max"}},
		{name: "version 1, a container that is told of the machine's path", system: `
-- proc/self/cgroup --
5:memory:/kubepods/burstable/pod12/34
0::/
-- proc/self/mountinfo --
1 0 0:32 /kubepods/burstable/pod12/34 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
-- sys/fs/cgroup/memory/memory.limit_in_bytes --
1000000000
-- sys/fs/cgroup/memory/memory.oom_control --
oom_kill_disable 0
oom_kill 2
`, memory: Memory{Bytes: 1000000000, File: "/sys/fs/cgroup/memory/memory.limit_in_bytes"}, kills: 2},
		{name: "version 2, a group beyond the name space", system: `
-- proc/self/cgroup --
0::/../other
-- proc/self/mountinfo --
1 0 0:32 / /sys/fs/cgroup ro - cgroup2 cgroup2 rw
-- sys/fs/cgroup/memory.max --
77
-- sys/fs/cgroup/other/memory.max --
1
`, memory: Memory{Bytes: 77, File: "/sys/fs/cgroup/memory.max"}, uncounted: true},
		{name: "two mounts, one of which shows more", system: `
-- proc/self/cgroup --
0::/a/b
-- proc/self/mountinfo --
1 0 0:32 /a/b /mine rw - cgroup2 cgroup2 rw
1 0 0:32 /c /other rw - cgroup2 cgroup2 rw
1 0 0:32 / /all\040of\040it rw - cgroup2 cgroup2 rw
-- mine/memory.max --
30
-- other/memory.max --
10
-- all of it/a/memory.max --
20
-- all of it/a/b/memory.max --
30
`, memory: Memory{Bytes: 20, File: "/all of it/a/memory.max"}, uncounted: true},
		{name: "a group that is gone", system: `
-- proc/self/cgroup --
0::/gone
-- proc/self/mountinfo --
1 0 0:32 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
-- sys/fs/cgroup/cpu.max --
400000 100000
`, cpu: CPU{4, "/sys/fs/cgroup/cpu.max"}, uncounted: true},
		{name: "files of another form", system: `
-- proc/self/cgroup --
0:/
memory
0::/a
-- proc/self/mountinfo --
cgroup2
1 0 0:32 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
1 0 - cgroup2
-- sys/fs/cgroup/a/memory.max --
-5
-- sys/fs/cgroup/a/cpu.max --
1000 0
-- sys/fs/cgroup/a/memory.events --
oom_kill
-- sys/fs/cgroup/a/memory.stat --
anon many
`, uncounted: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := system(test.system)
			got := read(root)
			kills, counted := got.Memory.group.kills(root)
			used := got.Memory.group.used(root)
			got.Memory.group = group{}
			if got.Memory != test.memory || got.CPU != test.cpu {
				t.Errorf("limits %+v, want %+v and %+v", got, test.memory, test.cpu)
			}
			if kills != test.kills || counted == test.uncounted || used != test.used {
				t.Errorf("kills %d (%v), want %d; used %d, want %d", kills, counted, test.kills, used, test.used)
			}
		})
	}
}

// recorded is what was read in a group, beside the files it was read from.
type recorded struct {
	Limits  Limits
	Kills   int64
	Counted bool // whether the system tells how many
	Used    int64
}

// TestRecorded: files that a system had, as TestBoot writes them, say what they said then.
func TestRecorded(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			root := system(string(data))
			text, err := fs.ReadFile(root, "want.json")
			if err != nil {
				t.Fatal(err)
			}
			var want recorded
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			got := recorded{Limits: read(root)}
			g := got.Limits.Memory.group
			got.Kills, got.Counted = g.kills(root)
			got.Limits.Memory.group = group{}
			// Memory went on changing while the files were copied.
			const change = 16 << 20
			if used := g.used(root); used < want.Used-change || used > want.Used+change {
				t.Errorf("%d bytes are used, want %d", used, want.Used)
			}
			want.Used = 0
			if got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func TestProcessors(t *testing.T) {
	for _, test := range []struct {
		quota float64
		want  int
	}{{0, 8}, {0.5, 2}, {1, 2}, {2, 2}, {2.1, 3}, {8, 8}, {16, 8}} {
		if got := (CPU{Quota: test.quota}).Processors(8); got != test.want {
			t.Errorf("a quota of %v gives %d of 8 processors, want %d", test.quota, got, test.want)
		}
	}
	if got := (CPU{Quota: 1}).Processors(1); got != 1 {
		t.Errorf("%d of 1 processor", got)
	}
}

// FuzzRead gives it what no system would write.
func FuzzRead(f *testing.F) {
	f.Add("0::/a\n", "1 0 0:32 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "10 20\n")
	f.Add("4:memory:/../a\n", "1 0 0:32 /a /../../sys rw - cgroup cgroup rw,memory\n", "max\n")
	f.Fuzz(func(t *testing.T, groups, mounts, value string) {
		files := fstest.MapFS{
			"proc/self/cgroup":    {Data: []byte(groups)},
			"proc/self/mountinfo": {Data: []byte(mounts)},
		}
		for _, name := range []string{"memory.max", "memory.limit_in_bytes", "cpu.max", "memory.stat", "memory.events"} {
			files["sys/fs/cgroup/a/"+name] = &fstest.MapFile{Data: []byte(value)}
		}
		l := read(files)
		l.Memory.group.kills(files)
		l.Memory.group.used(files)
		if l.Memory.Bytes < 0 || !(l.CPU.Quota >= 0) {
			t.Errorf("%+v", l)
		}
	})
}
