//go:build unix

package whole

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// rankVariable is set in the process of a rank that runs the notebook.
const rankVariable = "NNKIT_RANK"

// ranked says whether this process runs the notebook as a rank, and as which.
func ranked() (rank int, ok bool) {
	rank, err := strconv.Atoi(os.Getenv(rankVariable))
	return rank, err == nil
}

// Rank makes the process that mpirun has started the guard of another one, which runs the notebook; in that one it returns. The
// guard is there to tell who has died and with which words, whatever ended the process. Of ranks other than 0 nobody sees what
// they print; what they say on standard error gets their name.
//
// SIGUSR1, which mpirun hands on to all ranks, interrupts the notebook as SIGINT would.
func Rank() {
	text, started := os.LookupEnv("OMPI_COMM_WORLD_RANK")
	if !started {
		fmt.Fprintln(os.Stderr, "this program is made for mpirun: mpirun -n 2", os.Args[0])
		os.Exit(2)
	}
	if _, ok := ranked(); ok {
		interrupts := make(chan os.Signal, 1)
		signal.Notify(interrupts, syscall.SIGUSR1)
		go func() {
			for range interrupts {
				syscall.Kill(os.Getpid(), syscall.SIGINT)
			}
		}()
		return
	}
	rank, err := strconv.Atoi(text)
	if err != nil {
		fmt.Fprintf(os.Stderr, "OMPI_COMM_WORLD_RANK is %q, and no number\n", text)
		os.Exit(2)
	}
	os.Exit(guard(rank))
}

// guard runs the program as a rank and returns the status to exit with.
func guard(rank int) int {
	runtime.LockOSThread() // a process ends with the thread that has started it
	c := exec.Command(executable(), os.Args[1:]...)
	c.Env = append(os.Environ(), rankVariable+"="+strconv.Itoa(rank))
	if rank == 0 {
		c.Stdout = os.Stdout
	}
	endsWithParent(c)
	var told atomic.Bool // to end: another rank is the cause
	complaints, err := c.StderrPipe()
	if err == nil {
		signals := make(chan os.Signal, 4)
		signal.Notify(signals, syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGINT)
		if err = c.Start(); err == nil {
			go func() {
				for s := range signals {
					told.CompareAndSwap(false, s != syscall.SIGUSR1)
					c.Process.Signal(s)
				}
			}()
		}
	}
	host, _ := os.Hostname()
	if err != nil {
		wire.Record{Dead: &wire.Death{Rank: rank, Host: host, How: "it cannot be started", Last: err.Error()}}.Write(os.Stderr)
		return 1
	}
	var last []string
	for lines := bufio.NewReader(complaints); ; {
		line, err := lines.ReadString('\n')
		if line != "" {
			if last = append(last, line); len(last) > 200 { // a panic's first line stays among them, or another will do
				last = append(last[:1], last[2:]...)
			}
			if rank > 0 {
				line = fmt.Sprintf("rank %d on %s: %s", rank, host, line)
			}
			os.Stderr.WriteString(line)
		}
		if err != nil {
			break
		}
	}
	err = c.Wait()
	if err == nil {
		return 0
	}
	if !told.Load() {
		wire.Record{Dead: &wire.Death{Rank: rank, Host: host, How: err.Error(), Last: lastMessage(last)}}.Write(os.Stderr)
	}
	status := 1
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		status = exit.ExitCode()
	}
	if rank > 0 && status == 1 {
		// A cell has failed, and likely in all ranks. The first that is gone takes the others along: rank 0 is to have said it
		// before.
		time.Sleep(3 * time.Second)
	}
	return status
}

// lastMessage chooses from a program's last lines what says why it ended: a panic's first line, or else the last that is none of
// a stack.
func lastMessage(lines []string) string {
	last := ""
	for _, line := range lines {
		line = strings.TrimRight(line, "\r\n\t ")
		for _, begin := range []string{"panic: ", "fatal error: "} {
			if strings.HasPrefix(line, begin) {
				return line
			}
		}
		if line != "" && !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "goroutine ") {
			last = line
		}
	}
	return last
}
