package live

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/seed5607215b/nnkit/kernel/worker/internal/running"
)

// Command has the session do the n-th command of the cell, and tells whether the
// cell ends with it.
func Command(n int) (stop bool) {
	c := running.Own()
	return c != nil && !c.Command(n)
}

// Redefine forgets flags of package flag that the cell is about to define: it may
// have run before, and the package takes a second definition for a mistake.
func Redefine(names ...string) {
	running.KeepFlags(func(f *flag.Flag) bool { return !slices.Contains(names, f.Name) })
}

// usage is what the process has used up to a moment.
type usage struct {
	wall           time.Time
	cpu            time.Duration
	bytes, objects uint64
}

func used() usage {
	u := usage{cpu: cpuTime()}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.bytes, u.objects = m.TotalAlloc, m.Mallocs
	u.wall = time.Now()
	return u
}

// Time begins to measure. The function that it returns ends that and prints the
// time by the clock, the processors' time and the allocations, of all goroutines.
func Time() (end func()) {
	begin := used()
	return func() {
		wall := time.Since(begin.wall)
		end := used()
		fmt.Printf("wall %s, CPU %s, %s in %d allocations\n",
			rounded(wall), rounded(end.cpu-begin.cpu), byteCount(end.bytes-begin.bytes), end.objects-begin.objects)
	}
}

// rounded cuts a duration to three digits or so.
func rounded(d time.Duration) time.Duration {
	unit := time.Nanosecond
	for d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit)
}

func byteCount(n uint64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	size, i := float64(n), 0
	for size >= 1000 && i < len(units)-1 {
		size, i = size/1000, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %s", size, units[i])
}
