package nnkit

// memory is what the numbers of a tape's steps lie in. It learns: the k-th request of a step gets the buffer that it got
// in the step before, if that is large enough and free. So steps that ask for the same, or for less, as an epoch's last
// batch does, allocate nothing; and within a step a buffer that was given back serves again.
type memory struct {
	plan []*buffer // who got what, in the order of requests
	next int
	all  []*buffer
	step int
	most int // numbers in a request; 0 for any
}

type buffer struct {
	data []float32
	busy bool
	step int // when it was last used
}

// A buffer that no step has used for so long is left to the collector.
const forgotten = 8

// take returns a buffer of at least n numbers, whatever they are.
func (m *memory) take(n int) *buffer {
	if m.most > 0 && n > m.most {
		fail("Load", "a row would have %d numbers, which is too many: the file is damaged", n)
	}
	b := m.choose(n)
	b.busy, b.step = true, m.step
	switch {
	case m.next == len(m.plan):
		m.plan = append(m.plan, b)
	case m.plan[m.next] != b:
		m.plan[m.next] = b
	}
	m.next++
	return b
}

func (m *memory) choose(n int) *buffer {
	if m.next < len(m.plan) {
		if b := m.plan[m.next]; !b.busy && len(b.data) >= n {
			return b
		}
	}
	// Of the free buffers the smallest that is large enough, though not for a small part of it.
	var best *buffer
	for _, b := range m.all {
		if size := len(b.data); !b.busy && size >= n && size/2 <= n+1024 && (best == nil || size < len(best.data)) {
			best = b
		}
	}
	if best == nil {
		m.forget()
		best = &buffer{data: make([]float32, aligned(n))}
		m.all = append(m.all, best)
	}
	return best
}

// forget drops buffers that are no longer used: those of other shapes than today's.
func (m *memory) forget() {
	kept := m.all[:0]
	for _, b := range m.all {
		if b.busy || b.step+forgotten > m.step {
			kept = append(kept, b)
		}
	}
	clear(m.all[len(kept):])
	m.all = kept
}

func (m *memory) free(b *buffer) { b.busy = false }

// reset begins a step: every buffer is free.
func (m *memory) reset() {
	m.plan, m.next = m.plan[:m.next], 0
	m.step++
	for _, b := range m.all {
		b.busy = false
	}
}

// size is the number of float32 that all buffers hold.
func (m *memory) size() int {
	n := 0
	for _, b := range m.all {
		n += len(b.data)
	}
	return n
}
