package notebook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// An Executor executes cells. Each cell sees what the cells before it left.
type Executor interface {
	// Execute executes one cell, the count-th, sends what it shows to out and
	// returns when the cell has ended. An error that it returns in the reply is
	// not sent to out.
	Execute(ctx context.Context, count int, req *message.ExecuteRequest, out message.Output) message.ExecuteReply
}

// Options adjust [Execute]. The zero value is the usual case.
type Options struct {
	// Language is the language_info that the executor's kernel reports
	// ("name", "version", …). It is stored in the notebook's metadata.
	Language map[string]any

	// Timing stores in each cell's metadata when it began and ended. Without
	// it, executing a notebook again gives the same file.
	Timing bool

	// Progress is called when a cell begins and again when it has ended.
	Progress func(Progress)
}

// Progress tells how far [Execute] is.
type Progress struct {
	Cell, Cells int           // the cell's number among the Cells to execute, from 1
	FirstLine   string        // of the cell
	Ended       bool          // whether the cell has ended, else it begins
	Failed      bool          // whether it ended with an error
	Elapsed     time.Duration // how long it took, once it ended
}

// String returns the progress as one line of at most about 80 columns: "[3/17]
// model := nnkit.Sequential( …  0.21 s".
func (p Progress) String() string {
	width := len(fmt.Sprint(p.Cells))
	line := fmt.Sprintf("[%*d/%d] %-56s", width, p.Cell, p.Cells, shorten(p.FirstLine, 56))
	if !p.Ended {
		return strings.TrimRight(line, " ")
	}
	line += fmt.Sprintf("  %7.2f s", p.Elapsed.Seconds())
	if p.Failed {
		line += "  failed"
	}
	return line
}

// shorten cuts a text that is longer than n characters, and marks the cut.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:n-1]), " ") + "…"
}

// A CellError says which cell ended the execution of a notebook, and why.
type CellError struct {
	Cell      int    // the cell's number among all cells of the notebook, from 1
	Count     int    // its execution count
	FirstLine string // of the cell
	Name      string // the error, as in message.ExecuteReply
	Value     string
	Traceback []string

	err error // why it was cut short from outside, if it was
}

func (e *CellError) Error() string {
	text := e.Value
	switch {
	case text == "":
		text = e.Name
	case e.Name != "" && !strings.HasPrefix(text, e.Name):
		text = e.Name + ": " + text
	}
	return fmt.Sprintf("cell %d, In [%d], `%s`: %s", e.Cell, e.Count, shorten(e.FirstLine, 60), text)
}

// Unwrap returns the error of the context, if it ended the cell.
func (e *CellError) Unwrap() error { return e.err }

// Execute executes the notebook's code cells from first to last and stores
// counts and outputs in it, and whose notebook it is. Earlier outputs of all
// cells are dropped first, so that none is taken for this execution's.
//
// The first cell that fails ends it with a [*CellError], unless the cell is
// tagged "raises-exception"; the notebook then holds what there is so far and
// should be written all the same. Cells tagged "skip-execution" and blank cells
// are passed over. Output that comes when Execute has returned is lost.
func Execute(ctx context.Context, nb *Notebook, ex Executor, opts Options) error {
	if language := nb.language(); language != "" && !strings.EqualFold(language, "go") {
		return fmt.Errorf("the notebook is written for %s: to execute it as Go, "+
			`remove "kernelspec" and "language_info" from its metadata`, language)
	}
	nb.setKernel(opts.Language)

	var cells []int
	for i, c := range nb.Cells {
		if c.Type != Code || c.Tagged("skip-execution") {
			continue
		}
		c.ExecutionCount = 0
		c.Outputs = nil
		delete(c.Metadata, "execution") // a former execution's times
		if strings.TrimSpace(c.Source) != "" {
			cells = append(cells, i)
		}
	}

	col := newCollector()
	defer col.close()
	for n, i := range cells {
		c := nb.Cells[i]
		progress := Progress{Cell: n + 1, Cells: len(cells), FirstLine: c.FirstLine()}
		if opts.Progress != nil {
			opts.Progress(progress)
		}
		began := time.Now()
		reply := executeCell(ctx, c, n+1, ex, col.cell(c, n+1))
		ended := time.Now()
		if opts.Timing {
			c.setTimes(began, ended)
		}
		failed := reply.Status != "ok"
		if opts.Progress != nil {
			progress.Ended, progress.Failed, progress.Elapsed = true, failed, ended.Sub(began)
			opts.Progress(progress)
		}
		// A cell may raise what it likes; being cut short is not its doing.
		if failed && (reply.Status != "error" || ctx.Err() != nil || !c.Tagged("raises-exception")) {
			return &CellError{
				Cell: i + 1, Count: n + 1, FirstLine: c.FirstLine(),
				Name: reply.ErrorName, Value: reply.ErrorValue, Traceback: reply.Traceback,
				err: ctx.Err(),
			}
		}
	}
	return nil
}

func executeCell(ctx context.Context, c *Cell, count int, ex Executor, out *cellOutput) message.ExecuteReply {
	c.ExecutionCount = count
	if err := ctx.Err(); err != nil {
		c.ExecutionCount = 0
		return message.ExecuteReply{Status: "aborted", ErrorValue: "not executed: " + context.Cause(ctx).Error()}
	}
	reply := ex.Execute(ctx, count, &message.ExecuteRequest{
		Code:         c.Source,
		StoreHistory: true,
		StopOnError:  true,
	}, out)
	for _, page := range reply.Payload { // there is no pager: it is an output, as in JupyterLab
		out.Display(message.DisplayData{Data: page.Data})
	}
	switch reply.Status {
	case "ok":
	case "error":
		out.fail(reply)
	default:
		if reply.ErrorValue == "" {
			reply.ErrorValue = "the cell was aborted"
		}
	}
	return reply
}

// language returns the language the notebook says it is written in, if any.
func (nb *Notebook) language() string {
	for _, key := range [][2]string{{"kernelspec", "language"}, {"language_info", "name"}} {
		info, _ := nb.Metadata[key[0]].(map[string]any)
		if name, _ := info[key[1]].(string); name != "" {
			return name
		}
	}
	return ""
}

// setKernel makes the notebook one of ours.
func (nb *Notebook) setKernel(language map[string]any) {
	if nb.Metadata == nil {
		nb.Metadata = make(map[string]any)
	}
	nb.Metadata["kernelspec"] = map[string]any{
		"display_name": "Go (nnkit)",
		"language":     "go",
		"name":         "nnkit",
	}
	if language != nil {
		nb.Metadata["language_info"] = language
	}
}

// setTimes stores the times under the names that nbclient and JupyterLab use,
// though there are no messages here.
func (c *Cell) setTimes(began, ended time.Time) {
	if c.Metadata == nil {
		c.Metadata = make(map[string]any)
	}
	const layout = "2006-01-02T15:04:05.000000Z"
	from, to := began.UTC().Format(layout), ended.UTC().Format(layout)
	c.Metadata["execution"] = map[string]any{
		"iopub.status.busy":   from,
		"iopub.execute_input": from,
		"shell.execute_reply": to,
		"iopub.status.idle":   to,
	}
}

// errNoInput answers a cell that asks for a line.
var errNoInput = errors.New("input is not available: the notebook is executed with nobody to ask; " +
	"run it in Jupyter, or give the value in the cell")
