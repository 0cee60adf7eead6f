package display

import (
	"fmt"
	"io"
	"os"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// notebookScreen is one place below a cell: the first picture makes it, each later one takes it over.
type notebookScreen struct{ id string }

func newNotebookScreen() screen { return notebookScreen{"nnkit-live-" + gonbui.UniqueId()} }

func (notebookScreen) html() bool { return true }

func (notebookScreen) wants(moment) bool { return true }

func (n notebookScreen) show(page, text string, at moment) {
	gonbui.SendData(&protocol.DisplayData{
		Data:      map[protocol.MIMEType]any{protocol.MIMETextHTML: page, protocol.MIMETextPlain: text},
		DisplayID: n.id,
	})
	if at == runEnded {
		gonbui.Sync()
	}
}

// textScreen is a terminal, where one line is written over and over, or a file, where epochs leave lines.
type textScreen struct {
	w        io.Writer
	terminal bool
}

func newTextScreen() screen {
	info, err := os.Stdout.Stat()
	return textScreen{os.Stdout, err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (textScreen) html() bool { return false }

func (t textScreen) wants(at moment) bool { return t.terminal || at != batchEnded }

func (t textScreen) show(_, line string, at moment) {
	switch {
	case t.terminal && at == runEnded:
		fmt.Fprintf(t.w, "\r\x1b[K%s\n", line)
	case t.terminal:
		fmt.Fprintf(t.w, "\r\x1b[K%s", line)
	case t.wants(at):
		fmt.Fprintln(t.w, line)
	}
}
