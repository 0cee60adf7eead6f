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

	// Only tells which code cells are executed, by their numbers as Progress counts
	// them. The others stay as they are. Nil means all.
	Only func(number int) bool

	// Patience is how long a cell may take; 0 is without end. One that takes longer
	// is interrupted and has failed.
	Patience time.Duration

	// AllowErrors has the cells behind one that fails executed as well.
	AllowErrors bool

	// Progress is called when a cell begins and again when it has ended.
	Progress func(Progress)
}

// Progress tells how far [Execute] is.
type Progress struct {
	Cell, Cells int           // the cell's number among the Cells that hold code, from 1
	ID          string        // of the cell
	FirstLine   string        // of the cell
	Ended       bool          // whether the cell has ended, else it begins
	Failed      bool          // whether it ended with an error
	Err         *CellError    // the error, unless the cell is tagged "raises-exception"
	Elapsed     time.Duration // how long it took, once it ended
}

// String returns the progress as one line of at most about 80 columns: "[3/17]
// model := nnkit.Sequential( …  0.21 s".
func (p Progress) String() string {
	width := len(fmt.Sprint(p.Cells))
	line := fmt.Sprintf("[%*d/%d] %-56s", width, p.Cell, p.Cells, Shorten(p.FirstLine, 56))
	if !p.Ended {
		return strings.TrimRight(line, " ")
	}
	line += fmt.Sprintf("  %7.2f s", p.Elapsed.Seconds())
	if p.Failed {
		line += "  failed"
	}
	return line
}

// Shorten cuts a text that is longer than n characters, and marks the cut.
func Shorten(s string, n int) string {
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
	return fmt.Sprintf("cell %d, In [%d], `%s`: %s", e.Cell, e.Count, Shorten(e.FirstLine, 60), text)
}

// Unwrap returns the error of the context, if it ended the cell.
func (e *CellError) Unwrap() error { return e.err }

// Execute executes the notebook's code cells from first to last and stores
// counts and outputs in it, and whose notebook it is. Earlier outputs of all
// cells are dropped first, so that none is taken for this execution's.
//
// The first cell that fails ends it with a [*CellError], unless the cell is
// tagged "raises-exception" or errors are allowed; the notebook then holds what
// there is so far and should be written all the same. Cells tagged
// "skip-execution" and blank cells are passed over. Output that comes when Execute
// has returned is lost.
func Execute(ctx context.Context, nb *Notebook, ex Executor, opts Options) error {
	if language := nb.language(); language != "" && !strings.EqualFold(language, "go") {
		return fmt.Errorf("the notebook is written for %s: to execute it as Go, "+
			`remove "kernelspec" and "language_info" from its metadata`, language)
	}
	nb.setKernel(opts.Language)

	chosen := func(number int) bool { return opts.Only == nil || opts.Only(number) }
	cells := nb.Executable()
	numbers := make(map[*Cell]int, len(cells))
	for n, i := range cells {
		numbers[nb.Cells[i]] = n + 1
	}
	for _, c := range nb.Cells {
		n, executable := numbers[c]
		if c.Type == Code && !c.Tagged("skip-execution") && (!executable || chosen(n)) {
			c.ExecutionCount = 0
			c.Outputs = nil
			delete(c.Metadata, "execution") // a former execution's times
		}
	}

	col := newCollector()
	defer col.close()
	for n, i := range cells {
		if !chosen(n + 1) {
			continue
		}
		c := nb.Cells[i]
		progress := Progress{Cell: n + 1, Cells: len(cells), ID: c.ID, FirstLine: c.FirstLine()}
		if opts.Progress != nil {
			opts.Progress(progress)
		}
		began := time.Now()
		reply := executePatiently(ctx, opts.Patience, c, n+1, ex, col.cell(c, n+1))
		ended := time.Now()
		if opts.Timing {
			c.setTimes(began, ended)
		}
		progress.Ended, progress.Failed, progress.Elapsed = true, reply.Status != "ok", ended.Sub(began)
		// A cell may raise what it likes; being cut short is not its doing.
		if progress.Failed && (reply.Status != "error" || ctx.Err() != nil || reply.ErrorName == tooSlow || !c.Tagged("raises-exception")) {
			progress.Err = &CellError{
				Cell: i + 1, Count: n + 1, FirstLine: c.FirstLine(),
				Name: reply.ErrorName, Value: reply.ErrorValue, Traceback: reply.Traceback,
				err: ctx.Err(),
			}
		}
		if opts.Progress != nil {
			opts.Progress(progress)
		}
		if progress.Err != nil && (!opts.AllowErrors || ctx.Err() != nil) {
			return progress.Err
		}
	}
	return nil
}

// Executable returns the indices of the cells that [Execute] executes: code that is
// not blank, unless it is tagged "skip-execution". The n-th of them is In [n].
func (nb *Notebook) Executable() []int {
	var cells []int
	for i, c := range nb.Cells {
		if c.Type == Code && !c.Tagged("skip-execution") && strings.TrimSpace(c.Source) != "" {
			cells = append(cells, i)
		}
	}
	return cells
}

// tooSlow is the name of the error of a cell for which there was no patience left.
const tooSlow = "Timeout"

// executePatiently executes a cell that may take only so long.
func executePatiently(ctx context.Context, patience time.Duration, c *Cell, count int, ex Executor, out *cellOutput) message.ExecuteReply {
	if patience == 0 {
		return executeCell(ctx, c, count, ex, out)
	}
	limited, stop := context.WithTimeout(ctx, patience)
	defer stop()
	return executeCell(limited, c, count, limitedExecutor{ex, ctx, patience}, out)
}

// A limitedExecutor says of a cell that was cut short that it took too long, where
// it is not the whole execution that ends.
type limitedExecutor struct {
	Executor
	whole    context.Context
	patience time.Duration
}

func (l limitedExecutor) Execute(ctx context.Context, count int, req *message.ExecuteRequest, out message.Output) message.ExecuteReply {
	reply := l.Executor.Execute(ctx, count, req, out)
	if reply.Status != "ok" && ctx.Err() != nil && l.whole.Err() == nil {
		reply.Status, reply.ErrorName = "error", tooSlow
		reply.ErrorValue = fmt.Sprintf("the cell took longer than %v and was interrupted", l.patience)
		reply.Traceback = append(reply.Traceback, tooSlow+": "+reply.ErrorValue)
	}
	return reply
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
