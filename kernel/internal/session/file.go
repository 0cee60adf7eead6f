package session

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

var fileCommands = []command{
	{names: []string{"%%writefile"}, usage: "[-a] FILE", help: "write the cell to a file; -a appends", offers: offerFiles, run: (*call).writeFile},
	{names: []string{"%load"}, usage: "FILE", help: "write the text of a file into the cell, in the place of what is there", offers: offerFiles, run: (*call).load},
	{names: []string{"%capture"}, usage: "[-a] FILE", help: "write a copy of the cell's outputs to a file; -a appends", early: true, offers: offerFiles, run: (*call).capture},
}

// openFile opens the file that the arguments name.
func (c *call) openFile() (*os.File, error) {
	args, flags := c.args, os.O_TRUNC
	if len(args) == 2 && args[0] == "-a" {
		args, flags = args[1:], os.O_APPEND
	}
	if len(args) != 1 {
		return nil, errUsage
	}
	return os.OpenFile(c.settings.path(args[0]), os.O_CREATE|os.O_WRONLY|flags, 0o666)
}

func (c *call) writeFile() error {
	f, err := c.openFile()
	if err != nil {
		return err
	}
	_, err = f.WriteString(wholeLines(c.Body))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		c.print("wrote %s", f.Name())
	}
	return err
}

// load has the client write a file into the cell.
func (c *call) load() error {
	if len(c.args) != 1 {
		return errUsage
	}
	text, err := os.ReadFile(c.settings.path(c.args[0]))
	if err != nil {
		return err
	}
	if !utf8.Valid(text) {
		return fmt.Errorf("%s is no text: it is not UTF-8", c.settings.path(c.args[0]))
	}
	c.front.payload(message.NextInput("// %load "+c.Args+"\n"+string(text), true))
	return nil
}

func (c *call) capture() error {
	f, err := c.openFile()
	if err != nil {
		return err
	}
	out := &captured{Output: c.outlet.get(), file: f}
	c.outlet.set(out)
	c.ends = append(c.ends, func() error {
		c.outlet.set(out.Output)
		if err := out.close(); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		return nil
	})
	return nil
}

// captured is an Output that writes a copy of its texts to a file.
type captured struct {
	message.Output
	mu   sync.Mutex
	file *os.File // nil once it is closed
	err  error
}

// write copies a text. The first error counts.
func (c *captured) write(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil || c.err != nil {
		return
	}
	_, c.err = c.file.WriteString(text)
}

func (c *captured) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.file.Close(); c.err == nil {
		c.err = err
	}
	c.file = nil
	return c.err
}

// bundle copies the plainest of the forms that are text.
func (c *captured) bundle(data message.MIMEBundle) {
	for _, mime := range []string{"text/plain", "text/markdown", "text/html"} {
		if text, ok := data[mime].(string); ok {
			if !strings.HasSuffix(text, "\n") {
				text += "\n"
			}
			c.write(text)
			return
		}
	}
}

// Stream implements message.Output.
func (c *captured) Stream(name, text string) {
	c.write(text)
	c.Output.Stream(name, text)
}

// Display implements message.Output.
func (c *captured) Display(data message.DisplayData) {
	c.bundle(data.Data)
	c.Output.Display(data)
}

// Result implements message.Output.
func (c *captured) Result(data message.MIMEBundle, metadata map[string]any) {
	c.bundle(data)
	c.Output.Result(data, metadata)
}
