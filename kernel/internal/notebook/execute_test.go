package notebook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"golang.org/x/tools/txtar"
)

// A script executes cells whose lines are calls of message.Output.
type script struct {
	outs map[string]message.Output
}

func (s *script) Execute(ctx context.Context, count int, req *message.ExecuteRequest, out message.Output) message.ExecuteReply {
	reply := message.ExecuteReply{Status: "ok", ExecutionCount: count}
	s.outs[fmt.Sprint(count)] = out
	for line := range strings.Lines(req.Code) {
		words := unquoteWords(line)
		if len(words) == 0 {
			continue
		}
		to := out
		// "2: stdout x" is output that comes from a goroutine of an earlier cell.
		if n, ok := strings.CutSuffix(words[0], ":"); ok {
			to, words = s.outs[n], words[1:]
		}
		switch words[0] {
		case "stdout", "stderr":
			to.Stream(words[0], words[1])
		case "display":
			to.Display(displayData(words[1:]))
		case "update":
			to.Update(displayData(words[1:]))
		case "result":
			to.Result(message.MIMEBundle{"text/plain": words[1]}, nil)
		case "clear":
			to.Clear(len(words) > 1)
		case "input":
			if _, err := to.Input("name?", false); err != nil {
				to.Stream("stderr", err.Error())
			}
		case "page":
			reply.Payload = append(reply.Payload, message.NewPage(message.MIMEBundle{"text/plain": words[1]}))
		case "error":
			reply.Status, reply.ErrorName, reply.ErrorValue = "error", words[1], words[2]
			reply.Traceback = []string{"\x1b[31m" + words[1] + "\x1b[0m", words[2]}
			return reply
		default:
			panic("unknown: " + line)
		}
	}
	return reply
}

func displayData(words []string) message.DisplayData {
	return message.DisplayData{
		Data:      message.MIMEBundle{"text/plain": words[0]},
		Transient: message.Transient{DisplayID: strings.Join(words[1:], "")},
	}
}

func unquoteWords(line string) []string {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if quoted, err := strconv.QuotedPrefix(line); err == nil {
			word, _ := strconv.Unquote(quoted)
			words, line = append(words, word), line[len(quoted):]
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		words, line = append(words, word), rest
	}
	return words
}

// A case is a script with a line "---" and perhaps tags before each cell, what
// the cells then show, and the error.
func TestExecute(t *testing.T) {
	eachCase(t, "execute", func(t *testing.T, files map[string][]byte) []txtar.File {
		nb := scriptNotebook(string(files["cells"]))
		var log strings.Builder
		err := Execute(t.Context(), nb, &script{outs: make(map[string]message.Output)}, Options{
			Progress: func(p Progress) {
				p.Elapsed = 0
				log.WriteString(p.String() + "\n")
			},
		})
		if err != nil {
			log.WriteString(err.Error() + "\n")
		}
		checkSchema(t, written(t, nb))
		var shown strings.Builder
		for _, c := range nb.Cells {
			fmt.Fprintf(&shown, "In [%d]\n", c.ExecutionCount)
			for _, out := range c.Outputs {
				fmt.Fprintf(&shown, "\t%s", out.Type)
				switch out.Type {
				case Stream:
					fmt.Fprintf(&shown, " %s %q\n", out.Name, out.Text)
				case Error:
					fmt.Fprintf(&shown, " %s %q %q\n", out.ErrorName, out.ErrorValue, out.Traceback)
				default:
					fmt.Fprintf(&shown, " %d %q\n", out.ExecutionCount, out.Data["text/plain"])
				}
			}
		}
		return []txtar.File{{Name: "want outputs", Data: []byte(shown.String())}, {Name: "want log", Data: []byte(log.String())}}
	})
}

func scriptNotebook(text string) *Notebook {
	nb := &Notebook{}
	for part := range strings.SplitSeq("\n"+text, "\n---") {
		tags, source, _ := strings.Cut(part, "\n")
		c := &Cell{Type: Code, Source: source, ExecutionCount: 99, Outputs: []*Output{{Type: Stream, Name: "stdout", Text: "old"}}}
		if tags = strings.TrimSpace(tags); tags != "" {
			c.Metadata = map[string]any{"tags": []any{tags}}
		}
		nb.Cells = append(nb.Cells, c)
	}
	return nb
}

// Executing twice gives the same file, though the first time left its times.
func TestExecuteTwice(t *testing.T) {
	nb := scriptNotebook("stdout a\nresult b")
	run := func(opts Options) string {
		if err := Execute(t.Context(), nb, &script{outs: make(map[string]message.Output)}, opts); err != nil {
			t.Fatal(err)
		}
		return string(written(t, nb))
	}
	opts := Options{Language: map[string]any{"name": "go", "version": "1.26"}}
	first := run(opts)
	opts.Timing = true
	if timed := run(opts); !strings.Contains(timed, `"iopub.execute_input": "2`) {
		t.Errorf("no times in\n%s", timed)
	}
	opts.Timing = false
	if again := run(opts); again != first {
		t.Errorf("executed again\n%s\nwant\n%s", again, first)
	}
	if !strings.Contains(first, `"display_name": "Go (nnkit)"`) || !strings.Contains(first, `"version": "1.26"`) {
		t.Errorf("kernel or language is missing in\n%s", first)
	}
}

func TestExecuteForeign(t *testing.T) {
	nb := scriptNotebook("stdout a")
	nb.Metadata = map[string]any{"kernelspec": map[string]any{"language": "python"}}
	err := Execute(t.Context(), nb, &script{}, Options{})
	if err == nil || !strings.Contains(err.Error(), "written for python") {
		t.Errorf("error is %v", err)
	}
}

func TestExecuteCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	nb := scriptNotebook("stdout a\n---\nstdout b\n---\nstdout c")
	err := Execute(ctx, nb, &script{outs: make(map[string]message.Output)}, Options{Progress: func(p Progress) {
		if p.Cell == 2 {
			cancel(errors.New("the deadline of 1 s has passed"))
		}
	}})
	var cell *CellError
	if !errors.As(err, &cell) || cell.Cell != 2 || !errors.Is(err, context.Canceled) {
		t.Fatalf("error is %v, want a CellError of cell 2 for a cancelled context", err)
	}
	if want := "cell 2, In [2], `stdout b`: not executed: the deadline of 1 s has passed"; err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}
}

// Goroutines of cells may show things while other cells run and after the end.
func TestExecuteConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	nb := scriptNotebook("1\n---\n2\n---\n3")
	err := Execute(t.Context(), nb, executorFunc(func(out message.Output) {
		for range 8 {
			wg.Go(func() {
				for range 100 {
					out.Stream("stdout", "x")
					out.Display(displayData([]string{"d", "id"}))
					out.Update(displayData([]string{"e", "id"}))
					out.Result(message.MIMEBundle{}, nil)
					out.Clear(true)
				}
			})
		}
	}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := string(written(t, nb))
	wg.Wait()
	if string(written(t, nb)) != before {
		t.Error("output changed the notebook after Execute returned")
	}
}

type executorFunc func(out message.Output)

func (f executorFunc) Execute(_ context.Context, _ int, _ *message.ExecuteRequest, out message.Output) message.ExecuteReply {
	f(out)
	return message.ExecuteReply{Status: "ok"}
}

func TestOverwrite(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain\n", "plain\n"},
		{"10%\r50%\r100%\n", "100%\n"},
		{"10%\r50%\r100%\r", "100%"},
		{"longer\rab\n", "abnger\n"},
		{"longer\r\x1b[Kab\n", "ab\n"},
		{"longer\x1b[2K\rab\n", "ab\n"},
		{"windows\r\nlines\r\n", "windows\nlines\n"},
		{"ab\bc\n", "ac\n"},
		{"\b\ba", "a"},
		{"one\rtwo\nthree\rfour", "two\nfoure"},
		{"é😀x\rab", "abx"},
		{"\x1b[31mred\x1b[0m\rb", "b\x1b[31med\x1b[0m"},
		{"\x1b[1;32m40%\x1b[0m\r\x1b[1;32m80%\x1b[0m\n", "\x1b[1;32m80%\x1b[0m\n"},
		{"\x1b[38;5;208ma\rb\nc\x1b[39m\n", "\x1b[38;5;208mb\nc\x1b[39m\n"},
		{"\x1b[48;2;1;2;3m12\r\x1b[49m3\n", "3\x1b[48;2;1;2;3m2\x1b[0m\n"},
	} {
		if got := overwrite(c.in); got != c.want {
			t.Errorf("overwrite(%q) is %q, want %q", c.in, got, c.want)
		}
		if got := overwrite(c.want); got != c.want {
			t.Errorf("overwrite(%q) is %q, want it unchanged", c.want, got)
		}
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.ipynb")
	if err := os.WriteFile(name, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.ipynb")
	if err := os.Symlink("a.ipynb", link); err != nil {
		t.Fatal(err)
	}
	nb := scriptNotebook("stdout a")
	if err := nb.WriteFile(link); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(name); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced", err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("permissions are %v, want them kept (0640)", info.Mode().Perm())
	}

	// A notebook that cannot be written leaves the old file and nothing else.
	nb.Metadata = map[string]any{"bad": func() {}}
	if err := nb.WriteFile(name); err == nil {
		t.Error("no error for metadata that is not JSON")
	}
	if _, err := ReadFile(name); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("the directory holds %v, want two files", entries)
	}
}

// Some of the cells, on behind one that fails, and no longer than they may take.
func TestExecuteOptions(t *testing.T) {
	const cells = "stdout a\n---\nerror Panic boom\n---\nstdout c\n---\nstdout d"
	shown := func(nb *Notebook) string {
		var parts []string
		for _, c := range nb.Cells {
			var text strings.Builder
			text.WriteString(fmt.Sprint(c.ExecutionCount))
			for _, out := range c.Outputs {
				text.WriteString(" " + out.Text + out.ErrorName)
			}
			parts = append(parts, text.String())
		}
		return strings.Join(parts, "; ")
	}
	for _, test := range []struct {
		name, want string
		failed     bool
		options    Options
	}{
		{"as it is", "1 a; 2 Panic; 0; 0", true, Options{}},
		{"allowed", "1 a; 2 Panic; 3 c; 4 d", false, Options{AllowErrors: true}},
		{"some", "99 old; 99 old; 3 c; 99 old", false, Options{Only: func(n int) bool { return n == 3 }}},
	} {
		var ended []Progress
		test.options.Progress = func(p Progress) {
			if p.Ended {
				ended = append(ended, p)
			}
		}
		nb := scriptNotebook(cells)
		err := Execute(t.Context(), nb, &script{outs: map[string]message.Output{}}, test.options)
		if got := shown(nb); got != test.want || (err != nil) != test.failed {
			t.Errorf("%s: %q and %v, want %q", test.name, got, err, test.want)
		}
		if test.name == "allowed" && (len(ended) != 4 || ended[1].Err == nil || ended[1].Err.Cell != 2 || ended[2].Err != nil) {
			t.Errorf("progress tells %+v", ended)
		}
	}

	nb := scriptNotebook("raises-exception\n---\nsecond")
	nb.Cells[0].Metadata = map[string]any{"tags": []any{"raises-exception"}}
	err := Execute(t.Context(), nb, endless{}, Options{Patience: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "cell 1, In [1]") || !strings.Contains(err.Error(), "Timeout: the cell took longer than 1ms and was interrupted") {
		t.Errorf("a cell that takes too long: %v", err)
	}
	if got := shown(nb); got != "1 Timeout; 0" {
		t.Errorf("it shows %q", got)
	}
}

// endless executes until it is told to end.
type endless struct{}

func (endless) Execute(ctx context.Context, _ int, _ *message.ExecuteRequest, _ message.Output) message.ExecuteReply {
	<-ctx.Done()
	return message.ExecuteReply{Status: "error", ErrorName: "Interrupted", ErrorValue: "interrupted"}
}
