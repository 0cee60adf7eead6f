// Package jupyter speaks Jupyter's messaging protocol to the clients of a
// kernel (https://jupyter-client.readthedocs.io/en/stable/messaging.html): the
// five sockets, signatures, busy and idle, execution counts, history, input and
// the queue of requests. What a cell means is left to the [Interpreter] that a
// [Server] is given.
//
// ZMTP comes from go-zeromq/zmq4: its connections shake hands and write the
// frames. Its sockets are not used, since in version 0.17 one peer can stop or
// end the kernel: the handshake is made in the accept loop, so that a peer that
// connects and says nothing locks out everybody; a suspended client blocks
// every Send; an unknown socket type or a huge frame announced by a stranger
// panics; and what a PUB socket has queued is lost at Close, which is where the
// last messages of a kernel are. File socket.go has the few rules of ROUTER,
// PUB and REP that a kernel needs, with a queue and two goroutines per peer.
//
// Whoever reaches the sockets can connect, subscribe to what cells print, and have the
// heartbeat answered: so the protocol has it. Nobody without the key has anything
// executed, takes a client's place or its memory (door.go), or fills the log
// (complaints.go).
package jupyter
