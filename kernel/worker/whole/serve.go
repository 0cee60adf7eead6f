//go:build unix

package whole

import (
	"fmt"
	"os"
	"strconv"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
	"github.com/seed5607215b/nnkit/kernel/worker/alone"
	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
	"github.com/seed5607215b/nnkit/kernel/worker/live"
)

func init() {
	serve = func(nb *Notebook) {
		_ = os.Unsetenv(wire.ServeVariable) // other notebooks' programs, which cells start, serve nobody
		live.Files = nb.Files
		alone.Serve(func(r wire.Request, cell *running.Cell) wire.Outcome {
			n, err := strconv.Atoi(r.Entry)
			if err != nil || n < 0 || n >= len(nb.Cells) {
				return wire.Outcome{Status: wire.Failed, Name: "error", Value: fmt.Sprintf("the program of %s has no cell %q", nb.Name, r.Entry)}
			}
			return nb.Cells[n].run(cell.Show)
		})
	}
}
