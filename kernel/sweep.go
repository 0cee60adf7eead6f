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
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/experiment"
	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

// errRunsFailed says that runs of a sweep failed; which, is printed.
var errRunsFailed = errors.New("runs failed")

// runLogVariable names the file in which the trainings of a process are logged.
const runLogVariable = "NNKIT_RUN_LOG"

// A sweep is the execution of a notebook for all combinations of some values.
type sweep struct {
	axes []experiment.Axis
	jobs int
	sort string
}

func sweepFlags(flags *flag.FlagSet) *sweep {
	s := new(sweep)
	flags.Func("sweep", "execute the notebook for each of these values: `NAME=VALUE,VALUE…`; may be given again, for all combinations", func(text string) error {
		a, err := experiment.ParseAxis(text)
		s.axes = append(s.axes, a)
		return err
	})
	flags.Func("jobs", "how many runs of a sweep go on at the same time, a `NUMBER` (as many as there are processors)", func(text string) error {
		n, err := strconv.Atoi(text)
		if s.jobs = n; err != nil || n < 1 {
			return errors.New("it wants a number from 1 on")
		}
		return nil
	})
	flags.StringVar(&s.sort, "sort", "", "the `METRIC` that a sweep's page compares the runs by (val_loss, else loss)")
	return s
}

// given tells whether a flag is given that is of no use without --sweep.
func (s *sweep) given() bool { return s.jobs != 0 || s.sort != "" }

// run executes the notebook for all combinations, each in a process of its own, and
// writes a page that compares them.
func (s *sweep) run(name string, r *run) error {
	if r.page != "" || r.junit != "" {
		return &usageError{message: "--html and --junit are of one run: a sweep writes its pages into the folder that --output names"}
	}
	nb, err := notebook.ReadFile(name)
	if err != nil {
		return err
	}
	grid := experiment.Grid(s.axes)
	trials := make([]experiment.Trial, len(grid))
	digits := len(strconv.Itoa(len(grid)))
	for i, point := range grid {
		// What does not suit is told before anything runs.
		if err := experiment.Override(nb, append(slices.Clone(r.settings), point...)); err != nil {
			return &usageError{message: err.Error()}
		}
		trials[i] = experiment.Trial{Settings: point, Name: fileName(fmt.Sprintf("%0*d", digits, i+1), point)}
	}
	dir := r.output
	if dir == "" {
		dir = strings.TrimSuffix(name, filepath.Ext(name)) + ".sweep"
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("a folder for the runs: %w", err)
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	jobs := min(len(trials), s.jobs)
	if jobs == 0 {
		jobs = min(len(trials), runtime.GOMAXPROCS(0))
	}
	fmt.Printf("%d runs, %d at a time, into %s\n", len(trials), jobs, dir)
	queue := make(chan *experiment.Trial, len(trials))
	for i := range trials {
		queue <- &trials[i]
	}
	close(queue)
	var wg sync.WaitGroup
	var mu sync.Mutex // guards what follows, and standard output
	ended, failures := 0, 0
	for range jobs {
		wg.Go(func() {
			for t := range queue {
				s.execute(ctx, t, executable, name, dir, r)
				mu.Lock()
				ended++
				if t.Failure != "" {
					failures++
				}
				fmt.Printf("[%*d/%d] %s\n", digits, ended, len(trials), s.outcome(t))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	page := filepath.Join(dir, "index.html")
	metric, err := experiment.WriteComparisonFile(page, title(nb, name), trials, s.sort)
	if err != nil {
		return err
	}
	if best := trials[0]; metric != "" && best.Failure == "" {
		fmt.Printf("best %s: %s with %s\n", metric, experiment.Number(best.Value(metric)), &best)
	}
	fmt.Println("wrote", page)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case failures > 0:
		return fmt.Errorf("%d of %d %w", failures, len(trials), errRunsFailed)
	}
	return nil
}

// execute executes the notebook once, in a process of its own.
func (s *sweep) execute(ctx context.Context, t *experiment.Trial, executable, name, dir string, r *run) {
	if ctx.Err() != nil {
		t.Failure = "interrupted before it began"
		return
	}
	file := func(ending string) string { return filepath.Join(dir, t.Name+ending) }
	args := []string{"run", name, "--output", file(".ipynb"), "--html", file(".html")}
	for _, p := range append(slices.Clone(r.settings), t.Settings...) {
		args = append(args, "-p", p.String())
	}
	for _, f := range []struct {
		given bool
		args  []string
	}{
		{r.alone, []string{"--alone"}},
		{r.allowErrors, []string{"--allow-errors"}},
		{r.trust, []string{"--trust"}},
		{r.timeout > 0, []string{"--timeout", r.timeout.String()}},
		{r.chosen != nil, []string{"--cells", r.chosen.String()}},
	} {
		if f.given {
			args = append(args, f.args...)
		}
	}
	log := absolute(file(".jsonl"))
	if err := os.Remove(log); err != nil && !os.IsNotExist(err) { // of an earlier sweep
		t.Failure = err.Error()
		return
	}
	cmd := exec.CommandContext(ctx, executable, args...)
	cmd.Env = append(os.Environ(), runLogVariable+"="+log)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var printed, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &complaints
	began := time.Now()
	err := cmd.Run()
	t.Elapsed = time.Since(began)
	if err != nil {
		t.Failure = err.Error()
		if said := strings.TrimPrefix(strings.TrimSpace(complaints.String()), "kernel: "); said != "" {
			t.Failure, _, _ = strings.Cut(said, "\n")
		}
	}
	if err := os.WriteFile(file(".log"), append(printed.Bytes(), complaints.Bytes()...), 0o666); err != nil && t.Failure == "" {
		t.Failure = err.Error()
	}
	if t.Trainings, err = experiment.ReadRunLog(log); err != nil && t.Failure == "" {
		t.Failure = err.Error()
	}
}

// outcome tells in a line what became of a run.
func (s *sweep) outcome(t *experiment.Trial) string {
	metric := s.sort
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

var unfit = regexp.MustCompile(`[^A-Za-z0-9._=+-]+`)

// fileName makes of a run's number and its settings the name of its files.
func fileName(number string, point []experiment.Setting) string {
	parts := []string{number}
	for _, p := range point {
		parts = append(parts, p.String())
	}
	name := strings.Trim(unfit.ReplaceAllString(strings.Join(parts, "-"), "_"), "_")
	const most = 100
	return name[:min(len(name), most)]
}
