//go:build hosts

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A network is several hosts within this machine, joined by a switch: each has a name, interfaces, processes and mounts of its own, and
// an sshd that lets the others in. They see the same files, as by NFS. It needs root:
//
//	go test -tags hosts -run TestHosts -v ./kernel
type network struct {
	t        *testing.T
	dir      string
	switched *exec.Cmd // a process in the switch's namespace
	hosts    map[string]*exec.Cmd
}

// beHost makes a process a host's first, which is its sshd. On its standard input comes a line when the network is there.
const beHost = `set -e
hostname "$1"
mount --make-rprivate /
mount -t proc proc /proc
mount --bind "$2/hosts" /etc/hosts
mount --bind "$2/ssh" /etc/ssh
mount -t tmpfs tmpfs /run
mkdir /run/sshd
echo ready
read -r _
ip link set lo up
exec /usr/sbin/sshd -D -e`

func newNetwork(t *testing.T, names ...string) *network {
	t.Helper()
	for _, name := range []string{"ip", "nsenter", "ssh-keygen", "/usr/sbin/sshd", "mpirun"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%v: apt-get install iproute2 util-linux openssh-server openmpi-bin libopenmpi-dev", err)
		}
	}
	n := &network{t: t, dir: t.TempDir(), hosts: map[string]*exec.Cmd{}}
	ssh := func(name string) string { return filepath.Join(n.dir, "ssh", name) }
	if err := os.Mkdir(ssh(""), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"host", "user"} {
		n.do(exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh(key)))
	}
	n.write(ssh("authorized"), read(t, ssh("user.pub")))
	n.write(ssh("known"), "* "+read(t, ssh("host.pub")))
	n.write(ssh("ssh_config"), "IdentityFile /etc/ssh/user\nGlobalKnownHostsFile /etc/ssh/known\nUserKnownHostsFile /dev/null\n")
	n.write(ssh("sshd_config"), "HostKey /etc/ssh/host\nAuthorizedKeysFile /etc/ssh/authorized\nPermitRootLogin yes\nUsePAM no\nStrictModes no\n")
	var list strings.Builder
	list.WriteString("127.0.0.1 localhost\n10.77.0.99 nowhere\n")
	for i, name := range names {
		list.WriteString(fmt.Sprintf("10.77.0.%d %s\n", i+1, name))
	}
	n.write(filepath.Join(n.dir, "hosts"), list.String())

	n.switched = n.start(syscall.CLONE_NEWNET, nil, "sh", "-c", "echo ready; read -r _")
	n.onSwitch("ip", "link", "add", "bridge", "type", "bridge")
	n.onSwitch("ip", "link", "set", "bridge", "up")
	for i, name := range names {
		r, ready, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c := n.start(syscall.CLONE_NEWNET|syscall.CLONE_NEWUTS|syscall.CLONE_NEWNS|syscall.CLONE_NEWPID, r, "sh", "-c", beHost, "sh", name, n.dir)
		n.hosts[name] = c
		pid := strconv.Itoa(c.Process.Pid)
		n.do(exec.Command("ip", "link", "add", name, "netns", strconv.Itoa(n.switched.Process.Pid), "type", "veth", "peer", "eth0", "netns", pid))
		n.onSwitch("ip", "link", "set", name, "master", "bridge", "up")
		for _, script := range []string{
			fmt.Sprintf("ip addr add 10.77.0.%d/24 dev eth0 && ip link set eth0 up", i+1),
			// The bridge of Docker, which has the same address on each host and joins none.
			"ip link add docker0 type veth peer docker1 && ip addr add 172.17.0.1/16 dev docker0 && ip link set docker0 up && ip link set docker1 up",
		} {
			n.do(exec.Command("nsenter", "-t", pid, "-n", "sh", "-c", script))
		}
		fmt.Fprintln(ready, "go")
	}
	for _, name := range names {
		for resultOf(t, n.on(name, "ssh", name, "true")).status != 0 { // its sshd begins
			time.Sleep(50 * time.Millisecond)
		}
	}
	return n
}

// start starts a process in new namespaces, and waits until it says that it is ready. It ends with the test, and what is in its namespaces with it.
func (n *network) start(namespaces uintptr, input io.Reader, name string, args ...string) *exec.Cmd {
	n.t.Helper()
	c := exec.Command(name, args...)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	if c.Stdin = input; input == nil {
		if _, err := c.StdinPipe(); err != nil { // open until the end
			n.t.Fatal(err)
		}
	}
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		n.t.Fatalf("%v: this test needs root", err)
	}
	n.t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		c.Wait()
		n.t.Fatalf("%v: %s: this test needs root", c, &complaints)
	}
	return c
}

// do runs a command, which must do well.
func (n *network) do(c *exec.Cmd) {
	n.t.Helper()
	if out, err := c.CombinedOutput(); err != nil {
		n.t.Fatalf("%v: %v\n%s", c, err, out)
	}
}

func (n *network) write(name, text string) {
	n.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

func (n *network) onSwitch(args ...string) {
	n.t.Helper()
	n.do(exec.Command("nsenter", append([]string{"-t", strconv.Itoa(n.switched.Process.Pid), "-n"}, args...)...))
}

// on is a command on a host.
func (n *network) on(host string, args ...string) *exec.Cmd {
	dir, err := os.Getwd()
	if err != nil {
		n.t.Fatal(err)
	}
	return exec.CommandContext(n.t.Context(), "nsenter", append([]string{"-t", strconv.Itoa(n.hosts[host].Process.Pid), "-a", "--wd=" + dir}, args...)...)
}

// run runs a notebook from the first host.
func (n *network) run(name, hosts string, ranks int, environment ...string) result {
	c := n.on("node1", binary, "run", name, "--ranks", strconv.Itoa(ranks), "--hostfile", n.hostfile(hosts))
	// The hosts do not know that they share the cores of one machine: who waits is to let others go on.
	c.Env = append(append(os.Environ(), "OMPI_MCA_mpi_yield_when_idle=1"), environment...)
	return resultOf(n.t, c)
}

func (n *network) hostfile(text string) string {
	file := filepath.Join(n.dir, "hostfile")
	n.write(file, text)
	return file
}

const (
	two   = "node1 slots=1\nnode2 slots=1\n"
	three = two + "node3 slots=1\n"
)

// executed is the executed notebook without what options said.
func executed(t *testing.T, name, options string) string {
	t.Helper()
	return strings.ReplaceAll(ids.ReplaceAllString(read(t, beside(name, ".executed.ipynb")), ""), options, "")
}

// TestHosts trains on several hosts to the bits of one process. A rank is killed on another host, and the training goes on from its
// checkpoint.
func TestHosts(t *testing.T) {
	n := newNetwork(t, "node1", "node2", "node3")
	const shards = ", nnkit.Shards(8)"
	alone := sharedNotebook(t, shards)
	ok(t, 0, "run", alone)
	want := executed(t, alone, shards)
	contains(t, "the notebook", want, `"the end"`)
	for ranks, hosts := range map[int]string{2: two, 3: three} {
		name := sharedNotebook(t, "")
		if r := n.run(name, hosts, ranks); r.status != 0 {
			t.Fatalf("%d hosts: status %d\n%s%s", ranks, r.status, r.stdout, r.stderr)
		}
		if got := executed(t, name, ""); got != want {
			t.Errorf("%d hosts: the executed notebook is\n%s\nthat of a live session with as many shards\n%s", ranks, got, want)
		}
	}

	name := trainsUntil(t, `if t.Epoch == 3 && t.Batch == 2 && os.Getenv("NNKIT_RANK") == "1" { syscall.Kill(os.Getpid(), syscall.SIGKILL) }`)
	r := n.run(name, three, 3)
	if r.status != statusFailed || !strings.Contains(r.stderr, "rank 1 on node2 has died (signal: killed)") {
		t.Errorf("a rank is killed: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	text := read(t, name)
	n.write(name, strings.ReplaceAll(text, `\"1\"`, `\"none\"`))
	if r := n.run(name, two, 2); r.status != 0 {
		t.Fatalf("going on: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	weights := func(text string) string {
		_, text, _ = strings.Cut(text, `"model.Parameters`)
		return text
	}
	if got := weights(executed(t, name, "")); got != weights(want) {
		t.Errorf("the weights of a training that has gone on on two hosts are\n%s\nwant\n%s", got, weights(want))
	}
}

// trainsUntil is a notebook that keeps a checkpoint and does something after each batch.
func trainsUntil(t *testing.T, what string) string {
	return sharedNotebook(t, `, nnkit.Checkpoint("run.safetensors", nnkit.Resume()), nnkit.OnBatchEnd(func(t *nnkit.Training) { `+what+` })`)
}

// TestHostsEnd ends a training by an interrupt, by the loss of a host, and where hosts are joined by another network than Open MPI takes for one.
func TestHostsEnd(t *testing.T) {
	n := newNetwork(t, "node1", "node2", "node3")
	for _, test := range []struct {
		name  string
		do    func()
		wants []string
	}{
		{"interrupt", func() { n.do(n.on("node1", "pkill", "-INT", "-f", "^"+binary+" run")) }, []string{"kernel: interrupted", "the weights and the history so far are kept"}},
		{"cut", func() { n.onSwitch("ip", "link", "set", "node3", "down") }, []string{"node3 is lost: it has gone down, or its network has"}},
	} {
		name := trainsUntil(t, `if t.Batch == 1 && t.Epoch == 2 && t.Rank() == 0 { os.WriteFile("begun", nil, 0o666) }`)
		text := read(t, name)
		n.write(name, strings.ReplaceAll(text, "nnkit.Epochs(4)", "nnkit.Epochs(1000000)"))
		done := make(chan result)
		go func() {
			done <- n.run(name, three, 3, "OMPI_MCA_oob_tcp_keepalive_time=1", "OMPI_MCA_oob_tcp_keepalive_intvl=1")
		}()
		begun := func() bool {
			_, err := os.Stat(filepath.Join(filepath.Dir(name), "begun"))
			return err == nil
		}
		for over := false; !over && !begun(); {
			select {
			case r := <-done:
				t.Fatalf("%s: it has ended before: status %d\n%s%s", test.name, r.status, r.stdout, r.stderr)
			case <-time.After(20 * time.Millisecond):
			}
		}
		test.do()
		r := <-done
		contains(t, test.name, r.stderr, test.wants...)
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(name), ".ranks-*")); err != nil || left != nil {
			t.Errorf("%s: what is left: %v, %v", test.name, left, err)
		}
	}
	n.onSwitch("ip", "link", "set", "node3", "up")
	for i, host := range []string{"node1", "node2", "node3"} {
		n.do(n.on(host, "sh", "-c", fmt.Sprintf("ip link add vpn0 type veth peer vpn1 && ip addr add 192.168.9.%d/24 dev vpn0 && ip link set vpn0 up && ip link set vpn1 up", i+1)))
	}
	r := n.run(cells(t, `println(1)`), three, 3)
	contains(t, "a network that joins none", r.stderr, "cannot reach another host at 192.168.9.", "OMPI_MCA_btl_tcp_if_include=10.77.0.0/24 in the environment")
}

// TestHostsRefused has hosts that cannot take part: the error says which, and what to do.
func TestHostsRefused(t *testing.T) {
	n := newNetwork(t, "node1", "node2", "node3")
	name := cells(t, `println(1)`)
	dir := filepath.Dir(name)
	on3 := func(args ...string) func() {
		return func() { n.do(n.on("node3", args...)) }
	}
	fake := filepath.Join(n.dir, "mpirun")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho 'mpirun (Open MPI) 4.0.1'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		hosts string
		says  string
		do    func()
		undo  func()
	}{
		{hosts: "node1\nnodeX\n", says: "nodeX (hostfile:2) cannot be reached: ssh: Could not resolve hostname nodex"},
		{hosts: "node1\n\nnowhere # away\n", says: "nowhere (hostfile:3) cannot be reached: ssh: connect to host nowhere port 22: No route to host: is it up,"},
		{hosts: "node1\nnodeX\nnodeY\n", says: "2 of 3 hosts cannot take part:\n\tnodeX (hostfile:2) cannot be"},
		{three, "node3 (hostfile:3) has no Open MPI: `ssh node3 orted` finds none", on3("mount", "--bind", "/dev/null", "/usr/bin/orted"), on3("umount", "/usr/bin/orted")},
		{three, "node3 (hostfile:3) has (Open MPI) 4.0.1, and this machine (Open MPI) ", on3("mount", "--bind", fake, "/usr/bin/mpirun"), on3("umount", "/usr/bin/mpirun")},
		{three, "node3 (hostfile:3) does not see " + dir + ": the notebook's folder", on3("mount", "-t", "tmpfs", "tmpfs", dir), on3("umount", dir)},
		{three, "Permission denied (publickey,password,keyboard-interactive): let your key in there: ssh-copy-id node3", on3("mount", "--bind", "/dev/null", "/etc/ssh/authorized"), on3("umount", "/etc/ssh/authorized")},
		{three, "node2 (hostfile:2) cannot be reached: Host key verification failed: ssh node2 by hand", func() { n.do(n.on("node1", "mount", "--bind", "/dev/null", "/etc/ssh/known")) }, func() { n.do(n.on("node1", "umount", "/etc/ssh/known")) }},
	} {
		if test.do != nil {
			test.do()
		}
		r := n.run(name, test.hosts, 2)
		if test.undo != nil {
			test.undo()
		}
		if r.status != statusImpossible || !strings.Contains(r.stderr, test.says) {
			t.Errorf("%q: status %d and\n%s%s\nwant %q", test.hosts, r.status, r.stdout, r.stderr, test.says)
		}
		if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || left != nil {
			t.Errorf("what is left: %v, %v", left, err)
		}
	}
}
