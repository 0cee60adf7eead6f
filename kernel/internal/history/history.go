package history

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// A History is the cells of one kernel, its session, and those of all sessions
// before. It is safe for concurrent use.
type History struct {
	mu      sync.Mutex
	file    *file // nil if cells are not kept
	session int   // this kernel's number, 0 until it is needed
	own     []message.HistoryEntry
}

// New returns a history that is kept in the file of a name, or not at all if that
// is empty. The file need not be there.
func New(name string) *History {
	h := &History{}
	if name != "" {
		h.file = &file{name: name}
	}
	return h
}

// DefaultFile is where the user's history is: in what the system has for the state
// of programs.
func DefaultFile() (string, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "nnkit", "history.jsonl"), nil
}

// Add adds a cell that was executed as the given line of the session, with the text
// of its result, nil if it had none. Whatever the error, it is there as long as the
// kernel is.
func (h *History) Add(line int, code string, result *string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.begin()
	e := message.HistoryEntry{Session: h.session, Line: line, Input: code, Output: result}
	h.own = append(h.own, e)
	if h.file == nil || err != nil {
		return err
	}
	return h.file.append(e)
}

// begin gives the session its number.
func (h *History) begin() error {
	if h.session > 0 {
		return nil
	}
	h.session = 1
	if h.file == nil {
		return nil
	}
	n, err := h.file.begin()
	if err != nil {
		h.file = nil // it will not be better next time
		return err
	}
	h.session = n
	return nil
}

// all are the entries of earlier and parallel sessions, then this one's.
func (h *History) all() []message.HistoryEntry {
	if h.file == nil {
		return h.own
	}
	var all []message.HistoryEntry
	for _, e := range h.file.read() {
		if e.Session != h.session {
			all = append(all, e)
		}
	}
	return append(all, h.own...)
}

// Answer finds the cells that a client asks for.
func (h *History) Answer(req *message.HistoryRequest) message.HistoryReply {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.begin() // Add tells
	found := []message.HistoryEntry{}
	switch req.AccessType {
	case "range":
		found = h.between(req)
	case "tail":
		found = last(h.all(), req.N)
	case "search":
		found = last(search(h.all(), req.Pattern, req.Unique), req.N)
	}
	reply := message.HistoryReply{Status: "ok", History: make([]message.HistoryEntry, len(found))}
	for i, e := range found {
		e.WithOutput = req.Output
		reply.History[i] = e
	}
	return reply
}

// between returns the lines from req.Start up to, not including, req.Stop.
// Negative lines count from the end, negative sessions from this one, as in IPython.
func (h *History) between(req *message.HistoryRequest) []message.HistoryEntry {
	session := req.Session
	if session <= 0 {
		session += h.session
	}
	var entries []message.HistoryEntry
	end := 1
	for _, e := range h.all() {
		if e.Session == session {
			entries = append(entries, e)
			end = e.Line + 1
		}
	}
	start, stop := req.Start, end
	if req.Stop != nil {
		stop = *req.Stop
	}
	if start < 0 {
		start += end
	}
	if stop < 0 {
		stop += end
	}
	var found []message.HistoryEntry
	for _, e := range entries {
		if start <= e.Line && e.Line < stop {
			found = append(found, e)
		}
	}
	return found
}

// search returns the cells that match a glob; with unique, the last of those
// that are the same.
func search(entries []message.HistoryEntry, glob string, unique bool) []message.HistoryEntry {
	if glob == "" {
		glob = "*"
	}
	pattern := regexp.QuoteMeta(glob)
	pattern = strings.ReplaceAll(pattern, `\*`, `.*`)
	pattern = strings.ReplaceAll(pattern, `\?`, `.`)
	re, err := regexp.Compile(`^(?s:` + pattern + `)$`)
	if err != nil {
		return nil // a pattern that is not UTF-8 matches nothing
	}
	final := make(map[string]int)
	for i, e := range entries {
		final[e.Input] = i
	}
	var found []message.HistoryEntry
	for i, e := range entries {
		if re.MatchString(e.Input) && (!unique || final[e.Input] == i) {
			found = append(found, e)
		}
	}
	return found
}

// last returns the last n entries, or all without n.
func last(entries []message.HistoryEntry, n *int) []message.HistoryEntry {
	if n == nil || *n < 0 || *n >= len(entries) {
		return entries
	}
	return entries[len(entries)-*n:]
}
