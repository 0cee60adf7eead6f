package jupyter_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// echo is an interpreter whose cells are commands, one a line.
type echo struct {
	mu        sync.Mutex
	executed  []string // codes, in order
	interrupt chan struct{}
	late      chan struct{} // lets the goroutines of "late" speak
	shutdowns []bool
	spoken    sync.WaitGroup
}

func newEcho() *echo {
	return &echo{interrupt: make(chan struct{}, 1), late: make(chan struct{})}
}

func (e *echo) Info() message.KernelInfo {
	return message.KernelInfo{
		Implementation: "echo", ImplementationVersion: "1", Banner: "Echo",
		LanguageInfo: message.LanguageInfo{Name: "echo", Version: "1", MIMEType: "text/plain", FileExtension: ".echo"},
	}
}

func (e *echo) Execute(ctx context.Context, count int, req *message.ExecuteRequest, out message.Output) message.ExecuteReply {
	e.mu.Lock()
	e.executed = append(e.executed, req.Code)
	e.mu.Unlock()
	for line := range strings.Lines(req.Code) {
		verb, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if err := e.do(ctx, verb, rest, out); err != nil {
			return message.ExecuteReply{
				Status: "error", ErrorName: "EchoError", ErrorValue: err.Error(), Traceback: []string{line, err.Error()},
			}
		}
	}
	return message.ExecuteReply{Status: "ok"}
}

func (e *echo) do(ctx context.Context, verb, rest string, out message.Output) error {
	switch verb {
	case "print":
		out.Stream("stdout", rest+"\n")
	case "warn":
		out.Stream("stderr", rest+"\n")
	case "result":
		out.Result(message.MIMEBundle{"text/plain": rest}, nil)
	case "display":
		out.Display(message.DisplayData{Data: message.MIMEBundle{"text/html": rest}, Transient: message.Transient{DisplayID: "d"}})
	case "update":
		out.Update(message.DisplayData{Data: message.MIMEBundle{"text/html": rest}, Transient: message.Transient{DisplayID: "d"}})
	case "clear":
		out.Clear(rest == "wait")
	case "broken":
		out.Display(message.DisplayData{Data: message.MIMEBundle{"text/plain": func() {}}})
	case "picture":
		n, _ := strconv.Atoi(rest)
		out.Display(message.DisplayData{Data: message.MIMEBundle{"image/png": strings.Repeat("A", n)}})
	case "flood":
		n, _ := strconv.Atoi(rest)
		for i := range n {
			out.Stream("stdout", fmt.Sprintln(i))
		}
	case "mix":
		n, _ := strconv.Atoi(rest)
		for i := range n {
			out.Stream([]string{"stdout", "stderr"}[i%2], fmt.Sprintln(i))
			if i%10 == 0 {
				out.Display(message.DisplayData{Data: message.MIMEBundle{"text/plain": strconv.Itoa(i)}})
			}
		}
	case "redraw":
		n, _ := strconv.Atoi(rest)
		for i := range n {
			out.Update(message.DisplayData{Data: message.MIMEBundle{"text/plain": strconv.Itoa(i)}, Transient: message.Transient{DisplayID: "d"}})
		}
	case "gallery":
		n, _ := strconv.Atoi(rest)
		for i := range n {
			out.Display(message.DisplayData{Data: message.MIMEBundle{"text/plain": strconv.Itoa(i)}})
		}
	case "fail":
		return fmt.Errorf("%s", rest)
	case "pause":
		d, _ := time.ParseDuration(rest)
		time.Sleep(d)
	case "sleep":
		out.Stream("stdout", "sleeping\n")
		select {
		case <-e.interrupt:
			return fmt.Errorf("interrupted")
		case <-ctx.Done():
			return fmt.Errorf("shut down")
		}
	case "input", "password":
		text, err := out.Input(rest, verb == "password")
		if err != nil {
			return err
		}
		out.Stream("stdout", text+"\n")
	case "comm":
		kind, id, _ := strings.Cut(rest, " ")
		out.Comm(message.Comm{Type: "comm_" + kind, ID: id, TargetName: map[string]string{"open": "cells"}[kind]})
	case "late":
		e.spoken.Go(func() {
			<-e.late
			out.Stream("stdout", rest+"\n")
		})
	}
	return nil
}

func (e *echo) IsComplete(_ context.Context, code string) message.IsCompleteReply {
	if strings.HasSuffix(code, "{") {
		return message.IsCompleteReply{Status: "incomplete", Indent: "\t"}
	}
	return message.IsCompleteReply{Status: "complete"}
}

func (e *echo) Complete(_ context.Context, req *message.CompleteRequest) message.CompleteReply {
	return message.CompleteReply{Matches: []string{"print", "picture"}, CursorEnd: req.CursorPos}
}

func (e *echo) Inspect(_ context.Context, req *message.InspectRequest) message.InspectReply {
	if req.Code == "" {
		return message.InspectReply{}
	}
	return message.InspectReply{Found: true, Data: message.MIMEBundle{"text/plain": "about " + req.Code}}
}

// Comm knows the target "echo", and sends messages back, upper case.
func (e *echo) Comm(m message.Comm, out message.Output) bool {
	if m.Type == message.CommOpen {
		return m.TargetName == "echo"
	}
	if text, ok := m.Data["say"].(string); ok {
		for i, b := range m.Buffers {
			m.Buffers[i] = bytes.ToUpper(b)
		}
		out.Comm(message.Comm{
			Type: message.CommMsg, ID: m.ID, Data: map[string]any{"say": strings.ToUpper(text)}, Metadata: m.Metadata, Buffers: m.Buffers,
		})
	}
	return true
}

func (e *echo) Interrupt(context.Context) error {
	select {
	case e.interrupt <- struct{}{}:
	default:
	}
	return nil
}

func (e *echo) Shutdown(_ context.Context, restart bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shutdowns = append(e.shutdowns, restart)
	return nil
}

func (e *echo) cells() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.executed...)
}
