package session

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadHosts(t *testing.T) {
	for _, test := range []struct {
		text  string
		ranks int
		want  string // the hosts with their slots
		wrong string // what the error says
	}{
		{text: "node1\nnode2 slots=4 # the old one\n\n# node3\n", ranks: 9, want: "[node1:1:0 node2:2:4]"},
		{text: "ann@node1 slots = 2 max_slots=3\nnode2 slots=2", ranks: 4, want: "[ann@node1:1:2 node2:2:2]"},
		{text: "node1\nnode1\nnode2\n", ranks: 3, want: "[node1:1:0 node2:3:0]"},
		{text: "node1 slots=2\n", ranks: 3, wrong: "has slots for 2 ranks, and 3 are wanted: start 2,"},
		{text: "\n# none\n", ranks: 1, wrong: "names no host: write one a line"},
		{text: "node1\nnode2 slots=many\n", ranks: 1, wrong: `hosts:2: slots=many: slots wants the number of ranks that the host can have, as in "node2 slots=4"`},
		{text: "node1 node2\n", ranks: 1, wrong: `hosts:1: "node2" stands behind the host node1: write one host a line`},
		{text: "slots=3\n", ranks: 1, wrong: `hosts:1: "slots=3" stands where the name of a host belongs`},
	} {
		file := filepath.Join(t.TempDir(), "hosts")
		if err := os.WriteFile(file, []byte(test.text), 0o666); err != nil {
			t.Fatal(err)
		}
		h, err := ReadHosts(file, test.ranks)
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%q: the error is %v, want %s", test.text, err, test.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		var list []string
		for _, one := range h.list {
			name := one.name
			if one.user != "" {
				name = one.user + "@" + name
			}
			list = append(list, fmt.Sprintf("%s:%d:%d", name, one.line, one.slots))
		}
		if got := fmt.Sprint(list); got != test.want {
			t.Errorf("%q: %s, want %s", test.text, got, test.want)
		}
	}
}

// TestHostNetworks finds the networks that join no hosts: those in which two have the same address.
func TestHostNetworks(t *testing.T) {
	say := func(addresses ...string) (a hostAnswer) {
		var text strings.Builder
		text.WriteString("orted mpirun (Open MPI) 4.1.4\nmachine Linux x86_64\naddress 127.0.0.1/8\n")
		for _, address := range addresses {
			text.WriteString("address " + address + "\n")
		}
		a.parse(text.String() + "reached 10.0.0.1 4711 10.0.0.2 22\n")
		return a
	}
	first := say("10.0.0.1/24", "172.17.0.1/16")
	if first.mpi != "(Open MPI) 4.1.4" || first.machine != "Linux x86_64" || first.folder || len(first.addresses) != 2 {
		t.Errorf("the answer is %+v", first)
	}
	for _, test := range []struct {
		answers []hostAnswer
		want    []netip.Prefix
	}{
		{[]hostAnswer{first, say("10.0.0.2/24", "172.17.0.1/16")}, []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16")}},
		{[]hostAnswer{first, say("10.0.0.2/24", "172.17.0.2/16")}, nil},
		{[]hostAnswer{first, first}, nil}, // one machine under two names
	} {
		var h Hosts
		h.learn(test.answers)
		if fmt.Sprint(h.networks) != fmt.Sprint(test.want) {
			t.Errorf("%v: the networks are %v, want %v", test.answers, h.networks, test.want)
		}
	}
	var h Hosts
	if h.learn([]hostAnswer{first, say("10.0.0.2/24")}); h.joined.String() != "10.0.0.0/24" {
		t.Errorf("the hosts are joined by %v", h.joined)
	}
}

// TestNotices takes mpirun's own words out of what the ranks print.
func TestNotices(t *testing.T) {
	const text = `before
--------------------------------------------------------------------------
ORTE has lost communication with a remote daemon.

  HNP daemon   : [[2,0],0] on node node1
  Remote daemon: [[2,0],2] on node node3

This is usually due to either a failure of the TCP network
connection to the node.
--------------------------------------------------------------------------
between
[node1:02567] 1 more process has sent help message help-mpi-btl-tcp.txt / client connect fail
[node1:02567] Set MCA parameter "orte_base_help_aggregate" to 0 to see all help / error messages
--------------------------------------------------------------------------
WARNING: Open MPI failed to TCP connect to a peer MPI process.  This
should not happen.

  Local host: node1
  PID:        2573
  Message:    connect() to 192.168.9.2:1027 failed
--------------------------------------------------------------------------
--------------------------------------------------------------------------
ORTE was unable to reliably start one or more daemons.
This usually is caused by:

* not finding the required libraries
--------------------------------------------------------------------------
`
	var n notices
	var rest strings.Builder
	var got []notice
	for line := range strings.Lines(text) {
		own, said := n.take(line)
		if rest.WriteString(own); said != "" {
			got = append(got, said)
		}
	}
	n.take(dashes + "\n")
	n.take("mine\n")
	if own := n.rest(); own != dashes+"\nmine\n" {
		t.Errorf("what is left at the end is %q", own)
	}
	if rest.String() != "before\nbetween\n" || len(got) != 3 {
		t.Fatalf("the rest is %q, and the notices are %q", rest.String(), got)
	}
	hosts := &Hosts{joined: netip.MustParsePrefix("10.1.0.0/16")}
	for i, want := range []string{
		"node3 is lost: it has gone down, or its network has.",
		"node1 cannot reach another host at 192.168.9.2: Open MPI has chosen a network that does not join them. Say which one does, 10.1.0.0/16 by OMPI_MCA_btl_tcp_if_include=10.1.0.0/16",
		"",
	} {
		if why := got[i].explain(hosts); !strings.HasPrefix(why, want) || (why == "") != (want == "") {
			t.Errorf("%q is explained as %q, want %q", got[i], why, want)
		}
		if got[i].hopeless() != (i == 1) {
			t.Errorf("%q is hopeless: %v", got[i], got[i].hopeless())
		}
	}
	if short := got[2].short(); short != "ORTE was unable to reliably start one or more daemons." {
		t.Errorf("the short form is %q", short)
	}
}
