package jupyter

import (
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// Subshells are further queues of the shell channel, so that a client can ask while
// a cell runs (Jupyter Enhancement Proposal 91, "Kernel subshells"). A message of
// the channel says in its header whose it is.
//
// Cells are the exception. They share their variables, and two at a time would not be
// safe, nor could outputs be told apart. So a cell that is sent to a subshell waits
// its turn among all others, and is executed after those that were sent before it.
type subshells struct {
	mu     sync.Mutex
	queues map[string]*queue
	closed bool
	idle   sync.WaitGroup
}

// create adds a subshell whose requests are answered by serve.
func (s *subshells) create(serve func(*queue)) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", fmt.Errorf("the kernel is shutting down")
	}
	id, q := rand.Text(), newQueue()
	if s.queues == nil {
		s.queues = map[string]*queue{}
	}
	s.queues[id] = q
	s.idle.Go(func() { serve(q) })
	return id, nil
}

// find returns the queue of a subshell, nil if there is none.
func (s *subshells) find(id string) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queues[id]
}

// remove ends a subshell when it has answered what was asked.
func (s *subshells) remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[id]
	if q == nil {
		return noSubshell(id)
	}
	delete(s.queues, id)
	q.finish()
	return nil
}

func (s *subshells) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.queues))
}

// close ends all subshells, without waiting for them.
func (s *subshells) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, q := range s.queues {
		q.close()
	}
}

func noSubshell(id string) error {
	return fmt.Errorf("there is no subshell %q: create_subshell_request makes one and returns its id", id)
}

// queueOf is where a request of the shell channel waits.
func (r *running) queueOf(req *request) (*queue, error) {
	id := req.Header.SubshellID
	if isComm(req) {
		return r.commQueue, nil
	}
	if id == "" {
		return r.shellQueue, nil
	}
	q := r.subshells.find(id)
	switch {
	case q == nil:
		return nil, noSubshell(id)
	case req.Header.Type == "execute_request":
		return r.shellQueue, nil
	}
	return q, nil
}

// refuse answers a request that cannot be answered.
func (r *running) refuse(req *request, err error) {
	r.log("%s: %v", req.Header.Type, err)
	r.iopub.status(req, "busy")
	r.reply(req, message.NewErrorReply("RequestError", err))
	r.iopub.status(req, "idle")
}
