package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/experiment"
	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

// errRunsFailed says that runs of a sweep failed; which, is printed.
var errRunsFailed = errors.New("runs failed")

// A sweep is the execution of a notebook for all combinations of some values, as flags
// say it.
type sweep struct {
	axes    []experiment.Axis
	jobs    int
	sort    string
	again   bool
	cluster cluster
}

func sweepFlags(flags *flag.FlagSet) *sweep {
	s := new(sweep)
	flags.Func("sweep", "execute the notebook for each of these values: `NAME=VALUE,VALUE…`; may be given again, for all combinations", func(text string) error {
		a, err := experiment.ParseAxis(text)
		s.axes = append(s.axes, a)
		return err
	})
	flags.Func("jobs", "how many runs of a sweep go on at the same time, a `NUMBER` (as many as there are processors; on a cluster, as it has room for)", func(text string) error {
		n, err := strconv.Atoi(text)
		if s.jobs = n; err != nil || n < 1 {
			return errors.New("it wants a number from 1 on")
		}
		return nil
	})
	flags.StringVar(&s.sort, "sort", "", "the `METRIC` that a sweep's page compares the runs by (val_loss, else loss)")
	flags.BoolVar(&s.again, "again", false, "execute all runs of a sweep, also those that went well before")
	s.cluster.define(flags)
	return s
}

// given returns a flag that is given and of no use without --sweep, "" if there is none.
func (s *sweep) given() string {
	switch {
	case s.jobs != 0:
		return "--jobs"
	case s.sort != "":
		return "--sort"
	case s.again:
		return "--again"
	}
	return s.cluster.given()
}

// run executes the notebook for all combinations, each in a process of its own, and
// writes a page that compares them. What went well before is kept.
func (s *sweep) run(name string, r *run) error {
	if r.page != "" || r.junit != "" {
		return &usageError{message: "--html and --junit are of one run: a sweep writes its pages into the folder that --output names"}
	}
	if err := s.cluster.check(); err != nil {
		return err
	}
	nb, err := notebook.ReadFile(name)
	if err != nil {
		return err
	}
	// What does not suit is told before anything runs.
	plan, err := experiment.NewPlan(nb, name, r.flags(), r.settings, experiment.Grid(s.axes))
	if err != nil {
		return &usageError{message: err.Error()}
	}
	dir := r.output
	if dir == "" {
		dir = strings.TrimSuffix(name, filepath.Ext(name)) + ".sweep"
	}
	earlier, err := s.settle(plan, nb, filepath.Dir(name), dir)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w := &sweeping{plan: plan, dir: dir, sort: s.sort}
	w.find(s.again)
	if len(w.todo) == 0 {
		w.tell("")
	} else if s.cluster.on == "" {
		err = w.here(ctx, s.jobs)
	} else {
		err = w.onSlurm(ctx, nb, name, earlier, s)
	}
	if err != nil && ctx.Err() != nil {
		return errInterrupted
	} else if err != nil {
		return err
	}
	if s.cluster.dryRun && w.over == 0 {
		return nil // there is nothing to compare yet
	}
	return w.compare(ctx, title(nb, name), s.sort)
}

// settle says in the plan what its results rest on. It returns the plan that lies in
// the sweep's folder, nil if there is none.
func (s *sweep) settle(plan *experiment.Plan, nb *notebook.Notebook, notebookDir, dir string) (earlier *experiment.Plan, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("a folder for the runs: %w", err)
	}
	if plan.Dir, err = filepath.Rel(absolute(dir), absolute(notebookDir)); err != nil {
		return nil, err
	}
	if earlier, err = experiment.ReadPlan(dir); err != nil {
		return nil, err
	}
	config, err := buildConfig(nb, absolute(notebookDir))
	if err != nil {
		return nil, err
	}
	fingerprint, err := session.Fingerprint(config)
	if err != nil {
		return nil, err
	}
	return earlier, plan.Settle(nb, notebookDir, fingerprint+" "+runtime.Version(), earlier)
}

// flags are the flags of a run that each run of a sweep gets, too.
func (r *run) flags() []string {
	args := []string{}
	for _, f := range []struct {
		given bool
		flag  string
	}{
		{r.alone, "--alone"},
		{r.allowErrors, "--allow-errors"},
		{r.trust, "--trust"},
		{r.timeout > 0, "--timeout=" + r.timeout.String()},
		{r.chosen != nil, "--cells=" + r.chosen.String()},
	} {
		if f.given {
			args = append(args, f.flag)
		}
	}
	return args
}

// sweeping is a sweep that is under way.
type sweeping struct {
	plan   *experiment.Plan
	dir    string // of the sweep
	sort   string
	trials []experiment.Trial // in the plan's order
	todo   []int              // indices of the runs that are to be executed

	mu       sync.Mutex // guards what follows, and standard output
	over     int        // runs, also those from before
	failures int
}

// find looks which runs went well before. With again none of them counts.
func (w *sweeping) find(again bool) {
	w.trials, w.todo, w.over = nil, nil, 0
	for i, r := range w.plan.Runs {
		t, over := w.plan.Trial(w.dir, r)
		w.trials = append(w.trials, t)
		if over && t.Failure == "" && !again {
			w.over++
		} else {
			w.todo = append(w.todo, i)
		}
	}
}

// tell tells what is to be done: how comes behind the number of runs.
func (w *sweeping) tell(how string) {
	if w.over == 0 {
		fmt.Printf("%d runs, %s, into %s\n", len(w.trials), how, w.dir)
		return
	}
	fmt.Printf("%d of %d runs are kept from before (--again executes them again)\n", w.over, len(w.trials))
	if n := len(w.todo); n > 0 {
		fmt.Printf("%d more, %s, into %s\n", n, how, w.dir)
	}
}

// ended notes what became of a run, and tells it.
func (w *sweeping) ended(i int, t experiment.Trial) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trials[i] = t
	w.over++
	if t.Failure != "" {
		w.failures++
	}
	fmt.Printf("[%*d/%d] %s\n", len(strconv.Itoa(len(w.trials))), w.over, len(w.trials), w.outcome(&t))
}

// forget has runs not be over.
func (w *sweeping) forget(runs []int) error {
	for _, i := range runs {
		if err := experiment.Forget(w.dir, w.plan.Runs[i]); err != nil {
			return err
		}
	}
	return nil
}

// here executes the runs on this machine, as many at a time as jobs says, or as there
// are processors.
func (w *sweeping) here(ctx context.Context, jobs int) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	jobs = min(len(w.todo), jobs)
	w.tell(fmt.Sprintf("%d at a time", jobs))
	if err := errors.Join(w.forget(w.todo), w.plan.Write(w.dir)); err != nil {
		return err
	}
	queue := make(chan int, len(w.todo))
	for _, i := range w.todo {
		queue <- i
	}
	close(queue)
	var wg sync.WaitGroup
	for range jobs {
		wg.Go(func() {
			for i := range queue {
				w.ended(i, w.execute(ctx, executable, i))
			}
		})
	}
	wg.Wait()
	return nil
}

// execute executes a run in a process of its own.
func (w *sweeping) execute(ctx context.Context, executable string, i int) experiment.Trial {
	r := w.plan.Runs[i]
	failed := func(why string) experiment.Trial {
		return experiment.Trial{Settings: r.Settings, Name: r.Name, Failure: why}
	}
	if ctx.Err() != nil {
		return failed("interrupted before it began")
	}
	cmd := exec.CommandContext(ctx, executable, "task", w.dir, strconv.Itoa(i+1))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	err := cmd.Run()
	t, over := w.plan.Trial(w.dir, r)
	if over {
		return t
	}
	// It could not say how it ended.
	t = failed("it left no result")
	if err != nil {
		t.Failure = err.Error()
	}
	if first, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(said.String()), "kernel: "), "\n"); first != "" {
		t.Failure = first
	}
	t.Elapsed = time.Since(began)
	return t
}

// compare writes the page that compares the runs. The error tells whether some failed.
func (w *sweeping) compare(ctx context.Context, title, sort string) error {
	page := filepath.Join(w.dir, "index.html")
	metric, err := experiment.WriteComparisonFile(page, title, w.trials, sort)
	if err != nil {
		return err
	}
	if best := w.trials[0]; metric != "" && best.Failure == "" {
		fmt.Printf("best %s: %s with %s\n", metric, experiment.Number(best.Value(metric)), &best)
	}
	fmt.Println("wrote", page)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case w.failures > 0:
		return fmt.Errorf("%d of %d %w", w.failures, len(w.trials), errRunsFailed)
	}
	return nil
}

// outcome tells in a line what became of a run.
func (w *sweeping) outcome(t *experiment.Trial) string {
	metric := w.sort
	if metric == "" {
		metric = experiment.DefaultMetric([]experiment.Trial{*t})
	}
	text := fmt.Sprintf("%-50s", t)
	switch {
	case t.Failure != "":
		return text + "  failed: " + t.Failure
	case metric != "" && !math.IsNaN(t.Value(metric)):
		text += fmt.Sprintf("  %s %s", metric, experiment.Number(t.Value(metric)))
	}
	return fmt.Sprintf("%s  %.1f s", text, t.Elapsed.Seconds())
}

// title is the notebook's first heading, or its file's name.
func title(nb *notebook.Notebook, name string) string {
	if heading := nb.Title(); heading != "" {
		return heading
	}
	return filepath.Base(name)
}
