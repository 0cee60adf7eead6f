package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// A Script is what sbatch is given: an array of tasks that run one command.
type Script struct {
	Comment []string // lines about it
	Name    string   // of the jobs
	Tasks   []int    // the numbers of those to run, ascending
	Most    int      // how many run at the same time; 0 for as many as there is room for
	Output  string   // the file of what Slurm tells of a task: %A is its job, %a its number
	Options []string // for sbatch, as ParseOptions returns them
	// Command and its arguments. The number of the task comes behind them.
	Command []string
}

// String is the text of the script. A task uses as many processors as it was given.
func (s *Script) String() string {
	var b strings.Builder
	b.WriteString("#!/bin/bash\n")
	for _, line := range s.Comment {
		b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
	array := Numbers(s.Tasks)
	if s.Most > 0 {
		array += "%" + strconv.Itoa(s.Most)
	}
	fmt.Fprintf(&b, "#SBATCH --job-name=%s\n#SBATCH --array=%s\n#SBATCH --output=\"%s\"\n", s.Name, array, s.Output)
	for _, o := range s.Options {
		fmt.Fprintf(&b, "#SBATCH %s\n", o)
	}
	b.WriteString("\nexport GOMAXPROCS=\"${GOMAXPROCS:-$SLURM_CPUS_ON_NODE}\"\nexec")
	for _, word := range s.Command {
		b.WriteString(" " + quote(word))
	}
	b.WriteString(" \"$SLURM_ARRAY_TASK_ID\"\n")
	return b.String()
}

// quote is a word as the shell reads it.
func quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=+,:@") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Numbers writes ascending numbers as Slurm does: 1-3,7.
func Numbers(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := strconv.Itoa(list[i])
		if j > i {
			part += "-" + strconv.Itoa(list[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ",")
}

// ours are the options of sbatch that a Script has itself.
var ours = []string{"-a", "--array", "-J", "--job-name", "-o", "--output", "-D", "--chdir", "--wrap", "-W", "--wait", "--parsable", "-M", "--clusters"}

// ParseOptions takes options of sbatch apart, as they are written on a command line:
// "--partition=x --time=1:00:00". A value may stand behind its option.
func ParseOptions(text string) ([]string, error) {
	var options []string
	for word := range strings.FieldsSeq(text) {
		if !strings.HasPrefix(word, "-") {
			if len(options) == 0 || strings.ContainsAny(options[len(options)-1], "= ") {
				return nil, fmt.Errorf("%q is no option of sbatch: write them as in \"--partition=x --time=1:00:00\"", word)
			}
			options[len(options)-1] += " " + word
			continue
		}
		name, _, _ := strings.Cut(word, "=")
		if !strings.HasPrefix(name, "--") {
			name = name[:min(2, len(name))]
		}
		if slices.Contains(ours, name) {
			return nil, fmt.Errorf("%s cannot be given, the sweep sets it itself or needs it as it is", name)
		}
		options = append(options, word)
	}
	return options, nil
}

// Available fails where Slurm's commands are missing.
func Available() error {
	for _, name := range []string{"sbatch", "squeue"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("there is no %s on the PATH", name)
		}
	}
	return nil
}

// CheckNumber fails where no array of the cluster can have a task of that number: its MaxArraySize is too small.
func CheckNumber(ctx context.Context, number int) error {
	text, err := run(ctx, "", "scontrol", "show", "config")
	if err != nil {
		return nil // sbatch will tell
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, "=")
		end, err := strconv.Atoi(strings.TrimSpace(value))
		if strings.TrimSpace(name) == "MaxArraySize" && err == nil && number >= end {
			return fmt.Errorf("there are %d runs, and on this cluster the tasks of an array are numbered up to %d (MaxArraySize): make several sweeps of it, of fewer values and with an --output each", number, end-1)
		}
	}
	return nil
}

// Submit submits a script's file from a folder, in which its tasks run then. It returns
// the number of the job.
func Submit(ctx context.Context, dir, file string) (int, error) {
	text, err := run(ctx, dir, "sbatch", "--parsable", file)
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(strings.TrimSpace(text), ";") // the cluster's name may follow
	job, err := strconv.Atoi(first)
	if err != nil {
		return 0, fmt.Errorf("sbatch was to print the number of a job, and prints %q", text)
	}
	return job, nil
}

// run runs a command of Slurm and returns what it prints.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var printed, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &complaints
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if said := strings.TrimSpace(complaints.String()); err != nil && said != "" {
		err = errors.New(strings.ReplaceAll(said, name+": error: ", ""))
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return printed.String(), nil
}
