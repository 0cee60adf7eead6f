package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/seed5607215b/nnkit/kernel/internal/complete"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// keepFlag has %restart take the values of variables along.
const keepFlag = "--keep"

// A cell's library stays loaded for as long as its process lives.
const (
	manyCells  = 3000
	costOfCell = 17 << 10 // bytes, as TestSoak finds
)

// offerRestart tells, once a process, that it holds the code of very many cells.
func (s *Session) offerRestart() {
	if l, ok := s.runner.(*live); ok && l.compiled >= l.most && !l.offered {
		l.offered = true
		s.outlet.Stream("stderr", fmt.Sprintf("%d cells were compiled into this process, which keeps the code of all of them, %s by now: %%restart %s begins a fresh one that has the values of the variables\n",
			l.compiled, bytesText(int64(l.compiled)*costOfCell), keepFlag))
	}
}

func offerKeep(_ *Session, _ context.Context, prefix string) []complete.Item {
	return named(prefix, "magic", []string{keepFlag})
}

// A keeping is a restart that keeps the values of variables: they are written to a file
// by the process that has them, and read by a fresh one, which takes its place when
// that has gone well. Until then nothing has changed: whatever fails, the old one goes
// on.
type keeping struct {
	*call
	live *live
	file string
	// changed tells that packages which are loaded are others by now: the fresh process
	// takes them as they are.
	changed bool
	lost    map[string]string // why variables are not kept
}

func (c *call) restartKeeping() error {
	l, ok := c.runner.(*live)
	if !ok {
		return fmt.Errorf("each cell has a process of its own here, which ends with it: there is nothing to restart, and %s keeps nothing", keepFlag)
	}
	if ended, err := c.ready(c.ctx); ended || err != nil {
		return err // a fresh one is there
	}
	if c.builder.Missing() {
		return &goneError{c.config.CacheDir, c.valued()}
	}
	changed, broken := c.builder.Changed(c.ctx)
	if broken != nil {
		return errors.New(c.readable(broken.Error()))
	}
	k := &keeping{call: c, live: l, file: filepath.Join(c.dir, "kept"), changed: changed != nil, lost: map[string]string{}}
	defer func() { _ = os.Remove(k.file) }()
	for {
		kept, again, err := k.move()
		var ended *sessionEnded
		var compile *program.CompileError
		switch {
		case errors.As(err, &ended) || k.ctx.Err() != nil:
			return err
		case errors.As(err, &compile): // of no text that the person has written
			return fmt.Errorf("nothing has changed: %s; a variable of a type that is not there any more goes with %%remove", compile.Diagnostics[0].Message)
		case err != nil:
			return fmt.Errorf("nothing has changed, since not all went well: %w", err)
		}
		if !again {
			c.program.Renew(k.lost)
			c.tell(kept, k.lost)
			return nil
		}
	}
}

// move takes the values into a fresh process, and returns of how many variables. It
// tells whether that has to be done again, since some cannot be taken.
func (k *keeping) move() (kept int, again bool, err error) {
	names, needs, err := k.save()
	if err == nil {
		err = k.roomFor(k.file)
	}
	if err != nil {
		return 0, false, err
	}
	k.leaving = k.live.current()
	defer func() { k.leaving = nil }()
	undo, settle := k.renewBuilder()
	fresh, err := k.live.another(k.ctx)
	if err == nil && len(names) > 0 {
		again, err = k.restore(fresh, names, needs)
	}
	if err != nil || again {
		if fresh != nil {
			fresh.Kill()
		}
		undo()
		return 0, again, err
	}
	settle()
	return len(names), false, k.live.succeed(fresh)
}

// renewBuilder has the builder make libraries for a process that takes packages as they
// are now, where that is needed. The values are written before: that takes the
// libraries which their process has.
func (k *keeping) renewBuilder() (undo, settle func()) {
	if !k.changed {
		return func() {}, func() {}
	}
	back, settle := k.builder.Renew()
	k.types.forget()
	return func() { back(); k.types.forget() }, settle
}

// tell says what has become of the variables.
func (c *call) tell(kept int, lost map[string]string) {
	text := fmt.Sprintf("a fresh process has the values of %s", count(kept, "variable"))
	if len(lost) == 0 {
		c.print("%s", text)
		return
	}
	text += ", not those of"
	for _, name := range slices.Sorted(maps.Keys(lost)) {
		text += "\n  " + name + ": " + lost[name]
	}
	c.print("%s", text)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// save has the process write its values. It returns the variables of the file, and what
// of the notebook restoring them takes.
func (k *keeping) save() (names, needs []string, err error) {
	plan, vars, err := k.program.PlanKeep(k.count, k.file, k.lost)
	if plan == nil || err != nil {
		return nil, nil, err
	}
	plan.Imports = nil // all of them are loaded, as they were
	if err := k.runner.load(k.ctx, plan); err != nil {
		return nil, nil, err
	}
	rows, err := k.rows(func() (wire.Outcome, error) { return k.runner.run(k.ctx, k.count, plan) })
	if err != nil {
		return nil, nil, k.died(err)
	}
	for i, row := range rows {
		switch {
		case i >= len(vars):
			needs = append(needs, row)
		case row != "":
			k.lost[vars[i].Name] = worded(row)
		default:
			names = append(names, vars[i].Name)
		}
	}
	return names, needs, nil
}

// restore has the fresh process read them. It tells whether they have to be written
// again, since some cannot be restored.
func (k *keeping) restore(fresh *Worker, names, needs []string) (again bool, err error) {
	plan, err := k.program.PlanRestore(k.count, k.file, names, needs)
	if err != nil {
		return false, err
	}
	libs, err := k.builder.Imports(k.ctx, plan.Imports)
	if err != nil {
		return false, err
	}
	if !k.changed { // or the builder takes them for loaded where they are not
		if err := k.live.loadAll(libs); err != nil {
			return false, err
		}
	}
	lib, err := k.builder.Cell(k.ctx, plan.Source, plan.Entry)
	if err != nil {
		return false, err
	}
	for _, l := range append(libs, lib) {
		if err := fresh.Load(k.ctx, l); err != nil {
			return false, err
		}
	}
	rows, err := k.rows(func() (wire.Outcome, error) { return fresh.Run(k.ctx, k.count, lib.Entry) })
	for i, row := range rows {
		if row != "" {
			k.lost[names[i]], again = worded(row), true
		}
	}
	return again, err
}

// rows runs a plan that sends texts.
func (k *keeping) rows(run func() (wire.Outcome, error)) ([]string, error) {
	values, outcome, err := k.collect(run)
	switch {
	case err != nil:
		return nil, err
	case outcome.Status == wire.Interrupted:
		return nil, errInterrupted
	case outcome.Status != wire.OK:
		return nil, errors.New(k.placed(outcome.Value))
	}
	rows := make([]string, len(values))
	for i, v := range values {
		rows[i] = v[0]
	}
	return rows, nil
}

// worded is a reason in the person's words: their types are of no package.
func worded(reason string) string {
	return ofMain.ReplaceAllString(program.Unversioned(reason), "")
}

var ofMain = regexp.MustCompile(`\bmain\.`)

var cellPlace = regexp.MustCompile(`(/cell/[0-9]+\.go):([0-9]+)`)

// placed writes the places in a text as the person knows them.
func (k *keeping) placed(text string) string {
	return cellPlace.ReplaceAllStringFunc(text, func(place string) string {
		m := cellPlace.FindStringSubmatch(place)
		if number, _, ok := k.program.Lines(m[1]); ok {
			return fmt.Sprintf("Cell [%d], line %s", number, m[2])
		}
		return "a cell"
	})
}

// roomFor says whether there is memory for two processes that have the values of a file.
func (k *keeping) roomFor(file string) error {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil // there are no values
	}
	if err != nil {
		return err
	}
	if free, want := k.memory.free(), info.Size()+info.Size()/4; want > free {
		return fmt.Errorf("the values take %s, which two processes have for a moment, and %s are free: what is not needed goes with x = nil, or %%restart begins a process without values",
			bytesText(info.Size()), bytesText(free))
	}
	return nil
}
