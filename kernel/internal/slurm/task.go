package slurm

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Task is a task of an array, as Slurm knows it.
type Task struct {
	Job    int // of the array
	Number int
	State  string // in Slurm's words, PENDING
	Reason string // why it waits, "" if there is none
}

// over are the states in which a task stays.
var over = []string{
	"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "LAUNCH_FAILED", "NODE_FAIL",
	"OUT_OF_MEMORY", "PREEMPTED", "RECONFIG_FAIL", "REVOKED", "TIMEOUT",
}

// Over tells whether the task has ended, and will not begin again.
func (t Task) Over() bool { return slices.Contains(over, t.State) }

// Waiting tells whether the task has not begun.
func (t Task) Waiting() bool { return t.State == "PENDING" }

// Killed tells whether Slurm has ended the task, which had no say in it.
func (t Task) Killed() bool { return t.Over() && t.State != "COMPLETED" && t.State != "FAILED" }

// Tasks asks for the tasks of the user's arrays whose jobs have a name. Slurm forgets
// those that are over some minutes later.
func Tasks(ctx context.Context, name string) ([]Task, error) {
	text, err := run(ctx, "", "squeue", "--me", "--name="+name, "--array", "--all", "--states=all", "--noheader", "--format=%F|%K|%T|%r")
	if err != nil {
		return nil, err
	}
	return parseTasks(text)
}

func parseTasks(text string) ([]Task, error) {
	var tasks []Task
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		fields := strings.SplitN(line, "|", 4)
		if len(fields) < 4 {
			return nil, fmt.Errorf("squeue: a line of four fields is wanted, and %q is none", line)
		}
		job, err := strconv.Atoi(fields[0])
		if err != nil {
			return nil, fmt.Errorf("squeue: %q is the number of no job", fields[0])
		}
		number, err := strconv.Atoi(fields[1])
		if err != nil {
			continue // no task of an array: somebody's job of the same name
		}
		t := Task{Job: job, Number: number, State: fields[2], Reason: fields[3]}
		if t.Reason == "None" {
			t.Reason = ""
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}
