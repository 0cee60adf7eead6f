package nnkit

import (
	"fmt"
	"iter"
	"slices"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// Shards cuts each batch into so many shards of neighbouring rows, whose gradients are found each by itself and added along a
// fixed tree. That is how ranks share a batch (see [Distribute]); without them it only shows what they would come to, to the
// last bit. Sums are rounded elsewhere than without shards, and than with another number of them.
//
// Nothing else changes: what is dropped depends on a row's place in the batch, batch normalizations look at all rows of the
// batch, and losses and metrics are those of all rows. A layer of one's own that looks at several rows sees those of its shard;
// a state that it changes becomes the mean, over the rows, of what the shards have made of it. A [LossFunc] or [MetricFunc]
// that makes one number of many rows counts as the mean over the shards. A batch of fewer rows has as many shards as rows.
func Shards(n int) FitOption {
	return fitFunc(func(s *fitSettings) {
		if s.shards = n; n < 1 {
			s.err = fmt.Errorf("Shards(%d): it must be at least 1", n)
		}
	})
}

// defaultShards is how many shards a batch has that ranks share.
const defaultShards = 8

// sharding takes the steps of a training in shards, those of this process.
type sharding struct {
	*crew
	m      *Model
	count  int // shards of a batch that has rows enough
	shards []*shard
	// inTurns says that the shards of a rank wait for each other within a step, and for those of other ranks, to know what all
	// have found. Each has memory of its own then; else one serves for all, one after the other.
	inTurns bool
	tree    tree
	reduce  reduction
	quiet   grading
	err     error     // of a shard of this rank that has failed
	record  []float64 // of this rank's shards, each behind its kind and its size
	joined  [][]float64
	sum     []float32 // gradients, and behind them by how much states change
	spare   [][]float32
	states  [][]float32 // where they are between the steps
}

// shard is rows of a batch at work.
type shard struct {
	trainer
	of        *sharding
	lo, hi, n int // the rows, and how many the batch has
	noise     random.Stream
	sum       []float32 // the gradient, and the states
	marks     []int64   // of the parameters, while others are at work
	kind      recordKind
	record    []float64
	found     []float64               // room for the last record
	err       error                   // of one that has failed
	resume    func() (struct{}, bool) // in turns: until the next record
	stop      func()
	yield     func(struct{}) bool
}

// recordKind says what a shard has come to.
type recordKind int

const (
	joins  recordKind = iota // what the others have found is wanted
	done                     // the record is its losses and metrics
	failed                   // the record is a text
)

// shared returns what takes the trainer's steps in shards.
func (t *trainer) shared(c *crew, count int) *sharding {
	s := &sharding{crew: c, m: t.m, count: count, inTurns: !t.cut.possible, reduce: reduction{crew: c}, quiet: t.m.newGrading(), sum: t.m.gradients}
	width := len(t.m.gradients)
	for _, p := range t.m.states {
		s.states = append(s.states, p.leaf.data)
		width += p.Len()
	}
	if width > len(s.sum) {
		s.sum = make([]float32, width)
	}
	s.tree.free = s.giveBack
	most := 1
	if s.inTurns {
		most = (count + c.size - 1) / c.size
	}
	for range most {
		one := &shard{of: s, trainer: *newTrainer(t.m, 0, &rows{}), marks: make([]int64, len(t.m.parameters))}
		one.batch = t.batch
		if s.inTurns {
			one.tape.shard = one
			one.resume, one.stop = iter.Pull(one.turns)
		}
		s.shards = append(s.shards, one)
	}
	return s
}

// share has the steps of a training taken in shards, if options ask for it, by this process and others.
func (f *fit) share() error {
	ranks := f.s.ranks
	if all := everybody.Load(); ranks == nil && all != nil {
		ranks = *all
	}
	var err error
	if f.crew, err = newCrew(ranks); err != nil {
		return err
	}
	count := f.s.shards
	if count == 0 && ranks != nil {
		count = defaultShards
	}
	if count == 0 {
		return nil
	}
	if count < f.crew.size {
		return fmt.Errorf("Distribute: a batch has %d shards, and there are %d ranks to share them: give Fit nnkit.Shards(%d), or start fewer "+
			"ranks; the number of shards, but not that of ranks, shows in the last digits of the result", count, f.crew.size, f.crew.size)
	}
	f.sharding = f.trainer.shared(f.crew, count)
	f.state.rank = f.crew.rank
	if f.crew.rank > 0 {
		f.print = false
		f.s.callbacks = slices.DeleteFunc(f.s.callbacks, func(c Callback) bool {
			switch c.(type) {
			case Progress, *RunLogging, *TensorBoardLog:
				return true
			}
			return false
		})
	}
	return f.sameBeginning()
}

// close ends the shards.
func (s *sharding) close() {
	if s == nil {
		return
	}
	for _, one := range s.shards {
		if one.stop != nil {
			one.stop()
		}
	}
}

// place has the backward pass write gradients, and layers keep states, in sum.
func (s *sharding) place(sum []float32) {
	at := 0
	for _, p := range s.m.parameters {
		p.gradient = sum[at:][:p.Len():p.Len()]
		at += aligned(p.Len())
	}
	at = len(s.m.gradients)
	for _, p := range s.m.states {
		p.leaf.data = sum[at:][:p.Len():p.Len()]
		at += p.Len()
	}
}

// settle takes the sum over all shards for the model's gradients and states.
func (s *sharding) settle() {
	s.place(s.sum)
	if len(s.states) == 0 {
		return
	}
	copy(s.m.gradients, s.sum)
	at := 0
	for _, p := range s.m.parameters {
		p.gradient = s.m.gradients[at:][:p.Len():p.Len()]
		at += aligned(p.Len())
	}
	for i, p := range s.m.states {
		state := s.states[i]
		for k, change := range p.leaf.data {
			state[k] += change
		}
		p.leaf.data = state
	}
}

// step takes the first n rows of the batch forwards and backwards. It returns their mean loss, and leaves the gradients behind.
func (s *sharding) step(g *grading, n int) (float64, error) {
	m := s.m
	noise := random.Stream{Seed: uint64(int64(m.seed)), Purpose: random.Dropout, Index: uint32(m.batches) - 1} // as without shards
	m.batches++
	weights := backwards.Add(1)
	shards := min(s.count, n)
	lo, hi := s.span(s.rank, shards)
	s.tree.begin(shards)
	begin := func(one *shard, i int) {
		one.lo, one.hi, one.n, one.noise = i*n/shards, (i+1)*n/shards, n, noise
		one.tape.weights = weights
		one.sum = s.blank(i == lo)
	}
	s.record = s.record[:0]
	if s.inTurns {
		list := s.shards[:hi-lo]
		for i, one := range list {
			begin(one, lo+i)
		}
		for {
			s.record = s.record[:0]
			for _, one := range list {
				one.enter()
				one.resume()
				one.leave()
			}
			if kind, err := s.join(shards); err != nil {
				return 0, err
			} else if kind == done {
				break
			}
		}
		for i, one := range list {
			s.tree.add(subtree{index: lo + i, data: one.sum})
		}
	} else {
		one := s.shards[0]
		for i := lo; i < hi; i++ {
			begin(one, i)
			one.enter()
			one.run()
			one.leave()
			s.tree.add(subtree{index: i, data: one.sum})
		}
		if _, err := s.join(shards); err != nil {
			return 0, err
		}
	}
	if err := s.reduce.all(s.tree.open, shards, s.sum); err != nil {
		return 0, err
	}
	for _, own := range s.tree.open {
		s.giveBack(own.data)
	}
	s.settle()

	g.beginBatch()
	before := g.penalty
	for _, record := range s.joined {
		g.take(record)
	}
	tape := &s.shards[0].tape
	m.addPenaltyGradient(tape)
	own := float64(float64(n) * m.penalty(tape))
	g.penalty += own
	return g.endBatch() + (g.penalty-before)/float64(n), nil
}

// rows returns which of a batch's n rows are in the shards of this rank.
func (s *sharding) rows(n int) (lo, hi int) {
	shards := min(s.count, n)
	first, end := s.span(s.rank, shards)
	return first * n / shards, end * n / shards
}

// blank returns memory for a shard's gradient, zero where nothing is trained, and states. To that of the first the others are added,
// so it is where their sum is wanted.
func (s *sharding) blank(first bool) []float32 {
	var sum []float32
	if n := len(s.spare); first {
		sum = s.sum
	} else if n > 0 {
		sum, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		sum = make([]float32, len(s.sum))
	}
	at := 0
	for _, p := range s.m.parameters {
		if !p.Trainable() {
			clear(sum[at:][:p.Len()])
		}
		at += aligned(p.Len())
	}
	at = len(s.m.gradients)
	for _, state := range s.states {
		at += copy(sum[at:], state)
	}
	return sum
}

// giveBack takes memory back.
func (s *sharding) giveBack(sum []float32) {
	if &sum[0] != &s.sum[0] {
		s.spare = append(s.spare, sum)
	}
}

// enter has the model's gradients and states be those of the shard, and leave takes in what it has come to.
func (s *shard) enter() {
	s.of.place(s.sum)
	for i, p := range s.m.parameters {
		p.mark = s.marks[i]
	}
}

func (s *shard) leave() {
	for i, p := range s.m.parameters {
		s.marks[i] = p.mark
	}
	if s.kind == failed {
		s.of.err = s.err
	}
	s.of.record = append(append(s.of.record, float64(s.kind), float64(len(s.record))), s.record...)
	if s.kind != done {
		return
	}
	// Of states the sum holds how much the shard wants them to change.
	share, at := float32(s.hi-s.lo)/float32(s.n), len(s.m.gradients)
	for _, state := range s.of.states {
		for k, v := range state {
			s.sum[at+k] = (s.sum[at+k] - v) * share
		}
		at += len(state)
	}
}

// turns runs the shard of each step in turn, until it is stopped.
func (s *shard) turns(yield func(struct{}) bool) {
	defer func() {
		switch e := recover().(type) {
		case nil, shardStopped:
		default:
			panic(e)
		}
	}()
	s.yield = yield
	for {
		s.run()
		s.await()
	}
}

// shardStopped ends a shard that waits.
type shardStopped struct{}

func (s *shard) await() {
	if !s.yield(struct{}{}) {
		panic(shardStopped{})
	}
}

// together returns what all shards of the batch have found, in their order, until the next time. All come to it.
func (s *shard) together(record []float64) [][]float64 {
	s.kind, s.record = joins, record
	s.await()
	return s.of.joined
}

// run takes the shard forwards and backwards.
func (s *shard) run() {
	if s.err = s.pass(); s.err != nil {
		s.kind, s.record = failed, appendText(nil, s.err.Error())
		return
	}
	s.found = s.grading.put(s.found[:0])
	s.kind, s.record = done, s.found
}

func (s *shard) pass() error {
	tape, g := &s.tape, &s.grading
	g.reset()
	if s.cut.possible && s.cut.rows == 0 {
		tape.noise, tape.portion = s.noise, portion{first: s.lo, from: s.lo, rows: 1, batch: s.n}
		if err := s.portion(false); err != nil {
			return err
		}
		s.cut.learn(tape.Bytes(), 4*len(s.m.weights))
	}
	g.beginBatch()
	for at := s.lo; at < s.hi; at += tape.portion.rows {
		tape.noise, tape.portion = s.noise, s.cut.next(s.lo, at, s.hi, s.n)
		if err := s.portion(true); err != nil {
			return err
		}
	}
	tape.clearMissed(s.m.parameters)
	g.penalty, g.rows = tape.penalty, s.hi-s.lo
	g.endBatch()
	return nil
}

// countPlaces counts the places of all shards that masks leave.
func (s *shard) countPlaces() {
	g := &s.grading
	masked := false
	var left []float64
	for i := range g.outputs {
		j := &g.outputs[i].judged
		masked = masked || j.mask != nil
		left = append(left, float64(j.valid()))
	}
	if !masked {
		return
	}
	all := s.together(left)
	for i := range g.outputs {
		j := &g.outputs[i].judged
		j.left = 0
		for _, record := range all {
			j.left += int(record[i])
		}
	}
}

// join gathers the records of all shards, of all ranks.
func (s *sharding) join(shards int) (recordKind, error) {
	all, err := s.gather(s.record)
	if err != nil {
		return failed, err
	}
	s.joined = s.joined[:0]
	kinds := [failed + 1]int{}
	for r, list := range all {
		for len(list) > 0 {
			kind, size := recordKind(list[0]), int(list[1])
			record := list[2 : 2+size]
			if list = list[2+size:]; kind == failed {
				if r == s.rank {
					return failed, s.err
				}
				text, _ := takeText(record)
				return failed, fmt.Errorf("rank %d: %s", r, text)
			}
			kinds[kind]++
			s.joined = append(s.joined, record)
		}
	}
	switch shards {
	case kinds[done]:
		return done, nil
	case kinds[joins]:
		return joins, nil
	}
	return failed, fmt.Errorf("the shards of a batch part: %d have taken their step, and %d wait for what all have found: a layer of "+
		"your own must compute with the same layers for all rows", kinds[done], kinds[joins])
}

// evaluate writes the loss and the metrics of all rows, judged by step at a time; each rank judges some.
func (s *sharding) evaluate(w *network, all *rows, step int, g *grading, values []float64) error {
	parts := (all.n + step - 1) / step
	s.record = s.record[:0]
	first, end := s.span(s.rank, parts)
	for i := first; i < end; i++ {
		lo, hi := i*step, min((i+1)*step, all.n)
		kind, record := done, []float64(nil)
		s.quiet.reset()
		if s.err = w.grade(&s.quiet, all, lo, hi); s.err != nil {
			kind, record = failed, appendText(nil, s.err.Error())
		} else {
			record = s.quiet.put(nil)
		}
		s.record = append(append(s.record, float64(kind), float64(len(record))), record...)
		if kind == failed {
			break
		}
	}
	if _, err := s.join(parts); err != nil {
		return err
	}
	g.reset()
	g.beginBatch()
	for _, record := range s.joined {
		g.take(record)
	}
	g.endBatch()
	g.scores(values, true)
	values[0] += w.m.penalty(&w.tape)
	return nil
}

// put writes what a grading has added up behind other numbers.
func (g *grading) put(to []float64) []float64 {
	to = append(to, g.penalty, float64(g.rows))
	for i := range g.outputs {
		o := &g.outputs[i]
		to = append(to, o.total, float64(o.seen))
		for _, m := range o.meters {
			to = m.put(to)
		}
	}
	return to
}

// take adds what another grading has added up, its losses as those of the present batch.
func (g *grading) take(from []float64) {
	g.penalty += from[0]
	g.rows += int(from[1])
	from = from[2:]
	for i := range g.outputs {
		o := &g.outputs[i]
		o.sum += from[0]
		o.valid += int(from[1])
		from = from[2:]
		for _, m := range o.meters {
			from = m.take(from)
		}
	}
}
