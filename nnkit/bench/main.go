// Command bench times steps of nnkit beside the same steps of PyTorch and scikit-learn, where the system's Python has
// them (Debian: python3-torch, python3-sklearn, libopenblas0-pthread).
//
//	go run ./nnkit/bench [-json] [-workload W2] [-rounds 15] [-simd avx2] [-openblas Haswell] [-python /usr/bin/python3]
//
// Ours and the peer take turns, round by round, so that a busy machine disturbs both alike; a ratio is that of one
// round, below 1 where ours is faster. All train with Adam through the public API:
//
//	W1   a network 8-10-8-1 in batches of 32
//	W2   784-512-512-10, batches of 128
//	W3a  LeNet on images of 28×28, batches of 64
//	W3b  four convolutions of 3×3 and two dense layers on 32×32×3, batches of 64
//	W4   an LSTM of 128 over 50 steps of 32 features, batches of 32
//	W5   a Transformer encoder layer of 128, 4 heads, over 64 tokens, batches of 32
//
// predict is one row through the network of W1; gemm512 the product of two 512×512 matrices, gemm128x512x784 that of
// 128×784 and 784×512, beside what a loop of multiply-adds in registers reaches in the same run. In the end the peak
// memory of processes that train is compared.
//
// The peers' products are those of OpenBLAS. Where it does not know the processor, the peers are told to use its kernels for
// the instructions that ours use, SkylakeX (AVX-512) or Haswell (AVX2). -openblas says whose kernels they are to use: Haswell's
// to compare with figures of a machine on which OpenBLAS has chosen those.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	asJSON := flag.Bool("json", false, "print one JSON object a line")
	only := flag.String("workload", "", "run only the workload of this name")
	rounds := flag.Int("rounds", 15, "how often ours and the peer take turns")
	set := flag.String("simd", "", "the kernels to use: avx512, avx2 or go; the machine's best if empty")
	trained := flag.String("train", "", "only train the workload of this name, and print the process's peak memory in kilobytes")
	blas := flag.String("openblas", "", "for which processor the kernels are that the peers' OpenBLAS uses: SkylakeX (AVX-512), Haswell (AVX2)\nor another name of OpenBLAS's; its own choice if empty, or what suits the processor if it does not know that")
	interpreter := flag.String("python", "/usr/bin/python3", "the Python that has the peers")
	flag.Parse()
	if *set != "" {
		s, err := simd.Find(*set)
		if err != nil {
			log.Fatal(err)
		}
		simd.Use(s)
	}
	if *trained != "" {
		if err := train(*trained); err != nil {
			log.Fatal(err)
		}
		return
	}
	b := bench{rounds: max(1, *rounds), print: printLine, python: python{*interpreter, *blas}}
	kernels, err := b.python.choose()
	if err != nil {
		log.Fatal(err)
	}
	if *asJSON {
		out := json.NewEncoder(os.Stdout)
		b.print = func(r result) error {
			if r.Peer != "" {
				r.OpenBLAS = kernels
			}
			return out.Encode(r)
		}
	} else {
		fmt.Printf("%s, %d cores, kernels %s; the peers' OpenBLAS %s\n", runtime.Version(), runtime.NumCPU(), simd.Active(), kernels)
	}
	for _, threads := range []int{1, 2} {
		if threads > runtime.NumCPU() {
			break
		}
		if err := b.run(*only, threads); err != nil {
			log.Fatal(err)
		}
	}
	if err := b.memory(*only); err != nil {
		log.Fatal(err)
	}
}

// result is one line of the output; times are medians over the rounds.
type result struct {
	Workload string  `json:"workload"`
	Threads  int     `json:"threads"`
	Ours     float64 `json:"ours_us,omitempty"`
	Peer     string  `json:"peer,omitempty"`
	OpenBLAS string  `json:"openblas,omitempty"` // whose kernels the peer uses
	PeerTime float64 `json:"peer_us,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"` // the median
	RatioMin float64 `json:"ratio_min,omitempty"`
	RatioMax float64 `json:"ratio_max,omitempty"`
	GFLOPS   float64 `json:"gflops,omitempty"` // of the fastest round
	Peak     float64 `json:"peak_gflops,omitempty"`

	// The most memory that a process of ours, and of the peer, has ever had, in MiB.
	Memory      float64 `json:"ours_peak_mib,omitempty"`
	PeerMemory  float64 `json:"peer_peak_mib,omitempty"`
	MemoryRatio float64 `json:"memory_ratio,omitempty"`
}

func printLine(r result) error {
	if r.Memory > 0 {
		_, err := fmt.Printf("%-15s  peak memory  ours %7.1f MiB  %-12s %7.1f MiB  ratio %.3f\n", r.Workload, r.Memory, r.Peer, r.PeerMemory, r.MemoryRatio)
		return err
	}
	line := fmt.Sprintf("%-15s  %d threads  ours %9.2f µs", r.Workload, r.Threads, r.Ours)
	if r.Peer != "" {
		line += fmt.Sprintf("  %-12s %9.2f µs  ratio %.3f (%.3f to %.3f)", r.Peer, r.PeerTime, r.Ratio, r.RatioMin, r.RatioMax)
	}
	if r.Peak > 0 {
		line += fmt.Sprintf("  %.0f of %.0f GFLOP/s, %.0f %%", r.GFLOPS, r.Peak, 100*r.GFLOPS/r.Peak)
	}
	_, err := fmt.Println(line)
	return err
}

type bench struct {
	rounds int
	python python
	print  func(result) error
}

// run times all workloads on so many threads.
func (b *bench) run(only string, threads int) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	nnkit.LimitCores(threads)
	p, err := b.python.start(threads)
	if err != nil {
		return err
	}
	for _, w := range workloads {
		if only != "" && only != w.name || !slices.Contains(w.threads, threads) {
			continue
		}
		if err := b.workload(w, p, threads); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return p.stop()
}

func (b *bench) workload(w workload, p *peers, threads int) error {
	step, steps, err := w.prepare()
	if err != nil {
		return err
	}
	if err := step(); err != nil { // the first one makes the memory
		return err
	}
	beside := slices.DeleteFunc(slices.Clone(w.peers), func(name string) bool { return !slices.Contains(p.names, name) })
	if len(beside) == 0 {
		beside = []string{""}
	}
	for _, peer := range beside {
		r := result{Workload: w.name, Threads: threads, Peer: peer}
		var ours, theirs, ratios []float64
		for range b.rounds {
			o, fastest, err := turn(step, steps)
			if err != nil {
				return err
			}
			ours = append(ours, o)
			if w.operations > 0 {
				r.GFLOPS, r.Peak = max(r.GFLOPS, float64(w.operations)/fastest/1000), max(r.Peak, peak(threads))
			}
			if peer == "" {
				continue
			}
			t, err := p.time(peer, w.name, while)
			if err != nil {
				return err
			}
			theirs, ratios = append(theirs, t), append(ratios, o/t)
		}
		r.Ours = median(ours)
		if peer != "" {
			r.PeerTime, r.Ratio, r.RatioMin, r.RatioMax = median(theirs), median(ratios), slices.Min(ratios), slices.Max(ratios)
		}
		if err := b.print(r); err != nil {
			return err
		}
	}
	return nil
}

// A turn of ours or the peer's takes so long.
const while = 50 * time.Millisecond

// turn returns the mean and the least microseconds of a step.
func turn(run func() error, steps int) (mean, fastest float64, err error) {
	began := time.Now()
	for done := 0; ; {
		before := time.Now()
		if err := run(); err != nil {
			return 0, 0, err
		}
		now := time.Now()
		done += steps
		if took := now.Sub(before).Seconds() * 1e6 / float64(steps); fastest == 0 || took < fastest {
			fastest = took
		}
		if now.Sub(began) >= while {
			return now.Sub(began).Seconds() * 1e6 / float64(done), fastest, nil
		}
	}
}

func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
