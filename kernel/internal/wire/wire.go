package wire

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// The worker's descriptors for requests and events.
const (
	RequestFD = 3
	EventFD   = 4
)

// ServeVariable is set in the environment of a notebook's program that is to serve a
// session, instead of running the notebook.
const ServeVariable = "NNKIT_SERVE"

// Kind says what a frame is.
type Kind string

// Load and Run are served one after the other, in the order they arrive, and
// each is answered by one Loaded or Done. The others are served at once, also
// while a cell runs. Interrupt is answered by the Done of the cell it interrupts.
const (
	Load      Kind = "load"      // request: load a library
	Run       Kind = "run"       // request: run the entry function of a loaded cell
	Interrupt Kind = "interrupt" // request: end the cell that runs, in phases; its ID is the Run's
	Shown     Kind = "shown"     // request: answers a Result, a Display
	Configure Kind = "configure" // request: change directory, environment, arguments
	Continue  Kind = "continue"  // request: answers a Command
	Answer    Kind = "answer"    // request: answers an Input
	Debug     Kind = "debug"     // request: a command for the debugger

	Ready      Kind = "ready"      // event: the worker serves requests; Err where it cannot
	Loaded     Kind = "loaded"     // event: a Load is over; Err if it failed
	Result     Kind = "result"     // event: the values of a cell's trailing expressions; the program waits for Shown
	Done       Kind = "done"       // event: a Run is over
	Display    Kind = "display"    // event: a part of the display stream; likewise
	Configured Kind = "configured" // event: a Configure is over; Err if it failed
	Command    Kind = "command"    // event: the cell has come to one of its commands, and waits for Continue
	Input      Kind = "input"      // event: the program reads standard input, where nothing is, and waits for Answer
	Debugged   Kind = "debugged"   // event: a Debug is over; Body, or Err if it failed
	Halted     Kind = "halted"     // event: the debugger has stopped the cell, or let it go on
)

// Request is what the session asks of the worker.
type Request struct {
	Kind    Kind    `json:"kind"`
	ID      int     `json:"id"`               // told back by the events that answer it
	Library Library `json:"library,omitzero"` // Load
	Cell    int     `json:"cell,omitempty"`   // Run: the cell's number, for messages
	Entry   string  `json:"entry,omitempty"`  // Run: as in the Library that brought it
	// Settings are what Configure changes.
	Settings *Settings `json:"settings,omitempty"`
	Stop     bool      `json:"stop,omitempty"`   // Continue: the cell ends
	Answer   Reading   `json:"answer,omitempty"` // Answer
	Err      string    `json:"err,omitempty"`    // Answer: why nothing can be read, with Refused
	// Debug is what the debugger is asked.
	Debug *DebugCommand `json:"debug,omitempty"`
}

// Reading is how a read of standard input goes on.
type Reading string

// What a read finds.
const (
	Line    Reading = "line"    // a line is there, or is being written
	End     Reading = "end"     // the end of the file, as the person has said
	Stopped Reading = "stopped" // nothing: the cell was interrupted meanwhile
	Refused Reading = "refused" // nothing: nobody can be asked
)

// Settings are what cells can ask of the process around them.
type Settings struct {
	Dir  string            `json:"dir,omitempty"` // the working directory, "" to stay
	Env  map[string]string `json:"env,omitempty"` // to set
	Args []string          `json:"args"`          // of the program, without its name; nil to stay
	// Flags says that package flag is to read the arguments.
	Flags bool `json:"flags,omitempty"`
}

// Library is a shared library to load.
type Library struct {
	File string `json:"file"`
	// Itabs are the offsets of the library's words that point to method tables.
	Itabs []uint64 `json:"itabs,omitempty"`
	// Entry is the symbol of a cell's entry function, "" for packages alone.
	Entry string `json:"entry,omitempty"`
}

// Event is what the worker tells the session.
type Event struct {
	Kind    Kind     `json:"kind"`
	ID      int      `json:"id"`                // of the request it answers
	Err     string   `json:"err,omitempty"`     // Ready, Loaded, Configured, Debugged: what went wrong
	Bundles []Bundle `json:"bundles,omitempty"` // Result: an output each, the last of which is the cell's result
	Outcome *Outcome `json:"outcome,omitempty"` // Done
	Stream  []byte   `json:"stream,omitempty"`  // Display: as in GoNB's display pipe
	Number  int      `json:"number,omitempty"`  // Command: which of the cell's

	Body  json.RawMessage `json:"body,omitempty"`  // Debugged: as the protocol has it
	Debug *DebugEvent     `json:"debug,omitempty"` // Halted
}

// Bundle is one output in several forms.
type Bundle struct {
	Data map[string]any `json:"data"`           // a MIME bundle; images in base64
	Meta map[string]any `json:"meta,omitempty"` // its metadata
}

// Status is how a cell's run ended.
type Status string

// How a run ends. Every ending but OK is an error to the notebook.
const (
	OK          Status = "ok"
	Failed      Status = "failed"      // an error that the cell did not handle
	Panicked    Status = "panicked"    // a panic in the cell's own goroutine
	Interrupted Status = "interrupted" // by an Interrupt
)

// Outcome is how a cell's run ended.
type Outcome struct {
	Status Status `json:"status"`
	// Name is the kind of error in a word or two: "error", "panic",
	// "runtime error", "interrupted".
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"` // the error's or the panic's text; with OK, what is to be noted
	// Cell and Line are where an unhandled error came up; for a panic see Frames.
	Cell int `json:"cell,omitempty"`
	Line int `json:"line,omitempty"`
	// Frames are the panicking goroutine's, innermost first, without the
	// runtime's machinery above the panic and what lies below the cell's entry
	// function. Where a panic came while a deferred function handled another one,
	// "runtime.gopanic" is among them.
	Frames []Frame `json:"frames,omitempty"`
	// Abandoned says that an interrupted cell did not end: its goroutine is left
	// behind and ends when it next checks.
	Abandoned bool `json:"abandoned,omitempty"`
}

// Frame is one line of a stack trace.
type Frame struct {
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Omitted  int    `json:"omitted,omitempty"` // how many frames before it are not told
}

// Writer writes frames. Its method may be called from several goroutines.
type Writer struct {
	mu sync.Mutex
	w  io.Writer
}

// NewWriter returns a Writer of frames to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write writes one frame, a Request or an Event, by a single call of the
// underlying Write.
func (w *Writer) Write(frame any) error {
	line, err := json.Marshal(frame)
	if err != nil {
		return fmt.Errorf("frame for the wire: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err = w.w.Write(append(line, '\n'))
	return err
}

// Reader reads frames.
type Reader struct{ r *bufio.Reader }

// NewReader returns a Reader of frames from r.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReaderSize(r, 1<<16)} }

// Read reads the next frame into frame, a *Request or an *Event. At the end it
// returns io.EOF, also in the middle of a frame: the other side is gone.
func (r *Reader) Read(frame any) error {
	line, err := r.r.ReadBytes('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, frame); err != nil {
		return fmt.Errorf("frame from the wire: %w in %.200q", err, line)
	}
	return nil
}
