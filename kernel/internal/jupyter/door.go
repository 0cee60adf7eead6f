package jupyter

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// A door is what all sockets let their peers in by. Whoever reaches a socket can
// connect to it. Until a peer has sent a message that is signed with the key it is a
// stranger, and all strangers together have little room: few connections, of which the
// oldest go when more come, and few bytes of messages that are still being read.
// What a client that knows the key can make the kernel do is another matter.
type door struct {
	most int // connections
	room int // bytes of unfinished messages of strangers, beyond what each has anyway

	mu   sync.Mutex
	in   []*peer // in the order they came
	held int     // of room
}

const (
	// maxPeers is enough for a hundred clients, which have five connections each.
	maxPeers = 512
	// strangersRoom holds some first messages of clients that send a whole book.
	strangersRoom = 64 << 20
	// freeSize is what any peer can have: nearly all messages are smaller.
	freeSize = 64 << 10
)

func newDoor() *door { return &door{most: maxPeers, room: strangersRoom} }

// enter lets a peer in. When too many are in, the stranger has to go that has been there
// the longest; where there is none, the new one is refused.
func (d *door) enter(p *peer) (pushed bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.in) >= d.most {
		i := slices.IndexFunc(d.in, (*peer).isStranger)
		if i < 0 {
			return false, fmt.Errorf("there are %d connections of clients already", len(d.in))
		}
		d.in[i].close()
		d.in, pushed = slices.Delete(d.in, i, i+1), true
	}
	d.in = append(d.in, p)
	return pushed, nil
}

func (d *door) leave(p *peer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.in, p); i >= 0 {
		d.in = slices.Delete(d.in, i, i+1)
	}
}

// close ends all connections, also those that have not shaken hands.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.in {
		p.close()
	}
}

var errNoRoom = errors.New("strangers send more than there is room for")

// An allowance is what one peer may send at the moment.
type allowance struct {
	door *door
	peer *peer
	most int // of a message, whoever sends it
	held int // of the door's room
}

// grow tells whether a message may have so many bytes by now.
func (a *allowance) grow(size int) error {
	switch {
	case size > a.most:
		return fmt.Errorf("message is larger than %d bytes", a.most)
	case size <= freeSize || !a.peer.isStranger():
		return nil
	}
	d := a.door
	d.mu.Lock()
	defer d.mu.Unlock()
	if more := size - freeSize - a.held; more > 0 {
		if d.held+more > d.room {
			return errNoRoom
		}
		d.held += more
		a.held += more
	}
	return nil
}

// done gives back what a message has taken.
func (a *allowance) done() {
	a.door.mu.Lock()
	defer a.door.mu.Unlock()
	a.door.held -= a.held
	a.held = 0
}
