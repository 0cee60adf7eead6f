package whole

import (
	"os"
	"syscall/js"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

// Page runs a cell as the program of a page, which ends with it: with status 1 where
// it has failed. The values that it ends with are shown by the page's script.
func Page(c Cell) {
	running.PrepareFlags()
	outcome := c.run(func(outputs []wire.Bundle) {
		for _, b := range outputs {
			for _, mime := range shown {
				if text, ok := b.Data[mime].(string); ok && text != "" {
					js.Global().Get("fs").Call("show", mime, marks.ReplaceAllString(text, ""))
					break
				}
			}
		}
	})
	if outcome.Status != wire.OK {
		os.Stderr.WriteString(c.failure(outcome))
		os.Exit(1)
	}
}

// shown are the forms that a page shows, the best first.
var shown = []string{"image/svg+xml", "image/png", "image/jpeg", "image/gif", "text/html", "text/plain"}
