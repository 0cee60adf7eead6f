package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// maxSize is how large the file becomes, in bytes. Then the older half goes.
const maxSize = 4 << 20

// maxEntry is how long a cell is at most that is kept: a longer one is data.
const maxEntry = 256 << 10

// maxSession is more than anybody has; a larger number is damage, and could not be
// counted on.
const maxSession = 1 << 31

// A file holds a line for each cell, and one without a cell where a session begins.
// Who writes holds the lock of a file beside it, since this one may be replaced.
type file struct {
	name string

	known   fs.FileInfo // of what was read last
	entries []message.HistoryEntry
}

// record is a line.
type record struct {
	Session int     `json:"session"`
	Line    int     `json:"line,omitempty"`
	Input   string  `json:"input,omitempty"`
	Output  *string `json:"output,omitempty"`
}

// locked calls f while no other kernel writes.
func (f *file) locked(do func() error) error {
	if err := os.MkdirAll(filepath.Dir(f.name), 0o700); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	lock, err := os.OpenFile(f.name+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	defer lock.Close() // closing unlocks
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("history: locking %s: %w", lock.Name(), err)
	}
	if err := do(); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

// begin begins a session and returns its number.
func (f *file) begin() (session int, err error) {
	err = f.locked(func() error {
		records, err := f.records()
		if err != nil {
			return err
		}
		for _, r := range records {
			session = max(session, r.Session)
		}
		session++
		return f.write(record{Session: session})
	})
	return session, err
}

func (f *file) append(e message.HistoryEntry) error {
	if len(e.Input) > maxEntry || e.Output != nil && len(*e.Output) > maxEntry {
		return nil
	}
	return f.locked(func() error { return f.write(record{e.Session, e.Line, e.Input, e.Output}) })
}

// write appends a line, at once.
func (f *file) write(r record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(f.name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	info, err := file.Stat()
	if err == nil && info.Size() > 0 {
		end := make([]byte, 1)
		if _, err := file.ReadAt(end, info.Size()-1); err == nil && end[0] != '\n' { // somebody was ended while writing
			line = append([]byte{'\n'}, line...)
		}
	}
	if err == nil {
		_, err = file.Write(line)
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil && info.Size() > maxSize {
		err = f.shorten()
	}
	return err
}

// shorten leaves out the older half of the file.
func (f *file) shorten() error {
	data, err := os.ReadFile(f.name)
	if err != nil {
		return err
	}
	rest := data[len(data)/2:]
	rest = rest[bytes.IndexByte(rest, '\n')+1:]
	short, err := os.CreateTemp(filepath.Dir(f.name), ".history-") // with mode 0600
	if err != nil {
		return err
	}
	_, err = short.Write(rest)
	if e := short.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(short.Name(), f.name)
	}
	if err != nil {
		_ = os.Remove(short.Name())
	}
	return err
}

// records reads the lines. What is none of ours is left out.
func (f *file) records() ([]record, error) {
	data, err := os.ReadFile(f.name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var records []record
	for line := range bytes.Lines(data) {
		var r record
		if json.Unmarshal(line, &r) == nil && 0 < r.Session && r.Session < maxSession {
			records = append(records, r)
		}
	}
	return records, nil
}

// read returns the cells in the file, as far as it can be read. It reads it when it
// is not as it was.
func (f *file) read() []message.HistoryEntry {
	info, err := os.Stat(f.name)
	if err == nil && f.known != nil && os.SameFile(info, f.known) && info.Size() == f.known.Size() {
		return f.entries
	}
	f.entries, f.known = nil, info
	records, _ := f.records()
	for _, r := range records {
		if r.Line > 0 {
			f.entries = append(f.entries, message.HistoryEntry{Session: r.Session, Line: r.Line, Input: r.Input, Output: r.Output})
		}
	}
	return f.entries
}
