package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// result is what a case has measured. Its JSON is documented at the package.
type result struct {
	Case  string   `json:"case"`
	Ours  float64  `json:"ours_ms"`
	GoNB  *float64 `json:"gonb_ms"`
	Fifth float64  `json:"fifth_ms,omitempty"`
	Ratio float64  `json:"ratio"`
	Unit  string   `json:"unit"`
	What  string   `json:"what"`
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print a JSON object for each case instead of a table")
	only := flags.String("case", "", "the cases to measure, separated by commas (default all)")
	rounds := flags.Int("rounds", 0, "how often a case is measured (default: as often as it needs)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	selected, err := selectCases(*only)
	if err != nil {
		return err
	}
	if *rounds < 0 || flags.NArg() > 0 {
		return fmt.Errorf("want no arguments and a positive number of rounds, got %q and %d: see --help", flags.Args(), *rounds)
	}
	b, err := newBench(ctx, os.Stderr)
	if err != nil {
		return err
	}
	defer b.close()

	var results []result
	var failed []error
	for _, c := range selected {
		b.rounds = c.rounds
		if *rounds > 0 {
			b.rounds = *rounds
		}
		b.progress("%s: %s", c.name, c.what)
		r, err := c.measure(b, ctx)
		if err != nil {
			failed = append(failed, fmt.Errorf("case %s: %w", c.name, err))
			b.progress("%s failed: %v", c.name, err)
			continue
		}
		r.Case, r.What = c.name, c.what
		if *asJSON {
			if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
				return err
			}
		}
		results = append(results, r)
	}
	if !*asJSON {
		table(os.Stdout, results)
	}
	return errors.Join(failed...)
}

// selectCases returns the cases with the names in a list, each with those that have
// its name before a dash, or all.
func selectCases(list string) ([]benchCase, error) {
	if list == "" {
		return cases, nil
	}
	var selected []benchCase
	for name := range strings.SplitSeq(list, ",") {
		found := len(selected)
		for _, c := range cases {
			if c.name == name || strings.HasPrefix(c.name, name+"-") {
				selected = append(selected, c)
			}
		}
		if len(selected) == found {
			var names []string
			for _, c := range cases {
				names = append(names, c.name)
			}
			return nil, fmt.Errorf("there is no case %q: take some of %s", name, strings.Join(names, ", "))
		}
	}
	return selected, nil
}

func table(w io.Writer, results []result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "case\tours\tGoNB\tratio\tunit\t  what")
	for _, r := range results {
		other := "-"
		if r.GoNB != nil {
			other = fmt.Sprintf("%.1f", *r.GoNB)
		}
		digits := 1
		if r.Ours < 1 {
			digits = 3
		}
		fmt.Fprintf(t, "%s\t%.*f\t%s\t%.3f\t%s\t  %s\n", r.Case, digits, r.Ours, other, r.Ratio, r.Unit, r.What)
	}
	t.Flush()
}

// bench has the two kernels.
type bench struct {
	ours, gonb *kernel
	rounds     int
	progress   func(format string, args ...any)
	tmp        string

	long *longRun // what growth and memory share, nil until it was done
}

// newBench builds the kernels and makes them do what they do once.
func newBench(ctx context.Context, progress io.Writer) (_ *bench, err error) {
	b := &bench{progress: func(format string, args ...any) { fmt.Fprintf(progress, "# "+format+"\n", args...) }}
	sources, err := session.FindSources("", ".")
	if err != nil {
		return nil, err
	}
	if b.tmp, err = os.MkdirTemp("", "nnkit-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	b.progress("building this kernel")
	if b.ours, err = buildOurs(ctx, sources, filepath.Join(b.tmp, "ours")); err != nil {
		return nil, err
	}
	b.progress("building GoNB %s, with gopls %s and its goimports: some minutes when it is the first time", gonbVersion, goplsVersion)
	if b.gonb, err = buildGoNB(ctx, sources, filepath.Join(b.tmp, "gonb")); err != nil {
		return nil, err
	}
	for _, k := range []*kernel{b.ours, b.gonb} {
		b.progress("first cells of %s, which compile what is compiled once", k.name)
		if err := k.warm(ctx); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.tmp) }
