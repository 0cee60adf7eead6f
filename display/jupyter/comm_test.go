package jupyter

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestReceive has messages of a front end come in, of which each comm gets its own, in
// order.
func TestReceive(t *testing.T) {
	var got []string
	var over sync.WaitGroup
	c, err := Open("there", Message{}, func(m Message) {
		defer over.Done()
		if m.Data["n"] == 1.0 {
			panic("on purpose")
		}
		got = append(got, fmt.Sprint(m.Data["n"], m.Metadata, m.Buffers))
	})
	if err != nil {
		t.Fatal(err)
	}
	message := func(kind, rest string) {
		t.Helper()
		if err := receive([]byte(`{"msg_type":"` + kind + `","comm_id":"` + c.ID() + `"` + rest + `}`)); err != nil {
			t.Fatal(err)
		}
	}
	over.Add(4)
	for n := range 4 {
		message("comm_msg", fmt.Sprintf(`,"data":{"n":%d},"metadata":{"v":"2"},"buffers":["YWI="]`, n))
	}
	over.Wait()
	if want := "0 map[v:2] [[97 98]];2 map[v:2] [[97 98]];3 map[v:2] [[97 98]]"; strings.Join(got, ";") != want {
		t.Errorf("got %q, want %q: all but the one that panics, in order", got, want)
	}
	closed := make(chan bool)
	c.OnClose(func() { close(closed) })
	message("comm_close", "")
	<-closed
	message("comm_msg", `,"data":{"n":4}`) // nobody's
	if err := receive([]byte("no JSON")); err == nil {
		t.Error("what is no JSON was taken")
	}
}

func TestRegister(t *testing.T) {
	opened := make(chan string)
	if err := Register("mine", func(c *Comm, m Message) {
		c.OnMessage(func(m Message) { opened <- fmt.Sprint(m.Data) })
		opened <- c.ID() + fmt.Sprint(m.Data)
	}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ text, want string }{
		{`{"msg_type":"comm_open","comm_id":"c1","target_name":"mine","data":{"a":1}}`, "c1map[a:1]"},
		{`{"msg_type":"comm_msg","comm_id":"c1","data":{"b":2}}`, "map[b:2]"},
	} {
		if err := receive([]byte(tt.text)); err != nil {
			t.Fatal(err)
		}
		if got := <-opened; got != tt.want {
			t.Errorf("%s is taken as %s, want %s", tt.text, got, tt.want)
		}
	}
	if err := receive([]byte(`{"msg_type":"comm_open","comm_id":"c2","target_name":"another's"}`)); err != nil || open["c2"] != nil {
		t.Errorf("a target that nobody has registered: %v, %v", open["c2"], err)
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{Display(Output{}), "Display: the output has no data: give it at least Data[\"text/plain\"]"},
		{Update(Output{Data: map[string]any{"text/plain": "x"}}), "Update: the output has no ID to find it by: give Display and Update the same"},
	} {
		if tt.err == nil || tt.err.Error() != tt.want {
			t.Errorf("got %v, want %s", tt.err, tt.want)
		}
	}
}
