package session

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// typist is a recorder whose person answers with lines, in order, and writes down what
// they were asked. Then they do not answer before the cell is left.
type typist struct {
	recorder
	refuse  error
	lines   []string      // guarded by mu
	waiting chan struct{} // closed when they are asked, and do not answer
	over    chan struct{} // closed when the cell is left
	cause   error
}

func newTypist(lines ...string) *typist {
	return &typist{lines: lines, waiting: make(chan struct{}), over: make(chan struct{})}
}

func (r *typist) Input(prompt string, password bool) (string, error) {
	if r.refuse != nil {
		return "", r.refuse
	}
	r.mu.Lock()
	if len(r.lines) == 0 {
		select {
		case <-r.waiting:
		default:
			close(r.waiting)
		}
		r.mu.Unlock()
		<-r.over
		return "", r.cause
	}
	line := r.lines[0]
	r.lines = r.lines[1:]
	r.mu.Unlock()
	kind := "asked"
	if password {
		kind = "asked secretly"
	}
	r.write(kind, fmt.Sprintf("%q, says %.20q\n", prompt, line))
	r.mu.Lock()
	r.stream = ""
	r.mu.Unlock()
	return line, nil
}

// leave ends the waiting for input, as a cell's end does, or an interrupt.
func (r *typist) leave(cause error) {
	r.cause = cause
	close(r.over)
}

// execute executes a cell and returns what it shows.
func (r *typist) execute(s *Session, count int, code string) string {
	reply := s.Execute(s.life, count, &message.ExecuteRequest{Code: code}, r)
	if r.cause == nil {
		r.leave(message.ErrNotRunning)
	}
	text := r.take()
	if reply.Status == "error" {
		text += "error " + reply.ErrorName + ": " + reply.ErrorValue + "\n"
	}
	return text
}

// TestStdin reads os.Stdin in cells, both ways that cells run.
func TestStdin(t *testing.T) {
	nobody := errors.New("nobody is there")
	tests := []struct {
		name, code, want string
		lines            []string
		refuse           error
	}{
		{
			name: "a question and its answer", lines: []string{"Gopher"},
			code: "var name string\nfmt.Print(\"Name: \")\nfmt.Scan(&name)\nfmt.Println(\"hello,\", name)",
			want: "stdout: Name: \nasked: \"\", says \"Gopher\"\nstdout: hello, Gopher\n",
		},
		{
			name: "two values on a line", lines: []string{"3 4"},
			code: "var a, b int\nfmt.Scan(&a, &b)\nfmt.Println(a * b)",
			want: "asked: \"\", says \"3 4\"\nstdout: 12\n",
		},
		{
			name: "two values on two lines", lines: []string{"3", "4"},
			code: "var a, b int\nfmt.Scan(&a, &b)\nfmt.Println(a * b)",
			want: "asked: \"\", says \"3\"\nasked: \"(^D ends the input) \", says \"4\"\nstdout: 12\n",
		},
		{
			name: "lines to the end that a console sends", lines: []string{"one", "", "three", "\x04"},
			code: "n := 0\nlines := bufio.NewScanner(os.Stdin)\nfor lines.Scan() {\n\tn++\n\tfmt.Printf(\"%d %q\\n\", n, lines.Text())\n}\nfmt.Println(lines.Err())",
			want: "asked: \"\", says \"one\"\nstdout: 1 \"one\"\nasked: \"(^D ends the input) \", says \"\"\nstdout: 2 \"\"\nasked: \"(^D ends the input) \", says \"three\"\nstdout: 3 \"three\"\nasked: \"(^D ends the input) \", says \"\\x04\"\nstdout: <nil>\n",
		},
		{
			name: "all to the end that a person types, and more after it", lines: []string{"one", "^D", "more"},
			code: "all, err := io.ReadAll(os.Stdin)\nfmt.Printf(\"%q %v\\n\", all, err)\nvar more string\nfmt.Scan(&more)\nfmt.Println(more)",
			want: "asked: \"\", says \"one\"\nasked: \"(^D ends the input) \", says \"^D\"\nstdout: \"one\\n\" <nil>\nasked: \"(^D ends the input) \", says \"more\"\nstdout: more\n",
		},
		{
			name: "requests first, then reading", lines: []string{"42", "secret", "more"},
			code: "import \"github.com/janpfeifer/gonb/gonbui\"\ngonbui.RequestInput(\"Enter: \", false)\ngonbui.RequestInput(\"Pin: \", true)\nvar n int\nvar pin, more string\nfmt.Scan(&n, &pin, &more)\nfmt.Println(n, pin, more)",
			want: "asked: \"Enter: \", says \"42\"\nasked secretly: \"Pin: \", says \"secret\"\nasked: \"\", says \"more\"\nstdout: 42 secret more\n",
		},
		{
			name: "a request that is answered by the end", lines: []string{"^D"},
			code: "import \"github.com/janpfeifer/gonb/gonbui\"\ngonbui.RequestInput(\"Enter: \", false)\nall, err := io.ReadAll(os.Stdin)\nfmt.Println(len(all), err)",
			want: "asked: \"Enter: \", says \"^D\"\nstdout: 0 <nil>\n",
		},
		{
			name: "more than a pipe holds", lines: []string{strings.Repeat("x", 300_000)},
			code: "line, err := bufio.NewReader(os.Stdin).ReadString('\\n')\nfmt.Println(len(line), err)",
			want: "asked: \"\", says \"xxxxxxxxxxxxxxxxxxxx\"\nstdout: 300001 <nil>\n",
		},
		{
			name: "nobody to ask", refuse: nobody,
			code: "n := 7\nfor range 3 {\n\tif _, err := fmt.Scan(&n); err != nil {\n\t\tfmt.Println(err)\n\t}\n}\nlines := bufio.NewScanner(os.Stdin)\nfor lines.Scan() {\n}\nfmt.Println(n, lines.Err())\nfmt.Scan(&n)",
			want: "stderr: input: nobody is there\nstdout: read /dev/stdin: nobody is there\nread /dev/stdin: nobody is there\nread /dev/stdin: nobody is there\n7 read /dev/stdin: nobody is there\nerror error: read /dev/stdin: nobody is there\n",
		},
		{
			name: "another file in its place", refuse: nobody,
			code: "r, w, err := os.Pipe()\nw.WriteString(\"from a pipe\\n\")\nos.Stdin = r\nline, err := bufio.NewReader(os.Stdin).ReadString('\\n')\nfmt.Printf(\"%q %v\\n\", line, err)",
			want: "stdout: \"from a pipe\\n\" <nil>\n",
		},
		{
			name: "a child reads", lines: []string{"Gopher"},
			code: "cmd := exec.Command(\"bash\", \"-c\", \"echo Name:; read name; echo hello, $name\")\ncmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout\ncmd.Run()",
			want: "stdout: Name:\nasked: \"\", says \"Gopher\"\nstdout: hello, Gopher\n",
		},
		{
			name: "a child reads to the end, and then the cell", lines: []string{"one", "two", "^D", "more"},
			code: "cmd := exec.Command(\"cat\")\ncmd.Stdin = os.Stdin\nall, err := cmd.Output()\nvar more string\nfmt.Scan(&more)\nfmt.Printf(\"%q %v %s\\n\", all, err, more)",
			want: "asked: \"\", says \"one\"\nasked: \"(^D ends the input) \", says \"two\"\nasked: \"(^D ends the input) \", says \"^D\"\nasked: \"(^D ends the input) \", says \"more\"\nstdout: \"one\\ntwo\\n\" <nil> more\n",
		},
		{
			name: "a child reads, and nobody is there to ask", refuse: nobody,
			code: "cmd := exec.Command(\"cat\")\ncmd.Stdin = os.Stdin\nall, err := cmd.Output()\nfmt.Printf(\"%q %v\\n\", all, err)",
			want: "stderr: input: nobody is there\nstdout: \"\" <nil>\n",
		},
		{
			name: "a read that package os does not know of", lines: []string{"past it", "and past that"},
			code: "b := make([]byte, 100)\nn, _ := syscall.Read(0, b)\ne, _ := syscall.EpollCreate1(0)\nsyscall.EpollCtl(e, syscall.EPOLL_CTL_ADD, 0, &syscall.EpollEvent{Events: syscall.EPOLLIN})\nsyscall.EpollWait(e, make([]syscall.EpollEvent, 1), -1)\nm, _ := syscall.Read(0, b[n:])\nfmt.Printf(\"%q\\n\", b[:n+m])",
			want: "asked: \"\", says \"past it\"\nasked: \"(^D ends the input) \", says \"and past that\"\nstdout: \"past it\\nand past that\\n\"\n",
		},
		{
			name: "nothing is wanted", refuse: nobody,
			code: "n, err := os.Stdin.Read(nil)\nfmt.Println(n, err)",
			want: "stdout: 0 <nil>\n",
		},
	}
	for _, alone := range []bool{false, true} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("alone %v/%s", alone, tt.name), func(t *testing.T) {
				s := newSessionWith(t, Config{Alone: alone})
				cell := newTypist(tt.lines...)
				cell.refuse = tt.refuse
				if got := cell.execute(s, 1, tt.code); got != tt.want {
					t.Errorf("got\n%swant\n%s", got, tt.want)
				}
			})
		}
	}
}

// TestStdinInterrupted interrupts a cell that waits for a line.
func TestStdinInterrupted(t *testing.T) {
	for _, alone := range []bool{false, true} {
		t.Run(fmt.Sprintf("alone %v", alone), func(t *testing.T) {
			s := newSessionWith(t, Config{Alone: alone})
			cell := newTypist()
			go func() {
				<-cell.waiting
				cell.leave(message.ErrInterrupted)
				if err := s.Interrupt(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			got := cell.execute(s, 1, "defer fmt.Println(\"deferred\")\nvar x string\nfmt.Scan(&x)\nfmt.Println(\"not reached\")")
			want := "stdout: deferred\nerror Interrupted: interrupted\n"
			if alone {
				want = "error Interrupted: interrupted\n"
			}
			if got != want {
				t.Errorf("the interrupted cell: got\n%swant\n%s", got, want)
			}
			got = newTypist("a line").execute(s, 2, "var y string\nfmt.Scanln(&y, new(string))\nfmt.Println(y)")
			if want := "asked: \"\", says \"a line\"\nstdout: a\n"; got != want {
				t.Errorf("the next cell: got\n%swant\n%s", got, want)
			}
		})
	}
}

// TestStdinOfChildInterrupted interrupts a cell whose child waits for a line.
func TestStdinOfChildInterrupted(t *testing.T) {
	s := newTestSession(t)
	cell := newTypist()
	go func() {
		<-cell.waiting
		cell.leave(message.ErrInterrupted)
		if err := s.Interrupt(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	const run = "cmd := exec.Command(\"cat\")\ncmd.Stdin = os.Stdin\nall, err := cmd.Output()\n"
	if got := cell.execute(s, 1, run+"fmt.Println(len(all), err)"); !strings.Contains(got, "0 signal: interrupt\n") && !strings.Contains(got, "Interrupted") {
		t.Errorf("the interrupted cell: got\n%s", got)
	}
	got := newTypist("a line", "^D").execute(s, 2, run+"fmt.Printf(\"%q %v\\n\", all, err)")
	if want := "asked: \"\", says \"a line\"\nasked: \"(^D ends the input) \", says \"^D\"\nstdout: \"a line\\n\" <nil>\n"; got != want {
		t.Errorf("the next cell: got\n%swant\n%s", got, want)
	}
}

// TestStdinInBackground has a goroutine read that outlives its cell: the cells that
// come ask for it.
func TestStdinInBackground(t *testing.T) {
	s := newTestSession(t)
	got := newTypist("one").execute(s, 1, `lines := make(chan string)
go func() {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		lines <- in.Text()
	}
	close(lines)
}()
<-lines`)
	if want := "asked: \"\", says \"one\"\nresult: text/plain one\n"; got != want {
		t.Errorf("the first cell: got\n%swant\n%s", got, want)
	}
	// By what words it is asked depends on whether the cell before had ended.
	if got, want := newTypist("two").execute(s, 2, "<-lines"), "says \"two\"\nresult: text/plain two\n"; !strings.HasSuffix(got, want) {
		t.Errorf("the second cell: got\n%swant in the end\n%s", got, want)
	}
	interrupted := newTypist()
	go func() {
		<-interrupted.waiting
		interrupted.leave(message.ErrInterrupted)
		if err := s.Interrupt(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	// It may be asked, and interrupted, before it runs.
	if got := interrupted.execute(s, 3, "for {\n\ttime.Sleep(time.Millisecond)\n}"); !strings.HasPrefix(got, "error Interrupted: interrupted") {
		t.Errorf("the third cell: got\n%s", got)
	}
	got = newTypist("three", "^D").execute(s, 4, "line := <-lines\n_, more := <-lines\nfmt.Println(line, more)")
	if want := "says \"three\"\nasked: \"(^D ends the input) \", says \"^D\"\nstdout: three false\n"; !strings.HasSuffix(got, want) {
		t.Errorf("the fourth cell: got\n%swant in the end\n%s", got, want)
	}
}

// TestPrompts gives commands of the shell what they read.
func TestPrompts(t *testing.T) {
	s := newTestSession(t)
	for i, tt := range []struct {
		name, code, want string
		lines            []string
		refuse           error
	}{
		{
			name: "each of two", lines: []string{"foo", "bar"},
			code: "%with_inputs\n!read str; echo \"str=$str\"\n%with_password\n!read pass; echo \"pass=$pass\"",
			want: "asked: \"\", says \"foo\"\nstdout: str=foo\nasked secretly: \"\", says \"bar\"\nstdout: pass=bar\n",
		},
		{
			name: "as many lines as are read, by a child", lines: []string{"one", "two", "^D"},
			code: "%with_inputs\n!cat | tr a-z A-Z; sleep 0.1; echo end",
			want: "asked: \"\", says \"one\"\nasked: \"\", says \"two\"\nasked: \"\", says \"^D\"\nstdout: ONE\nTWO\nend\n",
		},
		{
			name: "nothing is read", lines: []string{"nobody asks"},
			code: "%with_inputs\n!sleep 0.3; echo end\n!echo more",
			want: "stdout: end\nmore\n",
		},
		{
			name: "without a word before", lines: []string{"foo", "one", "^D"},
			code: "!read str; echo \"str=$str\"\n!wc -l",
			want: "asked: \"\", says \"foo\"\nstdout: str=foo\nasked: \"\", says \"one\"\nasked: \"\", says \"^D\"\nstdout: 1\n",
		},
		{
			name: "nobody to ask", refuse: errors.New("nobody is there"),
			code: "%with_inputs\n!read str; echo \"str=$str\"",
			want: "stderr: input: nobody is there\nstdout: str=\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cell := newTypist(tt.lines...)
			cell.refuse = tt.refuse
			if got := cell.execute(s, i+1, tt.code); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}
