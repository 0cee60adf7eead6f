package session

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// started closes a channel when a stream says "go".
type started struct {
	*recorder
	ch chan struct{}
}

func (s started) Stream(name, text string) {
	s.recorder.Stream(name, text)
	if strings.Contains(text, "go\n") {
		close(s.ch)
	}
}

// earlier leaves behind what listens for interrupts, as a training does: one that is
// at it, and one that begins again and again. An interrupt of a later cell is not
// theirs.
const earlier = `var reached atomic.Int64
go func() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-ctx.Done()
	reached.Add(1)
}()
go func() {
	for {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		select {
		case <-ctx.Done():
			reached.Add(1)
		case <-time.After(time.Millisecond):
		}
		stop()
	}
}()`

func TestInterruptKeepsState(t *testing.T) {
	s := newTestSession(t)
	rec := &recorder{}
	count := 0
	execute := func(code string, out message.Output) message.ExecuteReply {
		count++
		return s.Execute(context.Background(), count, &message.ExecuteRequest{Code: code}, out)
	}
	if r := execute("kept := 1\nch := make(chan int)\nvar ticks atomic.Int64\ngo func() { for { ticks.Add(1); time.Sleep(time.Millisecond) } }()\n"+earlier, rec); r.Status != "ok" {
		t.Fatal(r)
	}
	for _, test := range []struct{ name, code string }{
		{"loop", "for {}"},
		{"numeric loop", "s := 0.0\nfor i := 0; ; i++ { s += float64(i) * s }"},
		{"loop in a function", "func spin(n int) int { for { n++ } }\nspin(1)"},
		{"recursion", "func fib(n int) int { if n < 2 { return n }; return fib(n-1) + fib(n-2) }\nfib(90)"},
		{"continue", "for i := 0; ; i++ { if i%2 == 0 { continue }; kept += i - i }"},
		{"step of zero", "func step(c []bool, by int) { for j := 0; j < len(c); j += by { c[j] = true } }\nstep(make([]bool, 9), 0)"},
		{"mutual recursion", "func a(n int) int { return b(n-1) + b(n-2) }\nfunc b(n int) int { if n < 2 { return n }; return a(n-1) }\na(190)"},
		{"goto", "again:\nkept++\nkept--\ngoto again"},
		{"sleep", "time.Sleep(time.Hour)"},
		{"channel", "<-ch"},
		{"select", "select {}"},
		{"recovering", "func() { defer func() { recover() }(); for {} }()\nfor {}"},
		{"notified", "ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)\ndefer stop()\n<-ctx.Done()\nfmt.Println(\"stopped by itself\")"},
		{"shown value", "type endless int\nfunc (endless) String() string { for {} }\nendless(1)"},
		{"library", "sort.Slice(make([]int, 1<<20), func(i, j int) bool { for {} })"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := started{rec, make(chan struct{})}
			done := make(chan message.ExecuteReply)
			code := "fmt.Println(\"go\")\n" + test.code
			go func() { done <- execute(code, out) }()
			<-out.ch
			if err := s.Interrupt(context.Background()); err != nil {
				t.Fatal(err)
			}
			var reply message.ExecuteReply
			select {
			case reply = <-done:
			case <-time.After(time.Minute):
				t.Fatal("the cell goes on")
			}
			text := rec.take()
			if test.name == "notified" {
				if reply.Status != "ok" || !strings.Contains(text, "stopped by itself") {
					t.Errorf("a program that wants to hear of the interrupt: %q, %v", text, reply)
				}
			} else if reply.Status != "error" || reply.ErrorName != "Interrupted" {
				t.Errorf("reply is %+v", reply)
			}
			before := "before := ticks.Load()\nfor i := 0; i < 60_000 && ticks.Load() == before; i++ {\n\ttime.Sleep(time.Millisecond)\n}\nkept, ticks.Load() > before, reached.Load()"
			if reply := execute(before, rec); reply.Status != "ok" {
				t.Errorf("the cell after: %v", reply)
			}
			if got, want := rec.take(), "result: text/plain 1, true, 0\n"; got != want {
				t.Errorf("state after the interrupt is %q, want %q", got, want)
			}
		})
	}
	if err := s.Interrupt(context.Background()); err != nil { // while idle
		t.Error(err)
	}
	execute("kept", rec)
	if got := rec.take(); got != "result: text/plain 1\n" {
		t.Errorf("after an interrupt while idle: %q", got)
	}
}
