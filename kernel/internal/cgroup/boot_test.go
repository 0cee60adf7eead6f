//go:build boot

package cgroup

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/tools/txtar"
)

// What this machine's control groups are like is nobody's choice, so a machine is booted
// whose are of version 2: Debian's Linux under an emulator, with this test as its only
// program. In it the test makes groups, starts itself in each, and says what it reads
// there and what "kernel limits" says. With -update the files that were read are
// written to testdata, for TestRecorded. It needs qemu-system-x86_64, and a kernel of
// Linux in VMLINUZ:
//
//	VMLINUZ=/boot/vmlinuz-6.1.0-cloud-amd64 go test -tags boot -run TestBoot -v ./kernel/internal/cgroup
//
// See https://docs.kernel.org/admin-guide/cgroup-v2.html.

var updateRecorded = flag.Bool("update", false, "write the files that were read in the machine into testdata")

// A bootCase is a group, and what it is to be found to have.
type bootCase struct {
	name   string
	files  []string // below /sys/fs/cgroup, in order: "a/memory.max 1G"; folders come into being
	group  string   // in which the reader is
	as     string   // "": as a process of the machine; or in a container, as readers has it
	take   int      // MB that the reader holds
	exceed bool     // another process of the group is killed before

	memory     Memory
	cpu        CPU
	kills      int64
	processors int // what the Go runtime may use, of 4
	text       []string
}

const controllers = "cgroup.subtree_control +memory +cpu +cpuset"

var bootCases = []bootCase{
	{name: "none", group: "", processors: 4, text: []string{"memory      no limit", "processors  4"}},
	{
		name: "one", group: "one", take: 40, files: []string{"one/memory.max 512M", "one/memory.high 400M", "one/cpu.max 150000 100000", "one/cpuset.cpus 0-2"},
		memory: Memory{Bytes: 512 << 20, High: 400 << 20, File: "/sys/fs/cgroup/one/memory.max"}, cpu: CPU{1.5, "/sys/fs/cgroup/one/cpu.max"}, processors: 3,
		text: []string{"512 MB (/sys/fs/cgroup/one/memory.max)", "processors  2 of 3"},
	},
	{
		name: "nested", group: "outer/inner", files: []string{
			"outer/memory.max 1G", "outer/cpu.max 250000 100000", "outer/" + controllers, "outer/inner/memory.max 2G", "outer/inner/memory.high 900M", "outer/inner/cpu.max 350000 100000",
		},
		memory: Memory{Bytes: 1 << 30, High: 900 << 20, File: "/sys/fs/cgroup/outer/memory.max"}, cpu: CPU{2.5, "/sys/fs/cgroup/outer/cpu.max"}, processors: 4,
		text: []string{"1.0 GB (/sys/fs/cgroup/outer/memory.max)", "processors  3 of 4, the time of 2.5 (/sys/fs/cgroup/outer/cpu.max)"},
	},
	{
		name: "systemd", group: "user.slice/user-1000.slice/user@1000.service/app.slice/jupyter.service", take: 20, files: []string{
			"user.slice/" + controllers, "user.slice/cpu.max 320000 100000", "user.slice/user-1000.slice/memory.max 700M", "user.slice/user-1000.slice/" + controllers,
			"user.slice/user-1000.slice/user@1000.service/cgroup.subtree_control +memory +cpu", "user.slice/user-1000.slice/user@1000.service/app.slice/memory.high 600M",
			"user.slice/user-1000.slice/user@1000.service/app.slice/cgroup.subtree_control +memory +cpu",
			"user.slice/user-1000.slice/user@1000.service/app.slice/jupyter.service/memory.max max",
		},
		memory: Memory{Bytes: 700 << 20, High: 600 << 20, File: "/sys/fs/cgroup/user.slice/user-1000.slice/memory.max"}, cpu: CPU{3.2, "/sys/fs/cgroup/user.slice/cpu.max"}, processors: 4,
		text: []string{"(/sys/fs/cgroup/user.slice/user-1000.slice/memory.max)", "processors  4"},
	},
	{
		name: "container", group: "docker/1f", as: "container", files: []string{"docker/" + controllers, "docker/1f/memory.max 256M", "docker/1f/cpu.max 50000 100000"},
		memory: Memory{Bytes: 256 << 20, File: "/sys/fs/cgroup/memory.max"}, cpu: CPU{0.5, "/sys/fs/cgroup/cpu.max"}, processors: 4,
		text: []string{"256 MB (/sys/fs/cgroup/memory.max)", "processors  2 of 4"},
	},
	{
		name: "bound", group: "docker/2e", as: "bound", files: []string{"docker/2e/memory.max 300M", "docker/2e/cpu.max 100000 50000"},
		memory: Memory{Bytes: 300 << 20, File: "/sys/fs/cgroup/memory.max"}, cpu: CPU{2, "/sys/fs/cgroup/cpu.max"}, processors: 4,
		text: []string{"300 MB (/sys/fs/cgroup/memory.max)", "processors  2 of 4, the time of 2 (/sys/fs/cgroup/cpu.max)"},
	},
	{
		name: "killed", group: "killed", exceed: true, files: []string{"killed/memory.max 96M"},
		memory: Memory{Bytes: 96 << 20, File: "/sys/fs/cgroup/killed/memory.max"}, kills: 1, processors: 4, text: []string{"96 MB (/sys/fs/cgroup/killed/memory.max)"},
	},
}

// A reading is what a process in a group has read.
type reading struct {
	recorded
	Name       string
	Processors int
	Text       string // kernel limits
	Files      []byte // that were read, as an archive
}

func TestBoot(t *testing.T) {
	linux := os.Getenv("VMLINUZ")
	if _, err := os.Stat(linux); err != nil {
		t.Fatalf("VMLINUZ=%s is to be a kernel of Linux: %v", linux, err)
	}
	dir := t.TempDir()
	build := func(name string, args ...string) []byte {
		cmd := exec.Command("go", append(args, "-o", filepath.Join(dir, name))...)
		cmd.Args = append(cmd.Args, map[string]string{"init": ".", "kernel": "../.."}[name])
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	disk := filepath.Join(dir, "disk")
	if err := os.WriteFile(disk, cpio(build("init", "test", "-c", "-tags", "boot"), build("kernel", "build")), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "qemu-system-x86_64", "-accel", "tcg", "-smp", "4", "-m", "1024", "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
		"-kernel", linux, "-initrd", disk, "-append", "console=ttyS0 quiet loglevel=0 panic=-1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := map[string]reading{}
	for line := range bytes.Lines(out) {
		var r reading
		if _, text, ok := bytes.Cut(line, []byte("READ ")); ok && json.Unmarshal(text, &r) == nil {
			found[r.Name] = r
		}
	}
	for _, c := range bootCases {
		t.Run(c.name, func(t *testing.T) {
			r, ok := found[c.name]
			if !ok {
				t.Fatalf("the machine says nothing of it, but\n%s", out)
			}
			if r.Limits.Memory != c.memory || r.Limits.CPU != c.cpu || r.Processors != c.processors {
				t.Errorf("limits %+v and %d processors, want %+v, %+v and %d", r.Limits, r.Processors, c.memory, c.cpu, c.processors)
			}
			if r.Kills != c.kills || r.Counted != (c.group != "") {
				t.Errorf("%d kills (%v), want %d", r.Kills, r.Counted, c.kills)
			}
			if least := int64(c.take) << 20; r.Used < least || r.Used > least+64<<20 {
				t.Errorf("%d bytes are used, of which %d are held", r.Used, least)
			}
			for _, part := range c.text {
				if !strings.Contains(r.Text, part) {
					t.Errorf("kernel limits lacks %q:\n%s", part, r.Text)
				}
			}
			t.Logf("%s\nused %d, kills %d", r.Text, r.Used, r.Kills)
			if *updateRecorded {
				files := txtar.Parse(r.Files)
				files.Comment = fmt.Appendf(nil, "What TestBoot has read in %s.\n", path.Join(groups, c.group))
				want, err := json.MarshalIndent(r.recorded, "", "\t")
				if err != nil {
					t.Fatal(err)
				}
				files.Files = append(files.Files, txtar.File{Name: "want.json", Data: append(want, '\n')})
				if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(filepath.Join("testdata", c.name+".txtar"), txtar.Format(files), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// cpio returns the first file system of a machine: its first process, the kernel's program, and
// folders, in the format "newc" of https://docs.kernel.org/driver-api/early-userspace/buffer-format.html.
func cpio(first, kernel []byte) []byte {
	var b bytes.Buffer
	pad := func() {
		for b.Len()%4 != 0 {
			b.WriteByte(0)
		}
	}
	add := func(name string, mode int, data []byte) {
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", 0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name)
		pad()
		b.Write(data)
		pad()
	}
	for _, name := range []string{"proc", "sys", "dev", "tmp"} {
		add(name, syscall.S_IFDIR|0o755, nil)
	}
	add("init", syscall.S_IFREG|0o755, first)
	add("kernel", syscall.S_IFREG|0o755, kernel)
	add("TRAILER!!!", 0, nil)
	return b.Bytes()
}

func TestMain(m *testing.M) {
	switch {
	case os.Getpid() == 1 && len(os.Args) == 1:
		if err := first(); err != nil {
			fmt.Println(err)
		}
		fmt.Println(syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF), syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART))
	case os.Getenv("BOOT_CASE") != "":
		if err := inGroup(os.Getenv("BOOT_CASE"), os.Getenv("BOOT_STEP")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const groups = "/sys/fs/cgroup"

// first is the first process of the machine.
func first() error {
	for _, mount := range [][3]string{{"proc", "/proc", "proc"}, {"sysfs", "/sys", "sysfs"}, {"dev", "/dev", "devtmpfs"}, {"cgroup2", groups, "cgroup2"}} {
		if err := syscall.Mount(mount[0], mount[1], mount[2], 0, ""); err != nil && mount[1] != "/dev" {
			return fmt.Errorf("mount %s: %w", mount[1], err)
		}
	}
	write := func(line string) error {
		name, value, _ := strings.Cut(line, " ")
		if err := os.MkdirAll(filepath.Join(groups, filepath.Dir(name)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(groups, name), []byte(value), 0o644)
	}
	if err := write(controllers); err != nil {
		return err
	}
	for _, c := range bootCases {
		for _, line := range c.files {
			if err := write(line); err != nil {
				return err
			}
		}
		steps := []string{"read"}
		if c.exceed {
			steps = []string{"exceed", "read"}
		}
		for _, step := range steps {
			if err := again(c, step); err != nil && step == "read" {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return nil
}

// again starts this program in the group of a case.
func again(c bootCase, step string) error {
	dir, err := os.Open(filepath.Join(groups, c.group))
	if err != nil {
		return err
	}
	defer dir.Close()
	cmd := exec.Command("/init")
	cmd.Env = []string{"BOOT_CASE=" + c.name, "BOOT_STEP=" + step, "HOME=/tmp"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	return cmd.Run()
}

// inGroup is a process in the group of a case.
func inGroup(name, step string) error {
	var c bootCase
	for _, c = range bootCases {
		if c.name == name {
			break
		}
	}
	held := make([]byte, c.take<<20)
	if step == "exceed" {
		held = make([]byte, 256<<20)
	}
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	if step == "read" && c.as != "" {
		// A container has mounts of its own, of its group alone; and a name for it or not.
		flags := syscall.CLONE_NEWNS
		if c.as == "container" {
			flags |= syscall.CLONE_NEWCGROUP
		}
		runtime.LockOSThread()
		err := errors.Join(syscall.Unshare(flags), syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
		if c.as == "container" {
			err = errors.Join(err, syscall.Unmount(groups, 0), syscall.Mount("cgroup2", groups, "cgroup2", 0, ""))
		} else {
			err = errors.Join(err, syscall.Mount(filepath.Join(groups, c.group), groups, "", syscall.MS_BIND, ""))
		}
		if err != nil {
			return err
		}
		return syscall.Exec("/init", []string{"/init"}, []string{"BOOT_CASE=" + name, "BOOT_STEP=inside", "HOME=/tmp"})
	}
	r := reading{Name: name, Processors: runtime.NumCPU(), recorded: recorded{Limits: Read()}}
	r.Used = r.Limits.Memory.Used()
	r.Kills, r.Counted = r.Limits.Memory.Kills()
	text, err := exec.Command("/kernel", "limits").CombinedOutput()
	if err != nil {
		return fmt.Errorf("kernel limits: %w\n%s", err, text)
	}
	r.Text = string(text)
	r.Files = txtar.Format(record(r.Limits.Memory.group))
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	runtime.KeepAlive(held)
	w := bufio.NewWriter(os.Stdout)
	fmt.Fprintf(w, "READ %s\n", line)
	return w.Flush()
}

// record returns the files that are read for a group.
func record(g group) *txtar.Archive {
	names := []string{"proc/self/cgroup", "proc/self/mountinfo"}
	for _, dir := range g.levels() {
		for _, name := range []string{"memory.max", "memory.high", "cpu.max"} {
			names = append(names, dir+"/"+name)
		}
	}
	names = append(names, g.dir+"/memory.events", g.dir+"/memory.stat")
	a := &txtar.Archive{}
	for _, name := range names {
		if data, err := fs.ReadFile(os.DirFS("/"), name); err == nil {
			a.Files = append(a.Files, txtar.File{Name: name, Data: data})
		}
	}
	return a
}
