package running

import (
	"flag"
	"fmt"
	"os"
)

// PrepareFlags makes a wrong flag end the cell that parses it, not the process.
func PrepareFlags() {
	flag.CommandLine.Init(os.Args[0], flag.PanicOnError)
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "flags:")
		flag.PrintDefaults()
	}
}

// KeepFlags makes the set of flags of package flag anew, of those that keep wants.
// None of them has been parsed then.
func KeepFlags(keep func(*flag.Flag) bool) {
	set := flag.CommandLine
	fresh := flag.NewFlagSet(set.Name(), set.ErrorHandling())
	fresh.Usage = set.Usage
	set.VisitAll(func(f *flag.Flag) {
		if keep(f) {
			fresh.Var(f.Value, f.Name, f.Usage)
			fresh.Lookup(f.Name).DefValue = f.DefValue
		}
	})
	*set = *fresh
}
