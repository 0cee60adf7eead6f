package slurm

import (
	"context"
	"fmt"
	"os"
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

// again are those of them behind which a task may be put back into the queue: what ended it was no fault of its own.
var again = []string{"BOOT_FAIL", "LAUNCH_FAILED", "NODE_FAIL", "PREEMPTED", "RECONFIG_FAIL", "REVOKED"}

// waiting are the states of a task that has not begun, or is to begin again.
var waiting = []string{"CONFIGURING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}

// Over tells whether the task has ended. One that has lost its node, or made way for another, may be put back into the queue and not be
// over any more.
func (t Task) Over() bool { return slices.Contains(over, t.State) }

// Waiting tells whether the task has not begun.
func (t Task) Waiting() bool { return slices.Contains(waiting, t.State) }

// Killed tells whether Slurm has ended the task, which had no say in it, for good.
func (t Task) Killed() bool {
	return t.Over() && t.State != "COMPLETED" && t.State != "FAILED" && !slices.Contains(again, t.State)
}

// Tasks asks for the tasks of the user's arrays whose jobs have a name. Slurm forgets
// those that are over some minutes later.
func Tasks(ctx context.Context, name string) ([]Task, error) {
	text, err := run(ctx, "", "squeue", "--user="+strconv.Itoa(os.Getuid()), "--name="+name, "--array", "--all", "--states=all", "--noheader", "--format=%F|%K|%T|%r")
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
