package nnkit

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// monitor watches a score for [EarlyStopping] and [ReduceLROnPlateau], which fill in their defaults.
type monitor struct {
	caller    string
	score     string
	mode      MonitorMode
	minDelta  float64
	patience  int
	baseline  float64 // NaN for none
	startFrom int
	restore   bool
	factor    float64
	cooldown  int
	minRate   float64
	err       error

	rises bool // more is better
	best  float64
	wait  int
}

// The options of both.
type (
	// StoppingOption is an argument of [EarlyStopping]: [Monitor], a [MonitorMode], [MinDelta], [Patience], [Baseline],
	// [StartFromEpoch] or [RestoreBestWeights].
	StoppingOption interface {
		setMonitor(m *monitor)
		stoppingOption()
	}
	// PlateauOption is an argument of [ReduceLROnPlateau]: [Monitor], a [MonitorMode], [MinDelta], [Patience], [Factor],
	// [Cooldown] or [MinLearningRate].
	PlateauOption interface {
		setMonitor(m *monitor)
		plateauOption()
	}
	// MonitorOption is an option of both [EarlyStopping] and [ReduceLROnPlateau].
	MonitorOption struct {
		onlyStopping
		onlyPlateau
	}
	onlyStopping struct{ set func(m *monitor) }
	onlyPlateau  struct{ set func(m *monitor) }
)

func (onlyStopping) stoppingOption()         {}
func (onlyPlateau) plateauOption()           {}
func (o onlyStopping) setMonitor(m *monitor) { o.set(m) }
func (o onlyPlateau) setMonitor(m *monitor)  { o.set(m) }

func (o MonitorOption) setMonitor(m *monitor) { o.onlyStopping.set(m) }

// forBoth makes an option of both.
func forBoth(set func(m *monitor)) MonitorOption {
	return MonitorOption{onlyStopping: onlyStopping{set}}
}

// Monitor says which score is watched, "val_loss" by default. The names are those of the [History].
func Monitor(score string) MonitorOption { return forBoth(func(m *monitor) { m.score = score }) }

// MinDelta says how much better a score must be to count as better; 0 by default for [EarlyStopping], 0.0001 for
// [ReduceLROnPlateau].
func MinDelta(by float64) MonitorOption { return forBoth(func(m *monitor) { m.minDelta = by }) }

// Patience says after how many epochs that are no better something is done; 0 by default for [EarlyStopping], which stops
// at the first, and 10 for [ReduceLROnPlateau].
func Patience(epochs int) MonitorOption { return forBoth(func(m *monitor) { m.patience = epochs }) }

// MonitorMode says whether a score should fall or rise. It is itself an option.
type MonitorMode int

// The modes.
const (
	AutoMode MonitorMode = iota // what the score is made for: an accuracy rises, a loss falls
	MinMode                     // it should fall
	MaxMode                     // it should rise
)

func (mode MonitorMode) setMonitor(m *monitor) { m.mode = mode }
func (MonitorMode) stoppingOption()            {}
func (MonitorMode) plateauOption()             {}

// begin checks the settings when a training begins, and starts over.
func (m *monitor) begin(t *Training) {
	names := t.History.Names()
	err := m.err
	switch {
	case err != nil:
	case m.minDelta < 0 || math.IsNaN(m.minDelta):
		err = fmt.Errorf("%s(MinDelta(%v)): it must be at least 0", m.caller, m.minDelta)
	case m.patience < 0:
		err = fmt.Errorf("%s(Patience(%d)): it must be at least 0", m.caller, m.patience)
	case m.mode < AutoMode || m.mode > MaxMode:
		err = fmt.Errorf("%s: the mode must be AutoMode, MinMode or MaxMode", m.caller)
	case !slices.Contains(names, m.score) && m.score == "val_"+strings.TrimPrefix(m.score, "val_") && slices.Contains(names, strings.TrimPrefix(m.score, "val_")):
		err = fmt.Errorf("%s: there is no %q without validation: give Fit nnkit.ValidationSplit(0.2), or write nnkit.Monitor(%q)",
			m.caller, m.score, strings.TrimPrefix(m.score, "val_"))
	case !slices.Contains(names, m.score):
		err = fmt.Errorf("%s: there is no score %q to monitor: there are %s", m.caller, m.score, strings.Join(names, ", "))
	}
	t.Fail(err)
	m.rises = m.mode == MaxMode || m.mode == AutoMode && t.History.maximum[m.score]
	m.best, m.wait = math.Inf(1), 0
	if m.rises {
		m.best = math.Inf(-1)
	}
}

// better says whether a score is better than another by more than MinDelta.
func (m *monitor) better(score, than float64) bool {
	if m.rises {
		return score-m.minDelta > than
	}
	return score+m.minDelta < than
}

// EarlyStopping ends a training when a score no longer gets better: a [Callback] of Keras' name and options.
//
//	model.Fit(x, y, nnkit.Epochs(500), nnkit.ValidationSplit(0.2),
//		nnkit.EarlyStopping(nnkit.Patience(10), nnkit.RestoreBestWeights()))
//
// [History.Stopped] says that it did, and [Stopper.BestEpoch] which epoch was the best. The one that stops is complete.
func EarlyStopping(options ...StoppingOption) *Stopper {
	s := &Stopper{monitor: monitor{caller: "EarlyStopping", score: "val_loss", baseline: math.NaN()}}
	for _, o := range options {
		if o != nil {
			o.setMonitor(&s.monitor)
		}
	}
	return s
}

// Stopper is the [Callback] that [EarlyStopping] makes.
type Stopper struct {
	BaseCallback
	monitor   monitor
	bestEpoch int
	weights   []float32
	states    [][]float32
}

// Baseline is a score that must be beaten before [EarlyStopping] has new patience.
func Baseline(score float64) StoppingOption {
	return onlyStopping{func(m *monitor) { m.baseline = score }}
}

// StartFromEpoch lets [EarlyStopping] look on from this epoch on only, counted from 1 as in [Training]; Keras counts from 0.
func StartFromEpoch(epoch int) StoppingOption {
	return onlyStopping{func(m *monitor) { m.startFrom = epoch }}
}

// RestoreBestWeights lets [EarlyStopping] put the weights of the best epoch back when the training ends, for whatever reason.
// Otherwise they stay those of the last.
func RestoreBestWeights() StoppingOption {
	return onlyStopping{func(m *monitor) { m.restore = true }}
}

// BestEpoch returns the epoch with the best score, counted from 1, 0 before there is one.
func (s *Stopper) BestEpoch() int { return s.bestEpoch }

// TrainBegin starts over.
func (s *Stopper) TrainBegin(t *Training) {
	s.monitor.begin(t)
	s.bestEpoch, s.weights, s.states = 0, nil, nil
}

// EpochEnd looks at the score.
func (s *Stopper) EpochEnd(t *Training) {
	m := &s.monitor
	if t.Epoch < m.startFrom {
		return
	}
	score := t.Scores.Value(m.score)
	m.wait++
	if better := m.better(score, m.best); better || s.bestEpoch == 0 {
		s.remember(t)
		if better {
			m.best = score
			if math.IsNaN(m.baseline) || m.better(score, m.baseline) {
				m.wait = 0
			}
			return
		}
	}
	if m.wait >= m.patience && t.Epoch > 1 {
		t.Stop(fmt.Sprintf("%s was no better than in epoch %d, %s", m.score, s.bestEpoch, scoreText(m.best)))
	}
}

// remember keeps the weights of the present epoch.
func (s *Stopper) remember(t *Training) {
	s.bestEpoch = t.Epoch
	if !s.monitor.restore {
		return
	}
	s.weights = append(s.weights[:0], t.Model.weights...)
	if s.states == nil {
		s.states = make([][]float32, len(t.Model.states))
	}
	for i, p := range t.Model.states {
		s.states[i] = append(s.states[i][:0], p.Data()...)
	}
}

// TrainEnd puts the best weights back.
func (s *Stopper) TrainEnd(t *Training) {
	if s.weights == nil {
		return
	}
	copy(t.Model.weights, s.weights)
	for i, p := range t.Model.states {
		copy(p.Data(), s.states[i])
	}
}

// ReduceLROnPlateau multiplies the learning rate by a factor when a score no longer gets better: a [Callback] of Keras'
// name and options. The optimizer's rate must be a number, not a [Schedule].
func ReduceLROnPlateau(options ...PlateauOption) *PlateauReducer {
	r := &PlateauReducer{monitor: monitor{caller: "ReduceLROnPlateau", score: "val_loss", minDelta: 1e-4, patience: 10, factor: 0.1}}
	for _, o := range options {
		if o != nil {
			o.setMonitor(&r.monitor)
		}
	}
	return r
}

// PlateauReducer is the [Callback] that [ReduceLROnPlateau] makes.
type PlateauReducer struct {
	BaseCallback
	monitor monitor
	cooling int // epochs left without looking
}

// Factor is by what [ReduceLROnPlateau] multiplies the learning rate; 0.1 by default. Above 0 and below 1.
func Factor(factor float64) PlateauOption {
	return onlyPlateau{func(m *monitor) { m.factor = factor }}
}

// Cooldown is how many epochs [ReduceLROnPlateau] waits after it has reduced the rate before it counts again; 0 by default.
func Cooldown(epochs int) PlateauOption {
	return onlyPlateau{func(m *monitor) { m.cooldown = epochs }}
}

// MinLearningRate is below what [ReduceLROnPlateau] does not go; 0 by default.
func MinLearningRate(rate float64) PlateauOption {
	return onlyPlateau{func(m *monitor) { m.minRate = rate }}
}

// TrainBegin starts over.
func (r *PlateauReducer) TrainBegin(t *Training) {
	m := &r.monitor
	switch schedule := t.step.schedule; {
	case !(m.factor > 0 && m.factor < 1):
		m.err = fmt.Errorf("ReduceLROnPlateau(Factor(%v)): it must be above 0 and below 1", m.factor)
	case m.cooldown < 0 || !(m.minRate >= 0):
		m.err = fmt.Errorf("ReduceLROnPlateau: Cooldown(%d) and MinLearningRate(%v) must be at least 0", m.cooldown, m.minRate)
	case !schedule.constant():
		m.err = fmt.Errorf("ReduceLROnPlateau: the learning rate follows %s: give the optimizer a number, or leave out the callback", schedule)
	}
	m.begin(t)
	r.cooling = 0
}

// EpochEnd looks at the score.
func (r *PlateauReducer) EpochEnd(t *Training) {
	m := &r.monitor
	if r.cooling > 0 {
		r.cooling--
		m.wait = 0
	}
	switch score := t.Scores.Value(m.score); {
	case m.better(score, m.best):
		m.best, m.wait = score, 0
	case r.cooling == 0:
		m.wait++
		if rate := t.LearningRate(); m.wait >= m.patience && rate > m.minRate {
			t.SetLearningRate(max(rate*m.factor, m.minRate))
			r.cooling, m.wait = m.cooldown, 0
		}
	}
}
