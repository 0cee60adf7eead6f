//go:build !unix

package live

import "time"

// cpuTime is zero where the system does not tell: in a page.
func cpuTime() time.Duration { return 0 }
