package program

import (
	"fmt"
	"runtime"
	"testing"
)

// TestMemoryOfCells commits hundreds of cells: what is kept of one does not depend on
// how many there are. Of those that declare something it is their trees, of others
// little more than their text.
func TestMemoryOfCells(t *testing.T) {
	for _, c := range []struct {
		name, source string
		most         int // bytes a cell
	}{
		{"new names", "v%d := %[1]d\nfunc f%[1]d() int { return v%[1]d }\nv%[1]d > 0", 12_000},
		{"one function redefined", "func f() int { return %d }", 2_000},
		{"statements", "for i := range %d {\n\tprintln(i)\n}\n%[1]d + 1", 2_000},
		{"refused", "var x int = \"%d\"", 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := New(Config{Importer: std, Find: find})
			n := 0
			run := func(cells int) {
				for range cells {
					n++
					if plan, err := p.Plan(fmt.Sprintf(c.source, n), n); err == nil {
						p.Commit(plan)
					}
				}
			}
			run(300)
			before := heap()
			const cells = 300
			run(cells)
			kept := (heap() - before) / cells
			t.Logf("%d bytes a cell", kept)
			if kept > c.most {
				t.Errorf("%d bytes are kept of a cell, want at most %d", kept, c.most)
			}
			runtime.KeepAlive(p)
		})
	}
}

func heap() int {
	for range 3 { // trees, then what waits for them to go
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
