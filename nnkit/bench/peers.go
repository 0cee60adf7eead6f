package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

//go:embed peers.py
var program string

// peers is a Python that runs the peers' steps when asked.
type peers struct {
	names  []string
	cmd    *exec.Cmd
	ask    io.WriteCloser
	answer *bufio.Reader
}

// startPeers starts a Python whose libraries use so many threads.
func startPeers(python string, threads int) (*peers, error) {
	p, err := startPython(python, threads)
	if err != nil {
		return nil, err
	}
	// OpenBLAS falls back to the kernels of twenty years ago on a processor that it does not know. That would be no peer.
	kernels := map[string]string{"avx512": "SkylakeX", "avx2": "Haswell"}[fmt.Sprint(simd.Sets()[0])]
	if os.Getenv("OPENBLAS_CORETYPE") != "" || kernels == "" {
		return p, nil
	}
	blas, err := p.request("blas")
	if err != nil || !strings.Contains(blas, "Prescott") {
		return p, err
	}
	if err := p.stop(); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "bench: OpenBLAS does not know this processor: OPENBLAS_CORETYPE=%s for the peers\n", kernels)
	return startPython(python, threads, "OPENBLAS_CORETYPE="+kernels)
}

func startPython(python string, threads int, environment ...string) (*peers, error) {
	p := &peers{cmd: exec.Command(python, "-c", program)}
	n := strconv.Itoa(threads)
	p.cmd.Env = slices.Concat(os.Environ(), []string{"OMP_NUM_THREADS=" + n, "OPENBLAS_NUM_THREADS=" + n, "MKL_NUM_THREADS=" + n}, environment)
	p.cmd.Stderr = os.Stderr
	var err error
	if p.ask, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answer = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the peers' Python: %w; name another one by -python", err)
	}
	names, err := p.request("peers")
	p.names = strings.Fields(names)
	return p, err
}

func (p *peers) request(line string) (string, error) {
	if _, err := fmt.Fprintln(p.ask, line); err != nil {
		return "", fmt.Errorf("asking the peers' Python for %q: %w", line, err)
	}
	answer, err := p.answer.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the peers' Python ended at %q: %w", line, err)
	}
	return strings.TrimSpace(answer), nil
}

// time runs a workload for a while and returns the microseconds of a step.
func (p *peers) time(peer, workload string, while time.Duration) (float64, error) {
	answer, err := p.request(fmt.Sprintf("%s %s %g", peer, workload, while.Seconds()))
	if err != nil {
		return 0, err
	}
	// The threads of a peer go on looking for work for a while.
	time.Sleep(calm)
	return strconv.ParseFloat(answer, 64)
}

// OpenBLAS' threads look for work for up to 2^28 cycles, on the core that ours would have.
const calm = 300 * time.Millisecond

func (p *peers) stop() error {
	if err := p.ask.Close(); err != nil {
		return err
	}
	return p.cmd.Wait()
}
