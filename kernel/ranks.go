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
	if err := session.CheckMPI(); err != nil {
		return err
	}
	var hosts *session.Hosts
	if r.hostfile != "" {
		var err error
		if hosts, err = session.ReadHosts(r.hostfile, r.size); err != nil {
			return fmt.Errorf("--hostfile: %w", err)
		}
	}
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return err
	}
	folder, err := session.ProgramFolder(dir, hosts)
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if hosts != nil {
		if err := hosts.Ask(ctx, folder); err != nil {
			return err
		}
	}
	program := filepath.Join(folder, "notebook")
	if err := r.build(ctx, program, nb, run, config); err != nil {
		return err
	}
	started, err := session.StartRanks(program, dir, r.size, hosts)
	if err != nil {
		return err
	}
	if err := notebook.Execute(ctx, nb, started, options); err != nil {
		started.Kill()
		return err
	}
	return started.Wait()
}

// build builds the notebook's program for ranks.
func (r *ranks) build(ctx context.Context, program string, nb *notebook.Notebook, run *run, config session.Config) error {
	if err := findSources(&config); err != nil {
		return err
	}
	w, err := session.NewWhole(config)
	if err != nil {
		return err
	}
	defer w.Close()
	w.Share()
	for i, index := range nb.Executable() {
		if run.chosen != nil && !run.chosen.contain(i+1) {
			continue
		}
		c := nb.Cells[index]
		if err := addCell(ctx, w, "the notebook", i+1, c.Source, c.Tagged(experiment.ParametersTag)); err != nil {
			return err
		}
	}
	_, err = w.Build(ctx, "notebook", program)
	return err
}
