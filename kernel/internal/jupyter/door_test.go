package jupyter

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
)

func strangers(d *door, n int) []*peer {
	var all []*peer
	for range n {
		ours, theirs := net.Pipe()
		theirs.Close()
		all = append(all, newPeer(&socket{door: d}, ours))
	}
	return all
}

// When too many come the strangers have to go, in the order in which they came.
func TestDoor(t *testing.T) {
	d := newDoor()
	d.most = 3
	all := strangers(d, 6)
	all[1].known.Store(true)
	for i, want := range []string{"0", "01", "012", "123", "134", "145"} {
		if _, err := d.enter(all[i]); err != nil {
			t.Fatal(err)
		}
		var places []string
		for _, p := range d.in {
			places = append(places, fmt.Sprint(slices.Index(all, p)))
		}
		if got := strings.Join(places, ""); got != want {
			t.Errorf("in are %s, want %s", got, want)
		}
	}
	if !all[0].isGone() || all[1].isGone() {
		t.Error("the stranger is still connected, or the client is not")
	}
	for _, p := range d.in {
		p.known.Store(true)
	}
	if _, err := d.enter(strangers(d, 1)[0]); err == nil || !strings.Contains(err.Error(), "3 connections of clients") {
		t.Errorf("when all are clients: %v", err)
	}
	d.leave(d.in[0])
	if pushed, err := d.enter(strangers(d, 1)[0]); pushed || err != nil {
		t.Errorf("when one has left: %v, %v", pushed, err)
	}
}

// All strangers together have room for so many bytes; clients have more, and what was
// read is given back.
func TestAllowance(t *testing.T) {
	d := newDoor()
	d.room = 1 << 20
	all := strangers(d, 3)
	all[2].known.Store(true)
	var a []*allowance
	for _, p := range all {
		a = append(a, &allowance{door: d, peer: p, most: 1 << 30})
	}
	for i, step := range []struct {
		who, size int
		want      bool
	}{
		{0, freeSize, true},
		{0, 1 << 19, true},
		{1, 1 << 19, true},
		{1, 1<<19 + freeSize, true},
		{0, 1 << 20, false},
		{2, 1 << 30, true},
		{2, 1<<30 + 1, false},
		{1, 1<<20 + 1, false},
	} {
		if err := a[step.who].grow(step.size); (err == nil) != step.want {
			t.Errorf("step %d: %v", i, err)
		}
	}
	for _, a := range a {
		a.done()
	}
	if d.held != 0 || a[1].grow(1<<20+freeSize) != nil {
		t.Errorf("%d bytes are still held", d.held)
	}
}

// A complaint is logged once, and later how often it came.
func TestComplaints(t *testing.T) {
	var log []string
	c := newComplaints(func(format string, args ...any) { log = append(log, fmt.Sprintf(format, args...)) })
	for i := range 1000 {
		c.logf("dropped: %v", "x\x1b[31m\n"+strings.Repeat("y", i/999*1000))
	}
	for i := range 1000 {
		c.logf("peer %d", i)
	}
	if len(log) != complaintKinds+1 || log[0] != "dropped: x\ufffd[31m\ufffd" || len(log[1]) > complaintSize+10 || !strings.HasPrefix(log[complaintKinds], "complaints of many kinds, such as: peer ") {
		t.Fatalf("%d lines: %.500q", len(log), log)
	}
	c.pause = 0
	c.logf("dropped: %v", "x\x1b[31m\n")
	if got := log[len(log)-1]; got != "dropped: x\ufffd[31m\ufffd (998 more of the same were not logged)" {
		t.Errorf("later: %q", got)
	}
	n := len(log)
	c.end()
	c.end()
	if len(log) != n+1 || log[n] != "complaints of many kinds (951 more of the same were not logged)" {
		t.Errorf("at the end: %q", log[n:])
	}
}
