package experiment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

// A Plan is a sweep written down: each of its runs can be executed from it by a
// process of its own, here or on another machine, and the sweep can be gone on with
// later. It lies in the sweep's folder, into which the runs' files go.
type Plan struct {
	Format int    `json:"format"` // 1
	Name   string `json:"name"`   // of the notebook's file
	Dir    string `json:"dir"`    // the notebook's folder, as seen from the sweep's
	// Flags are those of the command line that each run is executed with.
	Flags []string `json:"flags"`
	Runs  []Run    `json:"runs"`
	// Data are hashes of the files that the notebook reads, by their names.
	Data map[string]string `json:"data,omitempty"`
	// Code is a hash of what is executed, and Basis of that and the data: results of
	// another basis are not those of this sweep.
	Code  string `json:"code"`
	Basis string `json:"basis"`
	// Notebook is the notebook, not executed and without settings.
	Notebook json.RawMessage `json:"notebook"`
}

// PlanName is the name of a plan's file.
const PlanName = "sweep.json"

const planFormat = 1

// A Run is one execution of a plan.
type Run struct {
	Name     string         `json:"name"`     // of its files, without the ending
	Settings []Setting      `json:"settings"` // those of the sweep
	Given    map[string]any `json:"given"`    // all settings, by name
	Source   string         `json:"source"`   // the cell that gives them to the notebook
	// Program is the number of the notebook's program that executes the run, from 1
	// on, where it is executed by one: they differ by the values of constants.
	Program int `json:"program"`
}

// NewPlan plans a sweep over a grid. The settings that are given are those of all
// runs. What does not suit a parameter is an error. The Basis is still to be settled.
func NewPlan(nb *notebook.Notebook, file string, flags []string, given []Setting, grid [][]Setting) (*Plan, error) {
	p := &Plan{Format: planFormat, Name: filepath.Base(file), Flags: flags}
	var err error
	if p.Notebook, err = nb.MarshalJSON(); err != nil {
		return nil, err
	}
	parameters, err := Parameters(nb)
	if err != nil {
		return nil, err
	}
	constant := func(s Setting) bool {
		return slices.ContainsFunc(parameters, func(p Parameter) bool { return p.Name == s.Name && p.Constant })
	}
	digits := len(strconv.Itoa(len(grid)))
	programs := map[string]int{} // by the constants
	for i, point := range grid {
		settings := append(slices.Clone(given), point...)
		r := Run{Name: fileName(fmt.Sprintf("%0*d", digits, i+1), point), Settings: point}
		if r.Source, r.Given, err = injection(nb, settings); err != nil {
			return nil, err
		}
		constants := settingsText(slices.DeleteFunc(settings, func(s Setting) bool { return !constant(s) }))
		if programs[constants] == 0 {
			programs[constants] = len(programs) + 1
		}
		r.Program = programs[constants]
		p.Runs = append(p.Runs, r)
	}
	return p, nil
}

// Settle settles what the sweep's results rest on: the notebook, the flags, what its
// cells are compiled with, as a hash, and the files in dir that it reads. A file that
// an earlier plan of the same code does not know is taken for one that runs make.
func (p *Plan) Settle(nb *notebook.Notebook, dir, compiledWith string, earlier *Plan) error {
	var cells []any
	for _, c := range nb.Cells {
		if c.Type == notebook.Code {
			cells = append(cells, c.Source, c.Tagged("skip-execution"), c.Tagged("raises-exception"))
		}
	}
	p.Code = hashOf(cells, p.Flags, compiledWith)
	var l Lock
	if err := l.Survey(nb, dir); err != nil {
		return err
	}
	p.Data = l.Data
	if earlier != nil && earlier.Code == p.Code {
		for name := range p.Data {
			if earlier.Data[name] == "" {
				delete(p.Data, name)
			}
		}
	}
	p.Basis = hashOf(p.Code, p.Data)
	return nil
}

// hashOf is a short hash of some values: of their JSON, in which maps are sorted.
func hashOf(values ...any) string {
	h := sha256.New()
	_ = json.NewEncoder(h).Encode(values) // a hash takes all, and they are texts
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// ID is a name for the plan as it is, of eight letters and digits.
func (p *Plan) ID() string { return hashOf(p)[:8] }

// ReadPlan reads the plan in a sweep's folder, nil if there is none.
func ReadPlan(dir string) (*Plan, error) {
	name := filepath.Join(dir, PlanName)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read a sweep's plan: %w", err)
	}
	p := new(Plan)
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("read a sweep's plan: %s: %w", name, err)
	}
	if p.Format != planFormat {
		return nil, fmt.Errorf("%s is a plan of format %d, and this kernel knows %d: delete it to begin anew", name, p.Format, planFormat)
	}
	return p, nil
}

// Write writes the plan into a sweep's folder.
func (p *Plan) Write(dir string) error {
	data, err := json.MarshalIndent(p, "", " ")
	if err == nil {
		err = replaceFile(filepath.Join(dir, PlanName), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write a sweep's plan: %w", err)
	}
	return nil
}

// NotebookOf is the notebook with the settings of a run.
func (p *Plan) NotebookOf(r Run) (*notebook.Notebook, error) {
	nb, err := notebook.Read(p.Notebook)
	if err == nil {
		inject(nb, r.Source, r.Given)
	}
	return nb, err
}

// An ending is what a run leaves when it is over.
type ending struct {
	Basis    string  `json:"basis"` // of the plan
	Settings string  `json:"settings"`
	Seconds  float64 `json:"seconds"`
	Failure  string  `json:"failure,omitempty"`
}

func endingFile(dir string, r Run) string { return filepath.Join(dir, r.Name+".json") }

// Forget removes what says that a run is over, and its run log.
func Forget(dir string, r Run) error {
	for _, name := range []string{endingFile(dir, r), RunLogFile(dir, r)} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// RunLogFile is the name of the file for the trainings of a run.
func RunLogFile(dir string, r Run) string { return filepath.Join(dir, r.Name+".jsonl") }

// End says that a run is over: how long it took, and how it failed, if it did. It
// comes last, when the run's other files are written.
func (p *Plan) End(dir string, r Run, elapsed time.Duration, failure string) error {
	data, err := json.Marshal(ending{p.Basis, settingsText(r.Settings), elapsed.Seconds(), failure})
	if err != nil {
		return err
	}
	return replaceFile(endingFile(dir, r), append(data, '\n'))
}

// Trial reads what became of a run. It is not over if no run of the plan's basis and
// these settings has said so.
func (p *Plan) Trial(dir string, r Run) (t Trial, over bool) {
	t = Trial{Settings: r.Settings, Name: r.Name}
	data, err := os.ReadFile(endingFile(dir, r))
	var e ending
	if err != nil || json.Unmarshal(data, &e) != nil || e.Basis != p.Basis || e.Settings != settingsText(r.Settings) {
		return t, false // there is none, or it is another's
	}
	t.Elapsed, t.Failure = time.Duration(e.Seconds*float64(time.Second)), e.Failure
	if t.Trainings, err = ReadRunLog(RunLogFile(dir, r)); err != nil && t.Failure == "" {
		t.Failure = err.Error()
	}
	return t, true
}

// settingsText is settings as they are given.
func settingsText(settings []Setting) string {
	var parts []string
	for _, s := range settings {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, " ")
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9._=+-]+`)

// fileName makes of a run's number and its settings the name of its files.
func fileName(number string, point []Setting) string {
	parts := []string{number}
	for _, p := range point {
		parts = append(parts, p.String())
	}
	name := strings.Trim(unfit.ReplaceAllString(strings.Join(parts, "-"), "_"), "_")
	const most = 100
	return name[:min(len(name), most)]
}

// replaceFile writes a file as a whole or not at all.
func replaceFile(name string, data []byte) error {
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".new")
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := os.WriteFile(temporary, data, 0o666); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}
