package nnkit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// RunLog makes a [Callback] that appends a line of JSON to a file when a training ends, however it ends: what was trained and
// how, its scores epoch by epoch, how long it took, what it was compiled with, and a hash of the weights. [ReadRuns] reads
// the file, and display.Runs compares what is in it.
//
//	history, err := model.Fit(x, y, nnkit.RunLog("runs.jsonl").With("rate", rate))
//
// The kernel has every Fit of a sweep write one, by the environment variable NNKIT_RUN_LOG, which names the file. A line that
// cannot be written makes the training end with an error.
func RunLog(path string) *RunLogging {
	l := &RunLogging{path: path}
	if path == "" {
		l.err = errors.New("RunLog: the path is empty")
	}
	return l
}

// RunLogging is the callback that [RunLog] makes.
type RunLogging struct {
	BaseCallback
	path       string
	parameters map[string]any
	err        error
}

// With adds a parameter to what the log tells of the run: a number, a text, or whatever can be JSON. It returns the callback.
func (l *RunLogging) With(name string, value any) *RunLogging {
	if _, err := json.Marshal(value); err != nil && l.err == nil {
		l.err = fmt.Errorf("RunLog: parameter %s: %w", name, err)
	}
	l.parameters = maps.Clone(l.parameters)
	if l.parameters == nil {
		l.parameters = map[string]any{}
	}
	l.parameters[name] = value
	return l
}

// runLogVariable names a file in which every Fit of the process is logged.
const runLogVariable = "NNKIT_RUN_LOG"

// TrainBegin tells of a parameter that cannot be written.
func (l *RunLogging) TrainBegin(t *Training) { t.Fail(l.err) }

// TrainEnd writes the line.
func (l *RunLogging) TrainEnd(t *Training) {
	if l.err != nil {
		return
	}
	if err := appendRun(l.path, newRun(t, l.parameters)); err != nil {
		t.Fail(fmt.Errorf("RunLog: %w", err))
	}
}

// Run is a training as a run log tells of it. It is a History for display's figures.
type Run struct {
	Time       time.Time      `json:"time"`                 // when it ended
	Parameters map[string]any `json:"parameters,omitempty"` // given by With

	Model     string `json:"model"` // its layers, as Sequential was called where that can be told
	Optimizer string `json:"optimizer"`
	Loss      string `json:"loss"`

	Rows           int `json:"rows"`
	ValidationRows int `json:"validation_rows"`
	BatchSize      int `json:"batch_size"`
	Epochs         int `json:"epochs"` // that were asked for
	Seed           int `json:"seed"`

	Scores   []string           `json:"names"`    // of the series, in order
	Metrics  map[string]numbers `json:"metrics"`  // the series, a number for each epoch; null where there is none
	Maximize []string           `json:"maximize"` // the series of which more is better

	Duration float64           `json:"duration"`          // in seconds
	Stopped  string            `json:"stopped,omitempty"` // why a callback stopped it early
	Error    string            `json:"error,omitempty"`   // what ended it
	Weights  string            `json:"weights"`           // SHA-256 of all weights and states at the end
	Versions map[string]string `json:"versions"`          // "go", "arch", and "nnkit" where it is known
}

// Names returns the names of the series in order, as [History.Names] does.
func (r Run) Names() []string { return slices.Clone(r.Scores) }

// Series returns the values under a name, the first epoch first, nil when there is no such name.
func (r Run) Series(name string) []float64 { return slices.Clone(r.Metrics[name]) }

// BestEpochBy returns the first epoch, counted from 1, with the best value of a series, as [History.BestEpochBy] does.
func (r Run) BestEpochBy(name string) int {
	return bestEpoch(name, r.Metrics[name], slices.Contains(r.Maximize, name))
}

// numbers are a series; what is no number is null in JSON.
type numbers []float64

// MarshalJSON implements json.Marshaler.
func (n numbers) MarshalJSON() ([]byte, error) {
	list := make([]any, len(n))
	for i, v := range n {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			list[i] = v
		}
	}
	return json.Marshal(list)
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *numbers) UnmarshalJSON(data []byte) error {
	var list []*float64
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	*n = make(numbers, len(list))
	for i, v := range list {
		(*n)[i] = math.NaN()
		if v != nil {
			(*n)[i] = *v
		}
	}
	return nil
}

func newRun(t *Training, parameters map[string]any) *Run {
	m, h := t.Model, t.History
	r := &Run{
		Time: time.Now().UTC().Truncate(time.Millisecond), Parameters: parameters,
		Optimizer: m.compiled.optimizer.String(), Loss: lossText(m.compiled.loss),
		Rows: t.Rows, ValidationRows: t.ValidationRows, BatchSize: t.batchSize, Epochs: t.Epochs, Seed: m.seed,
		Scores: h.Names(), Metrics: map[string]numbers{}, Maximize: []string{},
		Duration: math.Round(t.Elapsed().Seconds()*1e6) / 1e6, Stopped: t.reason, Weights: m.hash(),
		Versions: map[string]string{"go": runtime.Version(), "arch": runtime.GOARCH},
	}
	for _, name := range r.Scores {
		r.Metrics[name] = numbers(h.series[name])
		if h.maximum[name] {
			r.Maximize = append(r.Maximize, name)
		}
	}
	var err error
	if r.Model, err = m.source(); err != nil { // a layer of the user's own
		var kinds []string
		for _, l := range m.Layers() {
			kinds = append(kinds, l.Kind)
		}
		r.Model = strings.Join(kinds, ", ")
	}
	if t.err != nil {
		r.Error = t.err.Error()
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range append(slices.Clone(info.Deps), &info.Main) {
			if d.Path == "github.com/seed5607215b/nnkit" && d.Version != "" && d.Version != "v0.0.0" { // that is sources in a folder
				r.Versions["nnkit"] = d.Version
			}
		}
	}
	return r
}

// lossText names what training makes small.
func lossText(o Objective) string {
	losses, several := o.(Losses)
	if !several {
		return fmt.Sprint(o)
	}
	var parts []string
	for _, output := range slices.Sorted(maps.Keys(losses)) {
		parts = append(parts, output+": "+losses[output].String())
	}
	return strings.Join(parts, ", ")
}

// hash returns a hash of all weights and states, which is the same where they are the same to the bit.
func (m *Model) hash() string {
	sum := sha256.New()
	var b []byte
	for _, p := range slices.Concat(m.parameters, m.states) {
		fmt.Fprintf(sum, "%s %v\n", p.Name(), p.leaf.shape)
		b = b[:0]
		for _, v := range p.leaf.data {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		sum.Write(b)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// appendRun writes a line at the end of a file, in one piece, since others may write to it too.
func appendRun(path string, r *Run) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// ReadRuns reads a file that [RunLog] has written, the first training first. A line that a process did not finish, the last
// one, is left out; any other that is none is an error with its number.
func ReadRuns(path string) ([]Run, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ReadRuns: %w", err)
	}
	runs, err := parseRuns(data)
	if err != nil {
		return nil, fmt.Errorf("ReadRuns: %s, %w", path, err)
	}
	return runs, nil
}

func parseRuns(data []byte) ([]Run, error) {
	var runs []Run
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for number := 1; lines.Scan(); number++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var r Run
		if err := json.Unmarshal(line, &r); err != nil {
			if !bytes.HasSuffix(data, []byte("\n")) && bytes.HasSuffix(data, lines.Bytes()) {
				break
			}
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		runs = append(runs, r)
	}
	return runs, lines.Err()
}
