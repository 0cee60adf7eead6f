package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/experiment"
	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

var runTable = command{
	name: "run", args: "NOTEBOOK", summary: "execute a notebook; write it, executed, and a web page of it",
	about: `
Executes a notebook in a fresh session, cell by cell, and writes the executed notebook and a page that shows it. The
first cell that fails ends it; what there is so far is written all the same. Cells tagged skip-execution are passed
over, those tagged raises-exception may fail. The modules of a locked notebook are those of its lock.

With -p a parameter gets another value: a variable or constant that the cell tagged "parameters" declares. Values are
Go (0.01, true, []int{10, 8}); a text needs no quotes. The executed notebook shows them in a cell of its own.

With --sweep the notebook is executed for each value, and with several for all combinations; as many at a time as
--jobs says, each in a process of its own. A folder gets each executed notebook, what it printed, the log of its
trainings, and a page that compares them. A run that fails is shown as failed, and the others go on. Started again,
the command executes the runs that failed or are missing.

With --on slurm the runs are tasks of a job array on a cluster, whose nodes need the notebook's folder and nothing
else: no Go, no compiler, no internet. The command waits for them; it can be interrupted and started again.

With --ranks a program is made of the notebook, and runs as so many processes under mpirun, on this machine or on the hosts
of a --hostfile. Each has all data and computes a part of every batch; the result is the same, to the last bit, for any number
of them. What the first one shows is written.
`,
	define: func(flags *flag.FlagSet) func([]string) error {
		r := new(run)
		r.define(flags)
		sweep := sweepFlags(flags)
		return func(args []string) error {
			name, err := file(args, "notebook")
			if err != nil {
				return err
			}
			if r.ranks.hostfile != "" && r.ranks.size == 0 {
				return &usageError{message: "--hostfile is for --ranks, which is not given"}
			}
			if sweep.axes != nil && r.ranks.size > 0 {
				return &usageError{message: "--sweep and --ranks are both given: choose one"}
			}
			if sweep.axes != nil {
				return sweep.run(name, r)
			}
			if flag := sweep.given(); flag != "" {
				return &usageError{message: flag + " is for --sweep, which is not given"}
			}
			return r.run(name)
		}
	},
}

// errInterrupted is the end of a command by the person who started it.
var errInterrupted = errors.New("interrupted")

// A run is how a notebook is executed, as flags say it.
type run struct {
	alone, allowErrors, trust bool
	output, page, junit       string
	settings                  []experiment.Setting
	chosen                    ranges
	timeout                   time.Duration
	ranks                     ranks
	problems                  []string       // with the notebook's lock, once it is executed
	built                     *session.Built // what runs the cells, if they are not to be compiled
}

func (r *run) define(flags *flag.FlagSet) {
	flags.Func("p", "give a parameter another value: `NAME=VALUE`, as in rate=0.01; may be given again", func(text string) error {
		s, err := experiment.ParseSetting(text)
		r.settings = append(r.settings, s)
		return err
	})
	flags.StringVar(&r.output, "output", "", "where the executed notebook goes, a `FILE` (NOTEBOOK.executed.ipynb); with --sweep a folder (NOTEBOOK.sweep)")
	flags.StringVar(&r.page, "html", "", "where the web page goes, a `FILE` (NOTEBOOK.html)")
	flags.StringVar(&r.junit, "junit", "", "write a report of the cells to this `FILE`, in JUnit's form")
	r.timeoutFlag(flags)
	flags.BoolVar(&r.allowErrors, "allow-errors", false, "go on behind a cell that fails; the exit status is 0 then")
	flags.Var(&r.chosen, "cells", "execute these cells only, a `LIST` as 1-5,7: those with code, as In [n] counts them; the others keep their outputs")
	flags.BoolVar(&r.trust, "trust", false, "let scripts that outputs bring along run in the page's readers' browsers")
	aloneFlag(flags, &r.alone)
	r.ranks.define(flags)
}

func (r *run) timeoutFlag(flags *flag.FlagSet) {
	flags.Func("timeout", "interrupt a cell that takes longer than this `TIME`, as 90s or 5m: it has failed", func(text string) error {
		d, err := time.ParseDuration(text)
		if r.timeout = d; err != nil || d <= 0 {
			return errors.New("it wants a time above 0 with its unit, as 90s or 5m")
		}
		return nil
	})
}

// run executes a notebook, and writes it and a page of it.
func (r *run) run(name string) error {
	nb, err := notebook.ReadFile(name)
	if err != nil {
		return err
	}
	if err := experiment.Override(nb, r.settings); err != nil {
		return &usageError{message: err.Error()}
	}
	base := strings.TrimSuffix(name, filepath.Ext(name))
	if r.output == "" {
		r.output = base + ".executed.ipynb"
	}
	if r.page == "" {
		r.page = base + ".html"
	}
	return r.execute(nb, name, filepath.Dir(name))
}

// execute executes a notebook that was read from the file of that name and belongs
// into a folder. It writes it and a page of it.
func (r *run) execute(nb *notebook.Notebook, name, dir string) error {
	if n := len(nb.Executable()); r.chosen.last() > n {
		return &usageError{message: fmt.Sprintf("--cells %s: the notebook has %d cells with code", r.chosen.String(), n)}
	}
	checks, failed := execute(nb, dir, r)
	if checks == nil && failed != nil && !errors.Is(failed, errInterrupted) {
		return failed
	}
	// What was computed is kept, also when a cell failed.
	written := []string{r.output, r.page}
	err := errors.Join(writeNotebook(nb, r.output),
		nb.WriteHTMLFile(r.page, notebook.HTMLOptions{Files: inFolder(dir), Trust: r.trust}))
	if r.junit != "" {
		written = append(written, r.junit)
		err = errors.Join(err, notebook.WriteJUnitFile(r.junit, filepath.Base(name), checks))
	}
	if err != nil {
		return errors.Join(err, failed)
	}
	for _, file := range written {
		fmt.Println("wrote", file)
	}
	return failed
}

// writeNotebook writes a notebook in the form that the file's name asks for.
func writeNotebook(nb *notebook.Notebook, name string) error {
	if notebook.IsPercentFile(name) {
		return nb.WritePercentFile(name)
	}
	return nb.WriteFile(name)
}

// execute executes a notebook that lies in a folder, in a session with the modules of
// its lock, and tells how far it is. It returns what became of the cells.
func execute(nb *notebook.Notebook, dir string, r *run) ([]notebook.Check, error) {
	config := session.Config{Dir: dir, Alone: r.alone, Built: r.built, Progress: tellProgress}
	lock, err := pinned(&config, nb)
	if err != nil {
		return nil, err
	}
	if r.built != nil {
		lock = nil // its modules are in the program
	}
	config.Lock = func(r session.Requirements, data []string) (string, error) {
		made, err := newLock(nb, dir, r, data)
		if err == nil {
			err = made.Store(nb)
		}
		return "locked: " + made.String(), err
	}
	s, err := newSession(config)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	// A cluster's scheduler ends what has had its time by SIGTERM, and by more a little later.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if lock != nil {
		have, err := s.Requirements(ctx)
		if err != nil {
			return nil, err
		}
		if r.problems, err = lockProblems(lock, nb, dir, *have); err != nil {
			return nil, err
		}
		for _, p := range r.problems {
			fmt.Println("lock:", p)
		}
	}
	language, err := asMap(s.Info().LanguageInfo)
	if err != nil {
		return nil, err
	}
	terminal := false
	if info, err := os.Stdout.Stat(); err == nil {
		terminal = info.Mode()&os.ModeCharDevice != 0
	}
	checks := []notebook.Check{}
	options := notebook.Options{Language: language, Patience: r.timeout, AllowErrors: r.allowErrors, Progress: func(p notebook.Progress) {
		switch {
		case p.Ended:
			checks = append(checks, notebook.CheckOf(p))
			fmt.Println(p)
		case terminal:
			fmt.Print(p, "\r") // overwritten when it has ended
		}
	}}
	if r.chosen != nil {
		options.Only = r.chosen.contain
	}
	if r.ranks.size == 0 {
		err = notebook.Execute(ctx, nb, s, options)
	} else if err = r.ranks.execute(ctx, nb, r, config, options); err != nil && len(checks) == 0 {
		return nil, err
	}
	if ctx.Err() != nil {
		err = errors.Join(errInterrupted, err)
	}
	return checks, err
}

func asMap(v any) (map[string]any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	return m, json.Unmarshal(data, &m)
}

// ranges are numbers, written as 1-5,7.
type ranges [][2]int

func (r *ranges) String() string {
	var parts []string
	for _, span := range *r {
		if span[0] == span[1] {
			parts = append(parts, strconv.Itoa(span[0]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", span[0], span[1]))
		}
	}
	return strings.Join(parts, ",")
}

// Set implements flag.Value.
func (r *ranges) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isSpan := strings.Cut(strings.TrimSpace(part), "-")
		if !isSpan {
			last = first
		}
		from, errFrom := strconv.Atoi(first)
		to, errTo := strconv.Atoi(last)
		if errFrom != nil || errTo != nil || from < 1 || to < from {
			return fmt.Errorf("%q is no number from 1 on and no span of them: write it as 1-5,7", part)
		}
		*r = append(*r, [2]int{from, to})
	}
	return nil
}

func (r ranges) contain(n int) bool {
	for _, span := range r {
		if span[0] <= n && n <= span[1] {
			return true
		}
	}
	return false
}

func (r ranges) last() int {
	last := 0
	for _, span := range r {
		last = max(last, span[1])
	}
	return last
}
