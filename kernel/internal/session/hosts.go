package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Hosts are the machines that ranks are spread over, as a hostfile of mpirun names them.
//
// Of a host that cannot take part mpirun says little, and seldom which one it is. So each is asked before, all of them at once and in the
// way in which mpirun reaches them.
type Hosts struct {
	file     string
	list     []host
	networks []netip.Prefix // those that join no hosts
	joined   netip.Prefix   // the network by which a host was reached; invalid where there is none
}

// host is a line of a hostfile.
type host struct {
	name, user string
	line       int
	slots      int // 0 where the line has none
}

// ReadHosts reads a hostfile: a host a line, behind which slots=N may stand. It refuses one that has no room for so many ranks.
func ReadHosts(file string, ranks int) (*Hosts, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if file, err = filepath.Abs(file); err != nil {
		return nil, err
	}
	h := &Hosts{file: file}
	n, slots := 0, 0
	for line := range strings.Lines(string(text)) {
		n++
		line, _, _ = strings.Cut(line, "#")
		one, err := parseHost(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		if one.name == "" {
			continue
		}
		if one.line = n; one.slots == 0 || slots < 0 {
			slots = -1 // as many as it has cores
		} else {
			slots += one.slots
		}
		if !slices.ContainsFunc(h.list, func(o host) bool { return o.name == one.name && o.user == one.user }) {
			h.list = append(h.list, one)
		}
	}
	if len(h.list) == 0 {
		return nil, fmt.Errorf("%s names no host: write one a line, as in \"node1 slots=4\"", file)
	}
	if slots >= 0 && slots < ranks {
		return nil, fmt.Errorf("%s has slots for %d ranks, and %d are wanted: start %[2]d, name more hosts, or write slots=N behind one for the N ranks that it is to have", file, slots, ranks)
	}
	return h, nil
}

var equals = regexp.MustCompile(`\s*=\s*`)

// parseHost reads a line of a hostfile; a blank one has no name.
func parseHost(line string) (h host, err error) {
	for i, word := range strings.Fields(equals.ReplaceAllString(line, "=")) {
		key, value, setting := strings.Cut(word, "=")
		switch {
		case i == 0 && setting:
			return h, fmt.Errorf("%q stands where the name of a host belongs", word)
		case i == 0:
			if h.user, h.name, setting = strings.Cut(word, "@"); !setting {
				h.user, h.name = "", word
			}
		case key == "slots" || key == "cpu" || key == "count":
			if h.slots, err = strconv.Atoi(value); err != nil || h.slots < 1 {
				return h, fmt.Errorf("%s: slots wants the number of ranks that the host can have, as in \"%s slots=4\"", word, h.name)
			}
		case !setting:
			return h, fmt.Errorf("%q stands behind the host %s: write one host a line, and behind it slots=N", word, h.name)
		}
	}
	return h, nil
}

// hostScript is what a host is asked, by a shell. It answers with lines of a word and a value.
const hostScript = `folder=%s
echo nnkit-begin .
[ -n "$(command -v orted)" ] && echo orted "$(mpirun --version 2>/dev/null | head -n 1)"
[ -d "$folder" ] && echo folder .
echo machine "$(uname -sm)"
(ip -o -4 addr show up 2>/dev/null || /sbin/ip -o -4 addr show up) 2>/dev/null | while read -r _ _ _ address _; do echo address "$address"; done
echo reached "$SSH_CONNECTION"
`

// hostAnswer is what a host says of itself.
type hostAnswer struct {
	host
	here      bool
	mpi       string // its version, in mpirun's words; "" without an orted
	folder    bool   // it sees the folder
	machine   string
	addresses []netip.Prefix
	reached   netip.Addr // its own address in the connection
	err       error      // of the connection, in its program's words
}

// Ask asks all hosts whether they can run a program that lies in a folder, which must be there already. The error names each that cannot,
// and what to do. Under a scheduler, whose own way to start programs mpirun takes, nobody is asked.
func (h *Hosts) Ask(ctx context.Context, folder string) error {
	for _, name := range []string{"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "LOADL_STEP_ID"} {
		if os.Getenv(name) != "" {
			return nil
		}
	}
	answers := make([]hostAnswer, len(h.list))
	own := ask(ctx, host{}, folder)
	if own.err != nil {
		return own.err
	}
	var all sync.WaitGroup
	atOnce := make(chan struct{}, 64)
	for i, one := range h.list {
		all.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			if answers[i] = own; own.isHere(ctx, one.name) {
				answers[i].host, answers[i].here = one, true
			} else {
				answers[i] = ask(ctx, one, folder)
			}
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var problems []string
	for _, a := range answers {
		if p := a.problem(own, filepath.Dir(folder)); p != "" {
			problems = append(problems, fmt.Sprintf("%s (%s:%d) %s", a.name, filepath.Base(h.file), a.line, p))
		}
	}
	if n := len(problems); n == 1 {
		return errors.New(problems[0])
	} else if n > 1 {
		return fmt.Errorf("%d of %d hosts cannot take part:\n\t%s", n, len(answers), strings.Join(problems, "\n\t"))
	}
	h.learn(append(answers, own))
	return nil
}

// agent is the command by which mpirun reaches other hosts.
func agent() []string {
	if words := strings.Fields(os.Getenv("OMPI_MCA_plm_rsh_agent")); len(words) > 0 {
		return words
	}
	return []string{"ssh"}
}

// ask asks a host, or this machine if it has no name.
func ask(ctx context.Context, h host, folder string) hostAnswer {
	a := hostAnswer{host: h}
	command := []string{"sh", "-s"}
	if h.name != "" {
		command = agent()
		if filepath.Base(command[0]) == "ssh" {
			command = append(command, "-o", "BatchMode=yes", "-o", "ConnectTimeout=10")
		}
		if h.user != "" {
			command = append(command, "-l", h.user)
		}
		command = append(command, h.name, "sh", "-s")
	}
	ctx, stop := context.WithTimeoutCause(ctx, time.Minute, errors.New("there is no answer for a minute"))
	defer stop()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.WaitDelay = time.Second
	c.Stdin = strings.NewReader(fmt.Sprintf(hostScript, "'"+strings.ReplaceAll(folder, "'", `'\''`)+"'"))
	var complaints bytes.Buffer
	c.Stderr = &complaints
	text, err := c.Output()
	_, lines, begun := strings.Cut(string(text), "nnkit-begin .\n")
	if !begun {
		if a.err = context.Cause(ctx); a.err == nil {
			if a.err = err; err == nil {
				a.err = errors.New("its shell does not answer")
			}
			if said := strings.TrimSpace(complaints.String()); said != "" {
				a.err = errors.New(strings.TrimSuffix(said[strings.LastIndexByte(said, '\n')+1:], "."))
			}
		}
		return a
	}
	a.parse(lines)
	return a
}

// parse takes the answer to the question.
func (a *hostAnswer) parse(lines string) {
	for line := range strings.Lines(lines) {
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "orted":
			a.mpi = strings.TrimPrefix(value, "mpirun ")
		case "folder":
			a.folder = true
		case "machine":
			a.machine = value
		case "address":
			if p, err := netip.ParsePrefix(value); err == nil && !p.Addr().IsLoopback() {
				a.addresses = append(a.addresses, p)
			}
		case "reached":
			if ends := strings.Fields(value); len(ends) == 4 { // both ends with their ports
				a.reached, _ = netip.ParseAddr(ends[2])
			}
		}
	}
}

// isHere tells whether a name is this machine's, as mpirun does.
func (a *hostAnswer) isHere(ctx context.Context, name string) bool {
	own, err := os.Hostname()
	if err == nil && (name == own || name == strings.SplitN(own, ".", 2)[0]) {
		return true
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(found, func(ip netip.Addr) bool {
		return ip.IsLoopback() || slices.ContainsFunc(a.addresses, func(p netip.Prefix) bool { return p.Addr() == ip.Unmap() })
	})
}

// remedies are for the words of ssh.
var remedies = []struct{ says, remedy string }{
	{"Could not resolve", "is its name right?"},
	{"Permission denied", "let your key in there: ssh-copy-id %s"},
	{"Host key verification failed", "ssh %s by hand shows its key and asks whether to trust it"},
	{"No route to host", "is it up, and in the same network?"},
	{"timed out", "is it up, and in the same network?"},
	{"refused", "sshd must run there: apt-get install openssh-server"},
}

// problem says why the host cannot take part, and what to do; "" where it can.
func (a *hostAnswer) problem(own hostAnswer, dir string) string {
	switch {
	case a.err != nil:
		remedy := "the command `" + strings.Join(agent(), " ") + " %s true` must work without a question"
		for _, r := range remedies {
			if strings.Contains(a.err.Error(), r.says) {
				remedy = r.remedy
				break
			}
		}
		return fmt.Sprintf("cannot be reached: %v: %s", a.err, strings.ReplaceAll(remedy, "%s", a.name))
	case a.mpi == "" && !a.here:
		return "has no Open MPI: `ssh " + a.name + " orted` finds none on its PATH; on Debian: apt-get install openmpi-bin"
	case a.mpi != own.mpi && !a.here:
		return fmt.Sprintf("has %s, and this machine %s: all hosts need the same", a.mpi, own.mpi)
	case a.machine != own.machine:
		return fmt.Sprintf("is a machine of another kind, %s, and this one %s: the program runs on one kind", a.machine, own.machine)
	case !a.folder:
		return fmt.Sprintf("does not see %s: the notebook's folder must be the same one on all hosts, under the same name, as NFS mounts it", dir)
	}
	return ""
}

// learn finds out which networks join the hosts. An address that two hosts have, as that of Docker's bridge, leads from none to the other, and
// Open MPI would wait for it forever.
func (h *Hosts) learn(answers []hostAnswer) {
	var machines [][]netip.Prefix // a machine may have several names
	for _, a := range answers {
		if !slices.ContainsFunc(machines, func(other []netip.Prefix) bool { return slices.Equal(other, a.addresses) }) {
			machines = append(machines, a.addresses)
		}
		for _, p := range a.addresses {
			if p.Addr() == a.reached {
				h.joined = p.Masked()
			}
		}
	}
	seen := map[netip.Addr]bool{}
	for _, list := range machines {
		for _, p := range list {
			if seen[p.Addr()] && !slices.Contains(h.networks, p.Masked()) {
				h.networks = append(h.networks, p.Masked())
			}
			seen[p.Addr()] = true
		}
	}
}

// environment is for mpirun: what it would not find out by itself. What the user has set stays.
func (h *Hosts) environment() []string {
	var list []string
	set := func(name, value string) {
		if _, there := os.LookupEnv("OMPI_MCA_" + name); !there {
			list = append(list, "OMPI_MCA_"+name+"="+value)
		}
	}
	// A host that is gone without a farewell is missed after a minute and not after eight.
	set("oob_tcp_keepalive_time", "30")
	set("oob_tcp_keepalive_intvl", "10")
	set("oob_tcp_keepalive_probes", "3")
	// No host needs to reach another by ssh.
	set("plm_rsh_no_tree_spawn", "1")
	if len(h.networks) > 0 && !chosen("btl", "tcp", "btl_tcp_if_include") && !chosen("btl", "tcp", "btl_tcp_if_exclude") {
		out := []string{"127.0.0.1/8,sppp"} // Open MPI's own
		for _, p := range h.networks {
			out = append(out, p.String())
		}
		set("btl_tcp_if_exclude", strings.Join(out, ","))
	}
	return list
}

// chosen tells whether somebody has set a parameter of Open MPI, in the environment or a file.
func chosen(framework, component, parameter string) bool {
	out, err := exec.Command("ompi_info", "--parsable", "--level", "9", "--param", framework, component).Output()
	return err == nil && bytes.Contains(out, []byte(":"+parameter+":source:")) &&
		!bytes.Contains(out, []byte(":"+parameter+":source:default\n"))
}
