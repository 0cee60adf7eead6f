package nnkit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"sync/atomic"
	"unsafe"
)

// Ranks are processes that run the same program and train one model together: each computes some shards of every batch, and
// all come to the same weights. It is what Fit needs of a library that carries bytes between processes. All methods are
// called in the same order by all ranks, and by one goroutine at a time.
type Ranks interface {
	// Rank is this process' number, from 0 on, and Size how many there are.
	Rank() int
	Size() int
	// Exchange sends a message to one rank and receives one from another, or the same, at the same time. The receiver knows
	// the size.
	Exchange(to int, message []byte, from int, received []byte) error
	// Gather gives every rank the messages of all, which are of one size, one behind the other in the order of the ranks.
	Gather(message, all []byte) error
}

// Distribute has Fit train together with the other ranks, which must call it with the same data and options. Whoever trains,
// and how many they are, does not show in the result: it is, to the last bit, that of one process with the same [Shards], which
// are 8 unless that option says otherwise. There must be as many shards as ranks, or more.
//
// Scores, history, early stopping and all else that follows from them are the same on all ranks. Callbacks are called on each,
// less those that show or write: Fit's own lines, checkpoints, logs and live curves are rank 0's. A callback of one's own asks
// [Training.Rank] before it prints or writes. When one rank is interrupted, stops or fails, all end after the same batch. What would make the
// ranks part, such as data that are not the same, is an error that says which rank has what.
//
// Package mpi has the ranks of an MPI program.
func Distribute(ranks Ranks) FitOption {
	return fitFunc(func(s *fitSettings) {
		if s.ranks = ranks; ranks == nil {
			s.err = errors.New("Distribute(nil): leave the option out to train in one process")
		}
	})
}

// SetRanks makes every later Fit that is not given [Distribute] one of these ranks, as a program does that is started many times
// at once; nil has each Fit train by itself again.
func SetRanks(ranks Ranks) {
	if ranks == nil {
		everybody.Store(nil)
		return
	}
	everybody.Store(&ranks)
}

var everybody atomic.Pointer[Ranks]

// rawBytes are numbers as they lie in memory.
func rawBytes[E float32 | float64](x []E) []byte {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(x[0])))
}

// crew is a process among the ranks, or alone.
type crew struct {
	ranks      Ranks // nil for one that is alone
	rank, size int

	// What records are sent in: each has its size first.
	room     int
	out, all []float64
	records  [][]float64
}

func newCrew(ranks Ranks) (*crew, error) {
	c := &crew{size: 1, room: 64}
	if ranks != nil {
		c.ranks, c.rank, c.size = ranks, ranks.Rank(), ranks.Size()
	}
	if c.size < 1 || c.rank < 0 || c.rank >= c.size {
		return nil, fmt.Errorf("Distribute: rank %d of %d: ranks are numbered from 0 on", c.rank, c.size)
	}
	return c, nil
}

// gather returns the records of all ranks. They last until the next call.
func (c *crew) gather(record []float64) ([][]float64, error) {
	c.records = grown(c.records, c.size)
	if c.ranks == nil {
		c.all = append(c.all[:0], record...)
		c.records[0] = c.all
		return c.records, nil
	}
	for {
		c.out, c.all = grown(c.out, c.room), grown(c.all, c.room*c.size)
		c.out[0] = float64(len(record))
		copy(c.out[1:], record)
		if err := c.ranks.Gather(rawBytes(c.out), rawBytes(c.all)); err != nil {
			return nil, c.broken(err)
		}
		largest := 0
		for r := range c.records {
			one := c.all[r*c.room:][:c.room]
			n := int(one[0])
			largest = max(largest, n)
			c.records[r] = one[1:min(1+n, c.room)]
		}
		if largest < c.room {
			return c.records, nil
		}
		c.room = 2 * largest // all come to the same
	}
}

// several says whether there are ranks to agree with.
func (c *crew) several() bool { return c != nil && c.ranks != nil }

func (c *crew) broken(err error) error {
	return fmt.Errorf("rank %d of %d has lost the others: %w", c.rank, c.size, err)
}

// appendText writes a text behind numbers.
func appendText(to []float64, text string) []float64 {
	to = append(to, float64(len(text)))
	for i := range len(text) {
		to = append(to, float64(text[i]))
	}
	return to
}

// takeText is the other way.
func takeText(from []float64) (text string, rest []float64) {
	n := int(from[0])
	b := make([]byte, n)
	for i, v := range from[1 : 1+n] {
		b[i] = byte(v)
	}
	return string(b), from[1+n:]
}

func indicator(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// agree lets the ranks agree on how to go on: when one has been interrupted, stopped or has failed, all have.
func (f *fit) agree() error {
	c, t := f.crew, &f.state
	if !c.several() {
		return t.err
	}
	problem := ""
	if t.err != nil {
		problem = t.err.Error()
	}
	record := append(f.wishes[:0], indicator(t.ctx.Err() != nil), indicator(t.stopped), indicator(t.err != nil), t.step.rate)
	record = appendText(appendText(record, t.reason), problem)
	f.wishes = record
	all, err := c.gather(record)
	if err != nil {
		return err
	}
	if t.step.schedule.constant() {
		t.step.rate = all[0][3]
	}
	for r, wishes := range all {
		if wishes[0] != 0 {
			f.interrupted = true
		}
		reason, rest := takeText(wishes[4:])
		if wishes[1] != 0 && !t.stopped {
			t.Stop(reason)
		}
		problem, _ := takeText(rest)
		if wishes[2] != 0 && t.err == nil {
			t.err = fmt.Errorf("rank %d: %s", r, problem)
		}
	}
	return t.err
}

// ended says whether the training has been interrupted, on this rank or another.
func (f *fit) ended() error {
	if !f.crew.several() {
		return f.state.ctx.Err()
	}
	if f.interrupted {
		return ErrInterrupted
	}
	return nil
}

// An agreed is something that must be the same on all ranks.
type agreed struct {
	what   string
	value  float64
	remedy string
}

// same compares what this rank has with what the others have.
func (c *crew) same(list []agreed) error {
	record := make([]float64, len(list))
	for i, a := range list {
		record[i] = a.value
	}
	all, err := c.gather(record)
	if err != nil {
		return err
	}
	for i, a := range list {
		for r := range all {
			if len(all[r]) != len(list) {
				return fmt.Errorf("rank %d and rank 0 are at different places of the program: all must run the same", r)
			}
			if math.Float64bits(all[r][i]) != math.Float64bits(all[0][i]) {
				return fmt.Errorf("rank %d has another %s than rank 0: %s", r, a.what, a.remedy)
			}
		}
	}
	return nil
}

// sameBeginning compares what a training begins with.
func (f *fit) sameBeginning() error {
	if !f.crew.several() {
		return nil
	}
	const program = "all must run the same program with the same options"
	const data = "all must read, and shuffle, the same data"
	return f.crew.same([]agreed{
		{"number of epochs", float64(f.s.epochs), program},
		{"batch size", float64(f.state.batchSize), program},
		{"number of shards", float64(f.sharding.count), program},
		{"Shuffle", indicator(f.s.shuffle), program},
		{"seed", float64(f.m.seed), program},
		{"optimizer", checksum([]byte(f.m.compiled.optimizer.String())), program},
		{"training data", f.train.checksum(), data},
		{"validation data", f.validation.checksum(), data},
		{"number of epochs behind it", float64(f.m.epochs), "a checkpoint to resume from must lie on a disk that all see"},
		{"state of the model", f.m.checksum(), "all must have begun with the same weights, and a checkpoint to resume from must lie on a disk that all see"},
	})
}

// sameWeights sees to it that the ranks have not parted.
func (f *fit) sameWeights() error {
	if !f.crew.several() {
		return nil
	}
	return f.crew.same([]agreed{{
		fmt.Sprintf("state of the model after epoch %d", f.state.Epoch), f.m.checksum(),
		"a callback that changes weights, freezes layers or sets the learning rate must do so on all",
	}})
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(data []byte) float64 { return float64(crc32.Checksum(data, castagnoli)) }

// checksum is of all numbers.
func (r *rows) checksum() float64 {
	sum := crc32.Checksum(binary.LittleEndian.AppendUint64(nil, uint64(r.n)), castagnoli)
	add := func(c columns) { sum = crc32.Update(sum, castagnoli, rawBytes(c.data)) }
	for _, x := range r.x {
		add(x)
	}
	for _, y := range r.y {
		add(y.columns)
		add(y.weights)
	}
	return float64(sum)
}

// checksum is of all weights and states.
func (m *Model) checksum() float64 {
	sum := crc32.Checksum(rawBytes(m.weights), castagnoli)
	for _, p := range m.states {
		sum = crc32.Update(sum, castagnoli, rawBytes(p.leaf.data))
	}
	return float64(sum)
}
