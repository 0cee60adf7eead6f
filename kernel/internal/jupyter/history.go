package jupyter

import (
	"regexp"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// history keeps the cells of this kernel, whose session has the number 1.
type history struct {
	entries []message.HistoryEntry
}

const historySession = 1

func (h *history) add(line int, code string, result *string) {
	h.entries = append(h.entries, message.HistoryEntry{
		Session: historySession, Line: line, Input: code, Output: result,
	})
}

func (h *history) answer(req *message.HistoryRequest) message.HistoryReply {
	found := []message.HistoryEntry{}
	switch req.AccessType {
	case "range":
		found = h.between(req)
	case "tail":
		found = last(h.entries, req.N)
	case "search":
		found = last(h.search(req.Pattern, req.Unique), req.N)
	}
	reply := message.HistoryReply{Status: "ok", History: make([]message.HistoryEntry, len(found))}
	for i, e := range found {
		e.WithOutput = req.Output
		reply.History[i] = e
	}
	return reply
}

// between returns the lines from req.Start up to, not including, req.Stop.
// Negative numbers count from the end, as in IPython.
func (h *history) between(req *message.HistoryRequest) []message.HistoryEntry {
	if req.Session != 0 && req.Session != historySession {
		return nil
	}
	end := 1
	if n := len(h.entries); n > 0 {
		end = h.entries[n-1].Line + 1
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
	for _, e := range h.entries {
		if start <= e.Line && e.Line < stop {
			found = append(found, e)
		}
	}
	return found
}

// search returns the cells that match a glob; with unique, the last of those
// that are the same.
func (h *history) search(glob string, unique bool) []message.HistoryEntry {
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
	for _, e := range h.entries {
		final[e.Input] = e.Line
	}
	var found []message.HistoryEntry
	for _, e := range h.entries {
		if re.MatchString(e.Input) && (!unique || final[e.Input] == e.Line) {
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
