package cgroup

import (
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// Limits are what the groups of a process allow, the least of all levels.
type Limits struct {
	Memory Memory
	CPU    CPU
}

// Memory is the limit of the memory that all processes of a group have together.
type Memory struct {
	Bytes int64  // more than that is not given: the system kills; 0 is no limit
	File  string // that sets it: "/sys/fs/cgroup/memory.max"
	High  int64  // above it the system slows the group down; 0 is no such limit

	group group // of this process
}

// CPU is the limit of processor time.
type CPU struct {
	Quota float64 // processors' worth of time: 0.5 is half of one; 0 is no limit
	File  string  // that sets it: "/sys/fs/cgroup/cpu.max"
}

// Read reads the limits of this process. What cannot be read does not limit: on
// other systems than Linux nothing does.
func Read() Limits { return read(os.DirFS("/")) }

// read reads the limits of the process whose file system it is given.
func read(root fs.FS) Limits {
	var l Limits
	l.Memory.group = find(root, "memory")
	for _, dir := range l.Memory.group.levels() {
		file := path.Join(dir, l.Memory.group.file("memory.limit_in_bytes", "memory.max"))
		if n, ok := number(root, file); ok && n < unlimited && less(n, l.Memory.Bytes) {
			l.Memory.Bytes, l.Memory.File = n, "/"+file
		}
		if n, ok := number(root, path.Join(dir, "memory.high")); ok && less(n, l.Memory.High) {
			l.Memory.High = n
		}
	}
	cpu := find(root, "cpu")
	for _, dir := range cpu.levels() {
		file := path.Join(dir, cpu.file("cpu.cfs_quota_us", "cpu.max"))
		text := words(root, file) // 50000 100000: so many of so many microseconds
		if cpu.version == 1 {
			text = append(text, words(root, path.Join(dir, "cpu.cfs_period_us"))...)
		}
		if len(text) != 2 {
			continue
		}
		of, period := positive(text[0]), positive(text[1])
		if q := float64(of) / float64(period); of > 0 && period > 0 && less(q, l.CPU.Quota) {
			l.CPU = CPU{q, "/" + file}
		}
	}
	return l
}

// less tells whether a limit is below the one that was found before, if there was one.
func less[T int64 | float64](limit, before T) bool { return before == 0 || limit < before }

// Processors is how many threads make use of the quota, and of so many processors:
// as many as the Go runtime starts, which rounds up, and takes two at least, so that
// the collector does not stand in the way of the program.
func (c CPU) Processors(most int) int {
	if c.Quota == 0 {
		return most
	}
	return min(most, max(2, int(math.Ceil(c.Quota))))
}

// Kills counts the processes of the group that the system has killed for want of
// memory; ok is false where it does not tell.
func (m Memory) Kills() (n int64, ok bool) { return m.group.kills(os.DirFS("/")) }

func (g group) kills(root fs.FS) (n int64, ok bool) {
	if g.version == 0 {
		return 0, false
	}
	return field(root, path.Join(g.dir, g.file("memory.oom_control", "memory.events")), "oom_kill")
}

// Used is how many bytes the processes of the group have that cannot be had back
// from them: pages of files do not count.
func (m Memory) Used() int64 { return m.group.used(os.DirFS("/")) }

func (g group) used(root fs.FS) (n int64) {
	if g.version == 0 {
		return 0
	}
	for _, name := range map[int][]string{1: {"total_rss", "total_shmem"}, 2: {"anon", "shmem"}}[g.version] {
		if of, ok := field(root, path.Join(g.dir, "memory.stat"), name); ok {
			n += of
		}
	}
	return n
}

// unlimited is where version 1 has no limit: the largest number of whole pages.
const unlimited = 1 << 60

// A group is where a process is in the hierarchy of a controller.
type group struct {
	version int    // 1 or 2; 0 if there is none
	dir     string // its folder, as fs.FS names it
	top     string // that of the topmost group that can be seen
}

// file returns the name that holds for the group's version.
func (g group) file(v1, v2 string) string {
	if g.version == 1 {
		return v1
	}
	return v2
}

// levels are the folders of the group and of all above it.
func (g group) levels() []string {
	if g.version == 0 {
		return nil
	}
	dirs := []string{g.dir}
	for dir := g.dir; dir != g.top && dir != "."; {
		dir = path.Dir(dir)
		dirs = append(dirs, dir)
	}
	return dirs
}

// find finds the group that a controller has this process in.
func find(root fs.FS, controller string) group {
	groups, _ := fs.ReadFile(root, "proc/self/cgroup")
	mounts, _ := fs.ReadFile(root, "proc/self/mountinfo")
	var g group
	name := ""
	for line := range strings.Lines(string(groups)) { // 4:memory:/user/alice, 0::/user/alice
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(f) != 3:
		case has(f[1], controller): // a controller is in one hierarchy only
			g.version, name = 1, f[2]
		case f[0] == "0" && f[1] == "" && g.version == 0:
			g.version, name = 2, f[2]
		}
	}
	if g.version == 0 {
		return group{}
	}
	// Where it is mounted several times, a mount that shows more levels is better. One
	// that does not show the group by its name is a container's own, which has been
	// told the name that it has in the machine: what is mounted is its group.
	best := math.MaxInt
	for line := range strings.Lines(string(mounts)) { // 35 31 0:32 /docker/1f /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
		before, after, ok := strings.Cut(line, " - ")
		at, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(at) < 5 || len(kind) < 3 {
			continue
		}
		if g.version == 1 && (kind[0] != "cgroup" || !has(kind[2], controller)) || g.version == 2 && kind[0] != "cgroup2" {
			continue
		}
		from, to := unescape(at[3]), unescape(at[4])
		rest, shown := below(name, from)
		hidden := len(from)
		if !shown {
			hidden = math.MaxInt - 1
		}
		if hidden < best {
			best = hidden
			g.top = strings.TrimPrefix(path.Clean(to), "/")
			g.dir = path.Join(g.top, rest)
		}
	}
	if best == math.MaxInt {
		return group{}
	}
	if _, err := fs.Stat(root, g.dir); err != nil { // the process has been moved
		g.dir = g.top
	}
	return g
}

// below is what of a group's path lies below the one that is mounted.
func below(name, mounted string) (rest string, ok bool) {
	if name == "/.." || strings.HasPrefix(name, "/../") {
		return "", false // beyond what this process's name space shows
	}
	if mounted == "/" {
		return name, true
	}
	rest, ok = strings.CutPrefix(name, mounted)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return rest, true
}

func has(list, name string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if item == name {
			return true
		}
	}
	return false
}

// unescape undoes mountinfo's octal escapes of blanks.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

func words(root fs.FS, file string) []string {
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}

// number is what a file holds that has one number; ok is false for "max".
func number(root fs.FS, file string) (n int64, ok bool) {
	if w := words(root, file); len(w) == 1 {
		n = positive(w[0])
	}
	return n, n > 0
}

// field is the number behind a name in a file of names and numbers.
func field(root fs.FS, file, name string) (n int64, ok bool) {
	w := words(root, file)
	for i := 0; i+1 < len(w); i += 2 {
		if w[i] == name {
			n, err := strconv.ParseInt(w[i+1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// positive is a number in decimals, or 0 if it is none.
func positive(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return max(n, 0)
}
