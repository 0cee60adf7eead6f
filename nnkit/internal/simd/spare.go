package simd

import "sync"

// spare keeps what is needed for a while again and again: as many as have ever been needed at the same time.
type spare[T any] struct {
	sync.Mutex
	free []*T
}

func (s *spare[T]) borrow() *T {
	s.Lock()
	defer s.Unlock()
	n := len(s.free)
	if n == 0 {
		return new(T)
	}
	x := s.free[n-1]
	s.free = s.free[:n-1]
	return x
}

func (s *spare[T]) giveBack(x *T) {
	s.Lock()
	defer s.Unlock()
	s.free = append(s.free, x)
}
