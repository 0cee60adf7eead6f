package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/experiment"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

var taskTable = command{
	name: "task", args: "FOLDER NUMBER", summary: "execute one run of a sweep: this is what kernel run and Slurm start",
	about: `
Executes the run of that number, from 1 on, of the sweep in a folder, as its file sweep.json has it. What is printed goes into the
run's log.
`,
	define: func(flags *flag.FlagSet) func([]string) error {
		built := flags.Bool("built", false, "run the program that was made of the notebook for a cluster, and compile nothing")
		return func(args []string) error {
			if len(args) != 2 {
				return &usageError{message: fmt.Sprintf("it wants the folder of a sweep and a number, and there are %d arguments", len(args))}
			}
			plan, err := experiment.ReadPlan(args[0])
			if err != nil {
				return err
			}
			if plan == nil {
				return fmt.Errorf("%s is no folder of a sweep: there is no %s in it", args[0], experiment.PlanName)
			}
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 1 || n > len(plan.Runs) {
				return &usageError{message: fmt.Sprintf("%q is the number of no run: they are 1 to %d", args[1], len(plan.Runs))}
			}
			return executeTask(plan, args[0], plan.Runs[n-1], *built)
		}
	},
}

// runLogVariable names the file in which the trainings of a process are logged.
const runLogVariable = "NNKIT_RUN_LOG"

// executeTask executes a run of the sweep in a folder, by the notebook's program if that is
// built. It prints into the run's log.
func executeTask(plan *experiment.Plan, dir string, t experiment.Run, built bool) error {
	began := time.Now()
	if err := experiment.Forget(dir, t); err != nil { // of an earlier time
		return err
	}
	log, err := os.Create(filepath.Join(dir, t.Name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	os.Stdout, os.Stderr = log, log // also for main, which prints the error
	if err := os.Setenv(runLogVariable, absolute(experiment.RunLogFile(dir, t))); err != nil {
		return err
	}
	err = executeRun(plan, dir, t, built)
	failure := ""
	if err != nil {
		failure, _, _ = strings.Cut(err.Error(), "\n")
	}
	return errors.Join(err, plan.End(dir, t, time.Since(began), failure))
}

func executeRun(plan *experiment.Plan, dir string, t experiment.Run, built bool) error {
	r := new(run)
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	r.define(flags)
	if err := flags.Parse(plan.Flags); err != nil {
		return err
	}
	file := func(ending string) string { return filepath.Join(dir, t.Name+ending) }
	r.output, r.page = file(".ipynb"), file(".html")
	nb, err := plan.NotebookOf(t)
	if err != nil {
		return err
	}
	if built {
		if r.built, err = readBuilt(programFile(dir, t.Program)); err != nil {
			return err
		}
	}
	return r.execute(nb, plan.Name, filepath.Join(dir, plan.Dir))
}

// programFile is the file of a program of the notebook that the sweep in a folder is of.
func programFile(dir string, number int) string {
	return filepath.Join(dir, slurmFolder, fmt.Sprintf("program-%d", number))
}

// builtFile is where it is written what is in a program.
func builtFile(program string) string { return program + ".json" }

func readBuilt(program string) (*session.Built, error) {
	data, err := os.ReadFile(builtFile(program))
	if err != nil {
		return nil, err
	}
	b := new(session.Built)
	if err := json.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("%s: %w", builtFile(program), err)
	}
	b.Program = absolute(program)
	return b, nil
}
