package whole

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// output is where the values go that cells end with.
type output struct {
	dir   string // for pictures
	cell  int
	shown int // pictures of the cell so far
}

// pictures are the forms that become files, the best first.
var pictures = []struct{ mime, extension string }{
	{"image/svg+xml", ".svg"}, {"image/png", ".png"}, {"image/jpeg", ".jpg"}, {"image/gif", ".gif"}, {"application/pdf", ".pdf"},
}

// show prints each value's text, or the name of the file that holds its picture. Of ranks the first one tells who has started it.
func (o *output) show(outputs []wire.Bundle) {
	if rank, ok := ranked(); ok {
		if rank == 0 {
			wire.Record{Shown: outputs}.Write(os.Stdout)
		}
		return
	}
	for _, b := range outputs {
		name, err := o.picture(b.Data)
		if err != nil {
			fmt.Fprintf(os.Stderr, "Cell [%d]: the picture is not kept: %v\n", o.cell, err)
		}
		if text, ok := b.Data["text/plain"].(string); ok && text != "" {
			fmt.Println(marks.ReplaceAllString(text, ""))
		}
		if name != "" {
			fmt.Println("wrote", name)
		}
	}
}

// end tells who has started the ranks how a cell has ended.
func (o *output) end(c *Cell, outcome wire.Outcome) {
	if rank, ok := ranked(); !ok || rank > 0 {
		return
	}
	r := wire.Record{Ended: c.Number}
	if outcome.Status != wire.OK {
		r.Failed = c.failure(outcome)
		r.Error = marks.ReplaceAllString(outcome.Value, "")
	}
	r.Write(os.Stdout)
}

// marks are those of generated names.
var marks = regexp.MustCompile(`ʹ+[0-9]*`)

// picture writes the best of a value's pictures to a file and returns its name.
func (o *output) picture(data map[string]any) (string, error) {
	for _, p := range pictures {
		text, ok := data[p.mime].(string)
		if !ok {
			continue
		}
		content := []byte(text)
		if p.extension != ".svg" {
			var err error
			if content, err = base64.StdEncoding.DecodeString(text); err != nil {
				return "", err
			}
		}
		o.shown++
		name := filepath.Join(o.dir, fmt.Sprintf("cell%d-%d%s", o.cell, o.shown, p.extension))
		return name, errors.Join(os.MkdirAll(o.dir, 0o777), os.WriteFile(name, content, 0o666))
	}
	return "", nil
}
