package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
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

// python is how the peers' Python is started.
type python struct {
	program string
	blas    string // whose kernels OpenBLAS is told to use; "" for its own choice
}

// choose finds out which kernels OpenBLAS is to be told to use, if nobody has said so: it falls back to those of twenty years
// ago on a processor that it does not know, which would be no peer. It returns those that are in use then.
func (y *python) choose() (string, error) {
	use, err := y.kernels()
	if err != nil {
		return "", err
	}
	if y.blas != "" {
		if use != unknown && !strings.EqualFold(use, y.blas) {
			return "", fmt.Errorf("OpenBLAS has no kernels %q, it uses those for %s: write -openblas Haswell or SkylakeX, for example", y.blas, use)
		}
		return use, nil
	}
	suits := map[string]string{"avx512": "SkylakeX", "avx2": "Haswell"}[fmt.Sprint(simd.Sets()[0])]
	if use != "Prescott" || os.Getenv("OPENBLAS_CORETYPE") != "" || suits == "" {
		return use, nil
	}
	fmt.Fprintf(os.Stderr, "bench: OpenBLAS does not know this processor: the peers are told to use its kernels for %s\n", suits)
	y.blas = suits
	return y.kernels()
}

// unknown is the answer of a Python that cannot tell the kernels.
const unknown = "unknown"

// kernels asks a Python for which processor OpenBLAS has chosen its kernels.
func (y *python) kernels() (string, error) {
	p, err := y.start(1)
	if err != nil {
		return "", err
	}
	use, err := p.request("blas")
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(use, " ") // of perhaps several OpenBLAS, which are told the same
	return first, p.stop()
}

// start starts a Python whose libraries use so many threads.
func (y *python) start(threads int) (*peers, error) {
	p := &peers{cmd: exec.Command(y.program, "-c", program)}
	n := strconv.Itoa(threads)
	p.cmd.Env = append(os.Environ(), "OMP_NUM_THREADS="+n, "OPENBLAS_NUM_THREADS="+n, "MKL_NUM_THREADS="+n)
	if y.blas != "" {
		p.cmd.Env = append(p.cmd.Env, "OPENBLAS_CORETYPE="+y.blas)
	}
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
