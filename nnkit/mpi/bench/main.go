// Command bench measures how training scales with ranks and threads on this machine, fits a model of a step's time to that, and
// predicts the time of a step on many machines (docs/scale.md).
//
//	go run ./bench [-o figures.json]     measures, fits, predicts
//	go run ./bench -from figures.json    fits and predicts by figures that were measured before
//
// The trainings are those of nnkit/bench.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/bench/model"
	"github.com/seed5607215b/nnkit/nnkit/mpi"
)

var trainings = []model.Training{model.W2, model.W3b, model.W5}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	asRank := flag.Bool("as-rank", false, "be a rank: what mpirun starts")
	t := task{}
	flag.StringVar(&t.Training, "training", "", "as a rank: what to train")
	flag.IntVar(&t.Shards, "shards", 0, "as a rank: in how many shards")
	flag.IntVar(&t.Batch, "batch", 0, "as a rank: rows of a batch")
	seconds := flag.Float64("seconds", 1, "how long a measurement takes")
	output := flag.String("o", "", "keep the figures in this `file`")
	from := flag.String("from", "", "take the figures from this `file`")
	flag.Parse()
	if *asRank {
		if err := t.measure(time.Duration(*seconds * float64(time.Second))); err != nil {
			log.Fatal(err)
		}
		mpi.Finalize()
		return
	}
	var f figures
	var err error
	if *from != "" {
		f, err = readFigures(*from)
	} else {
		f, err = measure(*seconds, *output)
	}
	if err != nil {
		log.Fatal(err)
	}
	f.print()
}

// task is what ranks measure: a step of a training, or the exchange of messages where there is none.
type task struct {
	Training string `json:"training,omitempty"`
	Shards   int    `json:"shards,omitempty"`
	Batch    int    `json:"batch,omitempty"`
}

// A figure is a measured time.
type figure struct {
	task
	Ranks   int     `json:"ranks"`
	Threads int     `json:"threads"`
	Bytes   int     `json:"bytes,omitempty"` // of a message
	Median  float64 `json:"median_us"`
	Best    float64 `json:"best_us"` // the tenth part that is fastest ends here
	CPU     float64 `json:"cpu_us"`  // of the process, the mean: on a busy machine the time that a step would take on a free one
	Load    float64 `json:"load"`    // of the machine, in the minute before
}

type figures struct {
	Machine string   `json:"machine"`
	Steps   []figure `json:"steps"`
	Sent    []figure `json:"sent"` // an exchange of messages between two ranks
}

func readFigures(path string) (f figures, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(data, &f)
}

func (f figures) write(path string) error {
	data, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o666)
}

// measure measures as a rank, and prints the figures of rank 0.
func (t task) measure(patience time.Duration) error {
	if t.Training == "" {
		return sendMessages(patience)
	}
	i := slices.IndexFunc(trainings, func(m model.Training) bool { return m.Name == t.Training })
	if i < 0 {
		return fmt.Errorf("there is no training %q", t.Training)
	}
	const batches = 2
	x, y, err := trainings[i].Data(batches * t.Batch)
	if err != nil {
		return err
	}
	m, err := trainings[i].Compiled()
	if err != nil {
		return err
	}
	var times []time.Duration
	began, last := time.Now(), time.Now()
	var used, first time.Duration
	options := []nnkit.FitOption{
		nnkit.BatchSize(t.Batch), nnkit.Epochs(1 << 30), nnkit.Verbose(0), nnkit.Shuffle(false),
		nnkit.OnBatchEnd(func(t *nnkit.Training) {
			now := time.Now()
			if t.Epoch > 2 { // the first steps get their memory
				times = append(times, now.Sub(last))
				used = processTime()
			} else {
				first = processTime()
			}
			if last = now; len(times) >= 8 && now.Sub(began) > patience {
				t.Stop("enough")
			}
		}),
	}
	if t.Shards > 0 {
		options = append(options, nnkit.Shards(t.Shards), mpi.World())
	}
	if _, err := m.Fit(x, y, options...); err != nil {
		return err
	}
	return report(times, 0, used-first)
}

// processTime is what this process has used of processors.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sendMessages exchanges messages between two ranks.
func sendMessages(patience time.Duration) error {
	ranks := mpi.Ranks()
	for bytes := 4; bytes <= 64<<20; bytes *= 4 {
		message, received := make([]byte, bytes), make([]byte, bytes)
		var times []time.Duration
		other := 1 - ranks.Rank()
		for n := range max(20, min(1000, 1<<28/bytes)) {
			began := time.Now()
			if err := ranks.Exchange(other, message, other, received); err != nil {
				return err
			}
			if n >= 5 {
				times = append(times, time.Since(began))
			}
		}
		if err := report(times, bytes, 0); err != nil {
			return err
		}
	}
	return nil
}

func report(times []time.Duration, bytes int, used time.Duration) error {
	if os.Getenv("OMPI_COMM_WORLD_RANK") > "0" {
		return nil
	}
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Nanoseconds()) / 1e3
	}
	return json.NewEncoder(os.Stdout).Encode(figure{Bytes: bytes, Median: at(0.5), Best: at(0.1), CPU: float64(used.Nanoseconds()) / 1e3 / float64(len(times))})
}

// launcher starts this program as ranks.
type launcher struct{ seconds float64 }

func (l launcher) run(t task, ranks, threads int) ([]figure, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.Command("mpirun", "-q", "-n", strconv.Itoa(ranks), "--bind-to", "none", "--oversubscribe", "--allow-run-as-root",
		program, "-as-rank", "-training", t.Training, "-shards", strconv.Itoa(t.Shards), "-batch", strconv.Itoa(t.Batch),
		"-seconds", fmt.Sprint(l.seconds))
	c.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(threads))
	load := machineLoad()
	var complaints strings.Builder
	c.Stderr = &complaints
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", c, err, complaints.String())
	}
	var list []figure
	for line := range strings.Lines(string(out)) {
		f := figure{}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			return nil, fmt.Errorf("%w in %q", err, line)
		}
		f.task, f.Ranks, f.Threads, f.Load = t, ranks, threads, load
		list = append(list, f)
	}
	return list, nil
}

// measure takes all figures on this machine. Those that a file has already stay; it is written again after each.
func measure(seconds float64, file string) (f figures, err error) {
	if _, err := os.Stat(file); err == nil {
		if f, err = readFigures(file); err != nil {
			return f, err
		}
	}
	f.Machine = fmt.Sprintf("%s, %s, %d cores", processor(), runtime.Version(), runtime.NumCPU())
	l := launcher{seconds: seconds}
	if f.Sent == nil {
		if f.Sent, err = l.run(task{}, 2, 1); err != nil {
			return f, err
		}
	}
	for _, m := range trainings {
		type run struct{ shards, batch, ranks, threads int }
		list := []run{{0, m.Batch, 1, 1}, {0, m.Batch, 1, 2}, {8, m.Batch, 1, 2}, {2, m.Batch, 2, 1}, {8, m.Batch, 2, 1}, {1, m.Batch / 2, 1, 1}, {1, 2 * m.Batch, 1, 1}}
		for _, shards := range []int{1, 2, 4, 8, 32} {
			list = append(list, run{shards, m.Batch, 1, 1})
		}
		for _, r := range list {
			if slices.ContainsFunc(f.Steps, func(s figure) bool {
				return s.task == (task{m.Name, r.shards, r.batch}) && s.Ranks == r.ranks && s.Threads == r.threads
			}) {
				continue
			}
			steps, err := l.run(task{m.Name, r.shards, r.batch}, r.ranks, r.threads)
			if err != nil {
				return f, err
			}
			f.Steps = append(f.Steps, steps...)
			if file != "" {
				if err := f.write(file); err != nil {
					return f, err
				}
			}
		}
	}
	return f, nil
}

// machineLoad is how many processes have wanted a core, the mean of a minute; what was measured just before is among them. It is 0 where
// the system does not tell.
func machineLoad() (load float64) {
	data, _ := os.ReadFile("/proc/loadavg")
	fmt.Sscan(string(data), &load)
	return load
}

func processor() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
