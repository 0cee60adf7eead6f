package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter"
	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
)

// A guarded kernel is a process of its own, with folders of its own.
type guarded struct {
	t       *testing.T
	process *exec.Cmd
	file    jupyter.ConnectionFile
	client  *client.Client
	said    *bytes.Buffer
	dir     string // all that it makes is here, but for the cache
}

// guard starts a kernel as Jupyter does, under an umask that keeps nothing from anybody.
func guard(t *testing.T, connection jupyter.ConnectionFile) *guarded {
	t.Helper()
	g := &guarded{t: t, file: connection, said: new(bytes.Buffer), dir: t.TempDir()}
	text, err := json.Marshal(connection)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "connection.json")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"tmp", "state"} {
		if err := os.Mkdir(filepath.Join(g.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	g.process = exec.Command("sh", "-c", `umask 0; exec "$0" jupyter "$1"`, binary, name)
	g.process.Env = append(os.Environ(), "TMPDIR="+filepath.Join(g.dir, "tmp"), "XDG_STATE_HOME="+filepath.Join(g.dir, "state"))
	g.process.Stderr = g.said
	g.process.WaitDelay = time.Second
	if err := g.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// It removes its folder before it ends. The test's own context is over.
		end, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if g.client == nil || g.client.Shutdown(end, false) != nil {
			_ = g.process.Process.Kill()
		}
		_ = g.process.Wait()
		if g.client != nil {
			g.client.Close()
		}
	})
	if g.client, err = client.Dial(t.Context(), connection); err != nil {
		t.Fatal(err)
	}
	return g
}

// family are the kernel's process and all that come from it.
func (g *guarded) family() []int {
	parents := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(strings.Split(name, "/")[2])
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		parents[pid], _ = strconv.Atoi(fields[1])
	}
	all := []int{g.process.Process.Pid}
	for i := 0; i < len(all); i++ {
		for pid, parent := range parents {
			if parent == all[i] {
				all = append(all, pid)
			}
		}
	}
	return all
}

// listening are the addresses on which a process waits for connections or datagrams.
func (g *guarded) listening(pid int) []string {
	g.t.Helper()
	inodes := map[string]bool{}
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil {
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				inodes[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	var found []string
	for table, listens := range map[string]func(fields []string) string{
		"tcp": listensIn(3, "0A"), "tcp6": listensIn(3, "0A"), "udp": listensIn(3, "07"), "udp6": listensIn(3, "07"),
		"unix": func(f []string) string {
			if len(f) < 7 || f[3] != "00010000" { // __SO_ACCEPTCON
				return ""
			}
			return strings.Join(f[7:], " ")
		},
	} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue // without IPv6
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			at := map[bool]int{true: 6, false: 9}[table == "unix"]
			if len(f) > at && inodes[f[at]] {
				if address := listens(f); address != "" {
					found = append(found, table+" "+address)
				}
			}
		}
	}
	return found
}

// listensIn reads the tables of tcp and udp: "0100007F:1F90" is an address and a port.
func listensIn(column int, state string) func([]string) string {
	return func(f []string) string {
		if f[column] != state {
			return ""
		}
		address, port, _ := strings.Cut(f[1], ":")
		ip, _ := hex.DecodeString(address)
		slices.Reverse(ip) // on a machine of this order
		n, _ := strconv.ParseInt(port, 16, 32)
		return fmt.Sprintf("%v:%d", strings.Trim(strings.ReplaceAll(fmt.Sprint(ip), " ", "."), "[]"), n)
	}
}

// TestListens looks at the sockets of a kernel, its worker, and what a cell has started
// while it runs.
func TestListens(t *testing.T) {
	connection, err := client.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	g := guard(t, connection)
	shows(t, g.client, "x := 41", "")
	pending, err := g.client.Start(client.Cell("import \"os/exec\"\nc := exec.Command(\"sleep\", \"60\")\nc.Start()\nfmt.Println(\"ready\")\nselect {}"))
	if err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(pending.SoFar().Text("stdout"), "ready") {
		select {
		case <-pending.Done():
			t.Fatalf("the cell ends: %+v", pending.SoFar().Execution())
		case <-time.After(10 * time.Millisecond):
		}
	}
	want := []string{}
	for _, port := range []int{connection.ShellPort, connection.ControlPort, connection.StdinPort, connection.IOPubPort, connection.HeartbeatPort} {
		want = append(want, fmt.Sprintf("tcp %s:%d", connection.IP, port))
	}
	slices.Sort(want)
	family := g.family()
	if len(family) < 3 {
		t.Errorf("the kernel, its worker and a program are %d processes", len(family))
	}
	for i, pid := range family {
		got := g.listening(pid)
		slices.Sort(got)
		if i == 0 && !slices.Equal(got, want) || i > 0 && len(got) > 0 {
			t.Errorf("process %d of %v listens at %q; the connection file has %q, for the kernel alone", i, family, got, want)
		}
	}
	if err := g.client.Interrupt(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := g.client.Wait(t.Context(), pending); err != nil {
		t.Fatal(err)
	}
}

// TestPrivate walks all that a session makes on the disk, under an umask that lets
// everybody do everything: what is not closed itself is in a folder that is.
func TestPrivate(t *testing.T) {
	short, err := os.MkdirTemp("", "k") // a unix socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	if err := os.Chmod(short, 0o755); err != nil { // the sockets are private themselves
		t.Fatal(err)
	}
	g := guard(t, client.NewIPCConnection(filepath.Join(short, "k")))
	shows(t, g.client, "x := 41\nx + 1", "")
	shows(t, g.client, "%env A=b\nfmt.Println(x)", "41\n")
	shows(t, g.client, "%%writefile "+filepath.Join(g.dir, "tmp", "of-the-user")+"\ntext", "")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, root := range []string{short, g.dir, filepath.Join(cache, "nnkit")} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || path == root && root != filepath.Join(cache, "nnkit") || filepath.Base(path) == "of-the-user" {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if mode := info.Mode().Perm(); mode&0o077 != 0 {
				t.Errorf("%s is %v: others can reach it", path, info.Mode())
			}
			seen[info.Mode().Type().String()[:1]]++
			if d.IsDir() && filepath.Dir(path) != g.dir {
				return fs.SkipDir // nobody else gets further
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	// Five sockets; the session's folder, the history's, the cache, and the two of this test.
	if seen["S"] != 5 || seen["d"] < 5 {
		t.Errorf("there are %v", seen)
	}
	// What is in the history's folder.
	for _, name := range []string{"history.jsonl", "history.jsonl.lock"} {
		if info, err := os.Stat(filepath.Join(g.dir, "state", "nnkit", name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

var resident = regexp.MustCompile(`(?m)^VmRSS:\s+([0-9]+) kB$`)

// memory is what the kernel's process holds of the machine's, in bytes, and files how many
// descriptors it has open.
func (g *guarded) memory() (bytes, files int) {
	g.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.process.Process.Pid))
	if err != nil {
		g.t.Fatal(err)
	}
	kB, _ := strconv.Atoi(string(resident.FindSubmatch(text)[1]))
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", g.process.Process.Pid))
	return kB << 10, len(fds)
}

// TestCrowd has a thousand strangers talk to a kernel, of every kind that there is.
func TestCrowd(t *testing.T) {
	connection, err := client.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	g := guard(t, connection)
	shows(t, g.client, "x := 41", "")
	before, files := g.memory()
	leave, err := client.Crowd(connection, 1000)
	defer leave()
	if err != nil {
		t.Fatal(err)
	}
	shows(t, g.client, "x++\nfmt.Println(x)", "42\n")
	other, err := client.Dial(t.Context(), connection)
	if err != nil {
		t.Fatal(err)
	}
	shows(t, other, "fmt.Println(x)", "42\n")
	other.Close()
	during, open := g.memory()
	const most = 400 << 20
	if during-before > most {
		t.Errorf("the kernel holds %d MB more", (during-before)>>20)
	}
	if open-files > 600 {
		t.Errorf("the kernel has %d files open, before %d", open, files)
	}
	leave()
	for {
		_, left := g.memory()
		if left <= files+5 {
			break
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("%d files are open, before %d", left, files)
		case <-time.After(20 * time.Millisecond):
		}
	}
	shows(t, g.client, "fmt.Println(x)", "42\n")
	if err := g.client.Shutdown(t.Context(), false); err != nil {
		t.Error(err)
	}
	if err := g.process.Wait(); err != nil {
		t.Error(err)
	}
	g.client.Close()
	g.client = nil
	if n := strings.Count(g.said.String(), "\n"); n == 0 || n > 40 || strings.Contains(g.said.String(), "panic") {
		t.Errorf("%d lines of log:\n%s", n, g.said)
	}
	t.Logf("%d MB more and %d more files while they were there; %d lines of log", (during-before)>>20, open-files, strings.Count(g.said.String(), "\n"))
}

// TestPageStaysInItsFolder makes the page of a notebook whose folder has links that lead
// out of it, as a repository may.
func TestPageStaysInItsFolder(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret.png")
	inside := filepath.Join(dir, "inside.png")
	nb := filepath.Join(dir, "nb.ipynb")
	for name, text := range map[string]string{
		secret: "secret", inside: "inside",
		nb: `{"cells":[{"cell_type":"markdown","metadata":{},"source":"![](inside.png) ![](link.png) ![](out.png) ![](folder/secret.png)"}],"metadata":{},"nbformat":4,"nbformat_minor":4}`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"link.png": "inside.png", "out.png": secret, "folder": filepath.Dir(secret)} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	page := filepath.Join(dir, "page.html")
	if r := kernel(t, "", "convert", nb, "--output", page); r.status != 0 {
		t.Fatalf("%+v", r)
	}
	text := read(t, page)
	for content, want := range map[string]int{"inside": 2, "secret": 0} {
		if got := strings.Count(text, base64.StdEncoding.EncodeToString([]byte(content))); got != want {
			t.Errorf("%q is %d times in the page, want %d", content, got, want)
		}
	}
}
