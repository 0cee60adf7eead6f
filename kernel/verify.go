package main

import (
	"flag"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

var verifyTable = command{
	name: "verify", args: "NOTEBOOK", summary: "execute a notebook again and compare all outputs with those recorded in it",
	about: `
Executes a notebook in a fresh session, with the modules of its lock, and compares every output with what is recorded
in the notebook: texts, pictures and tables, bit for bit. The file stays as it is. In texts and in what can be read of
HTML and SVG, these are masked first, since they differ every time: durations and rates (1.2 s, 35ms, 900 rows/s), dates and times of day,
paths of temporary files and the folders of absolute paths, addresses (0xc000012345), numbers of goroutines, and ids that are unique (UUIDs, controls-1b22ffff). Pictures
of pixels are compared as they are. Not compared are the numbers of executions, what the go command tells of modules that
it gets, and the outputs of cells tagged nbval-ignore-output and of those with %lock.

What of the lock is missing or different is named; the outputs are compared all the same.
`,
	define: func(flags *flag.FlagSet) func([]string) error {
		r := &run{allowErrors: true}
		flags.StringVar(&r.junit, "junit", "", "write a report of the cells to this `FILE`, in JUnit's form")
		r.timeoutFlag(flags)
		aloneFlag(flags, &r.alone)
		return func(args []string) error {
			name, err := file(args, "notebook")
			if err != nil {
				return err
			}
			return verify(name, r)
		}
	},
}

// verify executes a notebook again and reports what it shows otherwise.
func verify(name string, r *run) error {
	recorded, err := notebook.ReadFile(name)
	if err != nil {
		return err
	}
	executed := false
	for _, i := range recorded.Executable() {
		executed = executed || recorded.Cells[i].ExecutionCount > 0 || recorded.Cells[i].Outputs != nil
	}
	if !executed {
		return fmt.Errorf("%s holds no outputs to compare with: save it executed, as \"kernel run %s --output %s\" does", name, name, name)
	}
	again, err := notebook.ReadFile(name)
	if err != nil {
		return err
	}
	checks, failed := execute(again, filepath.Dir(name), r)
	if checks == nil || len(checks) < len(recorded.Executable()) {
		return failed
	}
	same, masked, different := 0, 0, 0
	fmt.Println()
	for i, v := range notebook.Compare(recorded, again) {
		told := "same"
		switch {
		case v.Ignored:
			told = "not compared"
		case v.Differences != nil:
			different++
			told = "DIFFERENT"
			checks[i].Failure, checks[i].Detail = "the cell shows something else", strings.Join(v.Differences, "\n")
		case v.Masked:
			masked++
			told = "same, but for times and paths"
		default:
			same++
		}
		if v.Differences == nil {
			checks[i].Failure, checks[i].Detail = "", "" // an error that is recorded
		}
		fmt.Printf("In [%d] %-50s  %s\n", v.Number, notebook.Shorten(v.FirstLine, 50), told)
		for _, d := range v.Differences {
			fmt.Println("    " + strings.ReplaceAll(d, "\n", "\n    "))
		}
	}
	fmt.Printf("\n%d cells show the same to the bit, %d the same but for times and paths, %d something else\n", same, masked, different)
	if r.junit != "" {
		if err := notebook.WriteJUnitFile(r.junit, filepath.Base(name), checks); err != nil {
			return err
		}
		fmt.Println("wrote", r.junit)
	}
	switch {
	case different > 0:
		return errDiffers
	case failed == nil && r.problems != nil:
		return &lockError{r.problems}
	}
	return failed
}
