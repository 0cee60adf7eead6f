package main

import (
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/experiment"
	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
	"github.com/seed5607215b/nnkit/kernel/internal/slurm"
)

// A cluster is how a sweep goes to one, as flags say it.
//
// Its nodes may have no Go and no compiler. So the notebook is built here, as a program
// that runs its cells for a session, and a copy of the kernel's program runs them there:
// what a run shows and writes is made by the same code as here.
type cluster struct {
	on      string // "" for this machine
	options []string
	dryRun  bool
}

func (c *cluster) define(flags *flag.FlagSet) {
	flags.Func("on", "where a sweep's runs are executed: `slurm`, as tasks of a job array of a cluster's scheduler (this machine)", func(text string) error {
		if c.on = text; text != "slurm" {
			return errors.New("it knows slurm alone")
		}
		return nil
	})
	flags.Func("sbatch", "`OPTIONS` for Slurm's sbatch, as \"--partition=x --time=1:00:00 --mem=4G\"; may be given again", func(text string) error {
		options, err := slurm.ParseOptions(text)
		c.options = append(c.options, options...)
		return err
	})
	flags.BoolVar(&c.dryRun, "dry-run", false, "with --on slurm: write the script and what it runs, and submit nothing; Slurm need not be here")
}

// given returns a flag that is given, "" if there is none.
func (c *cluster) given() string {
	switch {
	case c.on != "":
		return "--on"
	case c.options != nil:
		return "--sbatch"
	case c.dryRun:
		return "--dry-run"
	}
	return ""
}

func (c *cluster) check() error {
	if flag := c.given(); c.on == "" && flag != "" {
		return &usageError{message: flag + " is for --on slurm, which is not given"}
	}
	return nil
}

// slurmFolder is the folder within a sweep's for what goes to Slurm, and comes from it.
const slurmFolder = "slurm"

// onSlurm has Slurm execute the runs, and waits until they are over. Those that an
// earlier call has submitted and that are not over yet are waited for as well.
func (w *sweeping) onSlurm(ctx context.Context, nb *notebook.Notebook, name string, earlier *experiment.Plan, s *sweep) error {
	j := &jobs{sweeping: w, name: jobName(w.plan), dir: filepath.Dir(name), seen: map[int]slurm.Task{}, missed: map[int]time.Time{}}
	missing := slurm.Available()
	if missing == nil {
		missing = j.ask(ctx)
	}
	switch {
	case missing == nil:
		if err := j.refuseOther(ctx, earlier); err != nil {
			return err
		}
		w.find(s.again) // what has ended since, and is not among the tasks any more
	case !s.cluster.dryRun:
		return fmt.Errorf("--on slurm: %w: start the command where jobs are submitted, on a login node of the cluster; or write the script alone, with --dry-run, and carry the folder there", missing)
	}
	submit := slices.DeleteFunc(slices.Clone(w.todo), func(i int) bool { return j.active(i) })
	how := "as tasks of Slurm"
	if s.jobs > 0 {
		how = fmt.Sprintf("%d at a time on Slurm", s.jobs)
	}
	w.tell(how)
	if n := len(w.todo) - len(submit); n > 0 {
		fmt.Printf("%d of them are under way: %s\n", n, j.counts())
	}
	switch {
	case len(submit) > 0:
		if missing == nil {
			if err := slurm.CheckNumber(ctx, submit[len(submit)-1]+1); err != nil {
				return err
			}
		}
		script, err := j.prepare(ctx, nb, name, earlier, submit, s)
		if err != nil {
			return err
		}
		if s.cluster.dryRun {
			fmt.Printf("wrote %s\nto be submitted from the folder %s: sbatch %s\n", filepath.Join(j.dir, script), absolute(j.dir), script)
			w.unexecuted()
			return nil
		}
		job, err := slurm.Submit(ctx, j.dir, script)
		if err != nil {
			return fmt.Errorf("%w\nthe script is %s", err, filepath.Join(j.dir, script))
		}
		fmt.Printf("job %d: submitted the runs %s by %s\n", job, slurm.Numbers(numbers(submit)), filepath.Join(j.dir, script))
	case s.cluster.dryRun:
		w.unexecuted()
		return nil
	}
	return j.wait(ctx)
}

// numbers are the numbers of runs, from 1 on.
func numbers(indices []int) []int {
	list := make([]int, len(indices))
	for k, i := range indices {
		list[k] = i + 1
	}
	return list
}

// jobName is what the jobs of a plan are called, by which they are found again.
func jobName(plan *experiment.Plan) string {
	base := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, strings.TrimSuffix(plan.Name, filepath.Ext(plan.Name)))
	return base[:min(len(base), 24)] + "-" + plan.ID()
}

// prepare writes what Slurm's tasks need: the plan, the programs and the kernel's. It
// returns the name of the script as seen from the notebook's folder.
func (j *jobs) prepare(ctx context.Context, nb *notebook.Notebook, name string, earlier *experiment.Plan, submit []int, s *sweep) (script string, err error) {
	folder := filepath.Join(j.sweeping.dir, slurmFolder)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return "", err
	}
	same := earlier != nil && earlier.ID() == j.plan.ID() // the programs are there, and tasks may be running by them
	built := map[int]bool{}
	for _, r := range j.plan.Runs {
		if built[r.Program] {
			continue
		}
		built[r.Program] = true
		if _, err := os.Stat(builtFile(programFile(j.sweeping.dir, r.Program))); err == nil && same {
			continue
		}
		if err := j.build(ctx, nb, name, r.Program); err != nil {
			return "", err
		}
	}
	kernel := filepath.Join(folder, "kernel")
	if err := copyExecutable(kernel); err != nil {
		return "", err
	}
	if !s.cluster.dryRun || s.again { // else what there is stands until there is something else
		if err := j.forget(submit); err != nil {
			return "", err
		}
	}
	if err := j.plan.Write(j.sweeping.dir); err != nil {
		return "", err
	}
	seen := func(name string) string { // from the notebook's folder
		if rel, err := filepath.Rel(absolute(j.dir), absolute(name)); err == nil {
			return rel
		}
		return absolute(name)
	}
	script = seen(filepath.Join(folder, "array.sh"))
	text := slurm.Script{
		Name: j.name, Tasks: numbers(submit), Most: s.jobs, Options: s.cluster.options,
		Output:  strings.ReplaceAll(seen(folder), "%", "%%") + "/%A_%a.out",
		Command: []string{seen(kernel), "task", "--built", seen(j.sweeping.dir)},
		Comment: []string{fmt.Sprintf("A sweep of %s, a task for each run:", j.plan.Name)},
	}
	if !filepath.IsAbs(text.Command[0]) {
		text.Command[0] = "./" + text.Command[0]
	}
	for i, t := range j.trials {
		text.Comment = append(text.Comment, fmt.Sprintf("%5d  %s", i+1, &t))
	}
	text.Comment = append(text.Comment, "",
		"It is submitted from the folder of the notebook: sbatch "+script,
		"One run alone: sbatch --array=1 "+script, "")
	return script, os.WriteFile(filepath.Join(folder, "array.sh"), []byte(text.String()), 0o777)
}

// build builds one of the plan's programs.
func (j *jobs) build(ctx context.Context, nb *notebook.Notebook, name string, program int) error {
	w, err := newWhole(nb, filepath.Dir(name))
	if err != nil {
		return err
	}
	defer w.Close()
	var own []experiment.Run // those that the program executes
	var sources []string     // of the cells that give it settings
	for _, r := range j.plan.Runs {
		if r.Program == program {
			own, sources = append(own, r), append(sources, r.Source)
		}
	}
	with, err := j.plan.NotebookOf(own[0])
	if err != nil {
		return err
	}
	for i, index := range with.Executable() {
		c := with.Cells[index]
		given := []string{c.Source}
		if c.Source == sources[0] && c.Tagged(experiment.InjectedTag) {
			given = slices.Compact(slices.Sorted(slices.Values(sources)))
		}
		for _, source := range given {
			if err := addCell(ctx, w, name, i+1, source, false); err != nil {
				return err
			}
		}
	}
	file := programFile(j.sweeping.dir, program)
	fresh := file + ".new" // a task may be running by the old one
	built, static, err := w.BuildServing(ctx, j.plan.Name, fresh)
	if err != nil {
		return err
	}
	data, err := json.Marshal(built)
	if err != nil {
		return err
	}
	if !static {
		fmt.Println("        the notebook uses C: its program needs the C libraries of this machine on the nodes")
	}
	return errors.Join(os.Rename(fresh, file), os.WriteFile(builtFile(file), data, 0o666))
}

// copyExecutable copies the kernel's own program.
func copyExecutable(to string) error {
	from, err := os.Executable()
	if err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if there, err := os.Stat(to); err == nil {
		if info, err := in.Stat(); err == nil && os.SameFile(info, there) {
			return nil // it is the copy that runs
		}
	}
	if f, err := elf.NewFile(in); err == nil && f.Section(".interp") != nil {
		fmt.Println("        this kernel needs the C library of this machine on the nodes; one that was installed (go run ./install) needs none")
	}
	fresh := to + ".new"
	out, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o777)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.NewSectionReader(in, 0, 1<<62))
	return errors.Join(err, out.Close(), os.Rename(fresh, to))
}

// jobs are the tasks of a sweep on Slurm.
type jobs struct {
	*sweeping
	name   string             // of the jobs
	dir    string             // the notebook's, in which they run
	seen   map[int]slurm.Task // by the number of the run; those that are over may be missing
	missed map[int]time.Time  // when a run was first seen to be over without a result
	said   string             // of the tasks that wait
}

// ask asks Slurm for the tasks.
func (j *jobs) ask(ctx context.Context) error {
	tasks, err := slurm.Tasks(ctx, j.name)
	if err != nil {
		return err
	}
	clear(j.seen)
	for _, t := range tasks {
		// Of a run that was submitted again, what goes on, or the last one.
		if old, has := j.seen[t.Number]; !has || old.Over() && (!t.Over() || t.Job > old.Job) {
			j.seen[t.Number] = t
		}
	}
	return nil
}

// active tells whether Slurm is to execute a run, or executes it.
func (j *jobs) active(i int) bool {
	t, has := j.seen[i+1]
	return has && !t.Over()
}

// refuseOther fails where tasks of an earlier plan are under way in the folder.
func (j *jobs) refuseOther(ctx context.Context, earlier *experiment.Plan) error {
	if earlier == nil || earlier.ID() == j.plan.ID() {
		return nil
	}
	tasks, err := slurm.Tasks(ctx, jobName(earlier))
	if err != nil {
		return err
	}
	other := &jobs{seen: map[int]slurm.Task{}}
	for _, t := range tasks {
		if !t.Over() {
			other.seen[t.Number] = t
		}
	}
	if len(other.seen) == 0 {
		return nil
	}
	return fmt.Errorf("the notebook, its data or the sweep has changed since runs were submitted that are under way (%s): wait for them, end them by scancel %s, or choose another folder by --output",
		other.counts(), other.numbers())
}

// counts tells how many tasks run and wait, and why.
func (j *jobs) counts() string {
	running, waiting, reasons := 0, 0, []string(nil)
	for _, t := range j.seen {
		switch {
		case t.Over():
		case !t.Waiting():
			running++
		default:
			waiting++
			if t.Reason != "" && !slices.Contains(reasons, t.Reason) {
				reasons = append(reasons, t.Reason)
			}
		}
	}
	text := fmt.Sprintf("%d running", running)
	if waiting > 0 {
		text += fmt.Sprintf(", %d waiting", waiting)
	}
	if len(reasons) > 0 {
		slices.Sort(reasons)
		text += " (" + strings.Join(reasons, ", ") + ")"
	}
	return text
}

// numbers are the numbers of the jobs that are not over, for scancel.
func (j *jobs) numbers() string {
	var list []int
	for _, t := range j.seen {
		if !t.Over() && !slices.Contains(list, t.Job) {
			list = append(list, t.Job)
		}
	}
	slices.Sort(list)
	return strings.Trim(fmt.Sprint(list), "[]")
}

// How often a cluster's scheduler is asked: soon at first, and seldom when nothing
// changes. Files that another machine has written may be seen late.
const (
	soonest    = time.Second
	latest     = 30 * time.Second
	seenWithin = 30 * time.Second
)

// wait waits until all runs are over, and tells what changes. The end of the context
// leaves them to Slurm.
func (j *jobs) wait(ctx context.Context) error {
	pause, complained := soonest, false
	left := slices.Clone(j.todo)
	for {
		switch err := j.ask(ctx); {
		case ctx.Err() != nil:
			return j.left()
		case err != nil && !complained:
			fmt.Printf("%v; it is asked again\n", err)
			complained = true
		case err == nil:
			complained = false
		}
		_, _ = os.ReadDir(j.sweeping.dir) // has a network's file system look for new files
		before := len(left)
		left = slices.DeleteFunc(left, func(i int) bool {
			t, over := j.look(i, !complained)
			if over {
				j.ended(i, t)
			}
			return over
		})
		if len(left) == 0 {
			return nil
		}
		told := j.tellWaiting()
		if pause = min(pause*5/4, latest); len(left) < before || told || len(j.missed) > 0 {
			pause = soonest
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return j.left()
		}
	}
}

// look looks whether a run is over: by what it has left, or as Slurm says, which was
// just asked.
func (j *jobs) look(i int, asked bool) (t experiment.Trial, over bool) {
	t, over = j.plan.Trial(j.sweeping.dir, j.plan.Runs[i])
	// One that was told to end may be put back into the queue.
	told := over && t.Failure == errInterrupted.Error()
	if over && !told || !asked || j.active(i) {
		delete(j.missed, i)
		return t, over && !told
	}
	task, known := j.seen[i+1]
	first, again := j.missed[i]
	if !again {
		first = time.Now()
		j.missed[i] = first
	}
	if !task.Killed() && time.Since(first) < seenWithin {
		return t, false
	}
	delete(j.missed, i)
	switch {
	case told && task.Killed():
		t.Failure += "; for Slurm it is " + task.State
		return t, true
	case told:
		return t, true
	}
	t.Failure = "Slurm knows nothing of it any more, and it has left no result"
	if known {
		t.Failure = "it has left no result; for Slurm it is " + task.State
		said := filepath.Join(slurmFolder, fmt.Sprintf("%d_%d.out", task.Job, task.Number))
		if _, err := os.Stat(filepath.Join(j.sweeping.dir, said)); err == nil {
			t.Failure += ": " + said + " tells more"
		} else if !task.Killed() {
			t.Failure += ", and nothing of it is in " + said + ": does its node see " + absolute(j.dir) + "?"
		}
	}
	return t, true
}

// tellWaiting tells of the tasks when others wait than before, or for another reason.
func (j *jobs) tellWaiting() (told bool) {
	text := j.counts()
	_, waiting, _ := strings.Cut(text, ", ")
	if waiting == "" {
		waiting = "none"
	}
	if waiting == j.said {
		return false
	}
	j.said = waiting
	if jobs := j.numbers(); jobs != "" {
		fmt.Printf("job %s: %s\n", jobs, text)
	}
	return true
}

// left is the end of the waiting by the person, and not of the runs.
func (j *jobs) left() error {
	if jobs := j.numbers(); jobs != "" {
		fmt.Printf("The runs go on. The same command waits for them again and compares them; scancel %s ends them.\n", jobs)
	}
	return errInterrupted
}

// unexecuted has runs without a result be shown as such.
func (w *sweeping) unexecuted() {
	for _, i := range w.todo {
		if w.trials[i].Failure == "" {
			w.trials[i] = experiment.Trial{Settings: w.trials[i].Settings, Name: w.trials[i].Name, Failure: "not executed yet"}
		}
	}
}
