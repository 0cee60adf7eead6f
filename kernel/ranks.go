package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/seed5607215b/nnkit/kernel/internal/experiment"
	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

// ranks is a run by many processes that train together.
type ranks struct {
	size     int
	hostfile string
}

func (r *ranks) define(flags *flag.FlagSet) {
	flags.Func("ranks", "run the notebook as a program by this `NUMBER` of processes, which share every training, under mpirun (docs/scale.md)", func(text string) error {
		n, err := strconv.Atoi(text)
		if r.size = n; err != nil || n < 1 {
			return errors.New("it wants a number from 1 on")
		}
		return nil
	})
	flags.StringVar(&r.hostfile, "hostfile", "", "with --ranks: spread the processes over the hosts that this `FILE` of mpirun names")
}

// execute executes a notebook by ranks.
func (r *ranks) execute(ctx context.Context, nb *notebook.Notebook, run *run, config session.Config, options notebook.Options) error {
	started, remove, err := r.start(ctx, nb, run, config)
	if err != nil {
		return err
	}
	defer remove()
	if err := notebook.Execute(ctx, nb, started, options); err != nil {
		started.Kill()
		return err
	}
	return started.Wait()
}

// start builds the notebook's program and starts it as ranks.
func (r *ranks) start(ctx context.Context, nb *notebook.Notebook, run *run, config session.Config) (*session.Ranks, func(), error) {
	if err := session.CheckMPI(); err != nil {
		return nil, nil, err
	}
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return nil, nil, err
	}
	if r.hostfile != "" {
		if _, err := os.Stat(r.hostfile); err != nil {
			return nil, nil, fmt.Errorf("--hostfile: %w", err)
		}
		if r.hostfile, err = filepath.Abs(r.hostfile); err != nil {
			return nil, nil, err
		}
	}
	if err := findSources(&config); err != nil {
		return nil, nil, err
	}
	w, err := session.NewWhole(config)
	if err != nil {
		return nil, nil, err
	}
	defer w.Close()
	w.Share()
	for i, index := range nb.Executable() {
		if run.chosen != nil && !run.chosen.contain(i+1) {
			continue
		}
		c := nb.Cells[index]
		if err := addCell(ctx, w, "the notebook", i+1, c.Source, c.Tagged(experiment.ParametersTag)); err != nil {
			return nil, nil, err
		}
	}
	folder, err := session.ProgramFolder(dir, r.hostfile)
	if err != nil {
		return nil, nil, err
	}
	remove := func() { os.RemoveAll(folder) }
	program := filepath.Join(folder, "notebook")
	if _, err := w.Build(ctx, "notebook", program); err != nil {
		remove()
		return nil, nil, err
	}
	started, err := session.StartRanks(program, dir, r.size, r.hostfile)
	if err != nil {
		remove()
		return nil, nil, err
	}
	return started, remove, nil
}
