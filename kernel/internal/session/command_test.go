package session

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

func TestSplitArgs(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
		err  string
	}{
		{"", nil, ""},
		{" a  b\tc ", []string{"a", "b", "c"}, ""},
		{`a "b c" d`, []string{"a", "b c", "d"}, ""},
		{`--text="hello world"`, []string{"--text=hello world"}, ""},
		{`""`, []string{""}, ""},
		{`"a\"b\\\n\t"`, []string{"a\"b\\\n\t"}, ""},
		{`'a "b" \n'`, []string{`a "b" \n`}, ""},
		{`a\b`, []string{`a\b`}, ""},
		{`"a`, nil, "the quote \" is never closed"},
	} {
		got, err := splitArgs(test.text)
		if !slices.Equal(got, test.want) || err == nil != (test.err == "") || err != nil && !strings.HasPrefix(err.Error(), test.err) {
			t.Errorf("%q is split into %q, %v; want %q, %s", test.text, got, err, test.want, test.err)
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"%lst", "perhaps %list is meant"},
		{"%%writefil", "perhaps %%writefile is meant"},
		{"%%tim", "perhaps %%time is meant"},
		{"%xyzzy", "no command %xyzzy; %help"},
	} {
		if got := unknown(test.name); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// Each command has a name of its own, and what %help says of it.
func TestTableOfCommands(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range commands {
		for _, name := range c.names {
			if seen[name] {
				t.Errorf("%s is in the table twice", name)
			}
			seen[name] = true
		}
		if c.help == "" || c.run == nil {
			t.Errorf("%s has no help, or does nothing", c.names[0])
		}
	}
}

// An interrupt ends a command of the shell with all that it has started, and the
// cell with it; state stays.
func TestInterruptCommands(t *testing.T) {
	s := newTestSession(t)
	rec := &recorder{}
	for _, test := range []struct{ name, code string }{
		{"before", "!echo go; sleep 3600 & wait\nkept = 3"},
		{"between", "kept++\n!echo go; sleep 3600\nkept = 3"},
		{"after", "kept++\n!echo go; trap '' INT; sleep 3600"},
		{"script", "%%bash\necho go\nsleep 3600"},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := func(code string, out message.Output) message.ExecuteReply {
				return s.Execute(context.Background(), 1, &message.ExecuteRequest{Code: code}, out)
			}
			run("kept := 1", rec)
			out := started{rec, make(chan struct{})}
			done := make(chan message.ExecuteReply)
			go func() { done <- run(test.code, out) }()
			<-out.ch
			if err := s.Interrupt(context.Background()); err != nil {
				t.Fatal(err)
			}
			select {
			case reply := <-done:
				if reply.Status != "error" || reply.ErrorName != "Interrupted" {
					t.Errorf("reply is %+v", reply)
				}
			case <-time.After(time.Minute):
				t.Fatal("the command goes on")
			}
			rec.take()
			run("kept == 3", rec)
			if got := rec.take(); got != "result: text/plain false\n" {
				t.Errorf("the cell went on: %q", got)
			}
		})
	}
}
