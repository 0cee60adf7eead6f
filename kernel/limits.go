package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"github.com/seed5607215b/nnkit/kernel/internal/cgroup"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

// obeyQuota has this process, and all that it starts, use no more processors than their
// control group has the time of. The Go runtime does so by itself, by the innermost
// group; where one above allows less, it is told, unless the user has told it.
func obeyQuota(cpu cgroup.CPU) {
	procs := runtime.GOMAXPROCS(0)
	if n := cpu.Processors(procs); n < procs && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(n)
		_ = os.Setenv("GOMAXPROCS", strconv.Itoa(n)) // the name is a good one
	}
}

func limitsCommand(*flag.FlagSet) func([]string) error {
	return func([]string) error {
		text, err := session.Limits()
		if err == nil {
			fmt.Println(text)
		}
		return err
	}
}
