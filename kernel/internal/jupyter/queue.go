package jupyter

import "sync"

// A queue holds the requests of one channel that wait for their turn.
type queue struct {
	mu     sync.Mutex
	cond   *sync.Cond
	items  []*request
	ending bool // nothing more will come
	closed bool
}

func newQueue() *queue {
	q := new(queue)
	q.cond = sync.NewCond(&q.mu)
	return q
}

func (q *queue) push(req *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, req)
	q.cond.Signal()
}

// pop waits for a request and tells whether it was aborted. It returns nil when
// the queue is closed, or has been finished and is empty.
func (q *queue) pop() (req *request, aborted bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.closed && !q.ending {
		q.cond.Wait()
	}
	if q.closed || len(q.items) == 0 {
		return nil, false
	}
	req = q.items[0]
	q.items[0] = nil
	q.items = q.items[1:]
	return req, req.aborted
}

// abort marks the cells of a subshell that wait now, "" for those of none, and no
// other requests: a client that asks for completions still wants them.
func (q *queue) abort(subshell string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, req := range q.items {
		if req.Header.Type == "execute_request" && req.Header.SubshellID == subshell {
			req.aborted = true
		}
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.cond.Broadcast()
}

// finish closes the queue when it is empty.
func (q *queue) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ending = true
	q.cond.Broadcast()
}
