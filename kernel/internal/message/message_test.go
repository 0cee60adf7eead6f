package message

import (
	"encoding/json"
	"reflect"
	"testing"
)

// Clients validate what they get; these are the shapes they insist on.
func TestMarshal(t *testing.T) {
	value := "3"
	for name, tt := range map[string]struct {
		content any
		want    string
	}{
		"execute ok": {
			ExecuteReply{Status: "ok", ExecutionCount: 2},
			`{"status":"ok","execution_count":2,"user_expressions":{},"payload":[]}`,
		},
		"execute error": {
			ExecuteReply{Status: "error", ExecutionCount: 2, ErrorName: "panic"},
			`{"status":"error","execution_count":2,"ename":"panic","evalue":"","traceback":[],"user_expressions":{},"payload":[]}`,
		},
		"execute aborted": {
			ExecuteReply{Status: "aborted", ErrorName: "ignored"},
			`{"status":"aborted","execution_count":0}`,
		},
		"error":          {Error{Name: "a", Value: "b"}, `{"ename":"a","evalue":"b","traceback":[]}`},
		"display":        {DisplayData{}, `{"data":{},"metadata":{},"transient":{}}`},
		"execute result": {ExecuteResult{ExecutionCount: 1}, `{"execution_count":1,"data":{},"metadata":{}}`},
		"complete":       {CompleteReply{CursorEnd: 2}, `{"status":"ok","matches":[],"cursor_start":0,"cursor_end":2,"metadata":{}}`},
		"inspect":        {InspectReply{}, `{"status":"ok","found":false,"data":{},"metadata":{}}`},
		"page": {
			ExecuteReply{Status: "ok", Payload: []Payload{NewPage(MIMEBundle{"text/plain": "x"})}},
			`{"status":"ok","execution_count":0,"user_expressions":{},"payload":[{"data":{"text/plain":"x"},"source":"page","start":0}]}`,
		},
		"next input":     {NextInput("x", true), `{"replace":true,"source":"set_next_input","text":"x"}`},
		"no subshells":   {ListSubshellReply{Status: "ok"}, `{"status":"ok","subshell_id":[]}`},
		"complete code":  {IsCompleteReply{Status: "complete"}, `{"status":"complete"}`},
		"history":        {HistoryEntry{Session: 1, Line: 2, Input: "x"}, `[1,2,"x"]`},
		"history result": {HistoryEntry{Session: 1, Line: 2, Input: "x", Output: &value, WithOutput: true}, `[1,2,["x","3"]]`},
		"history none":   {HistoryEntry{Session: 1, Line: 2, Input: "x", WithOutput: true}, `[1,2,["x",null]]`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(tt.content)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			back := reflect.New(reflect.TypeOf(tt.content))
			if err := json.Unmarshal(got, back.Interface()); err != nil {
				t.Errorf("reading it back: %v", err)
			}
		})
	}
}

func TestExecuteRequestDefaults(t *testing.T) {
	for text, want := range map[string]ExecuteRequest{
		`{"code":"x"}`:                      {Code: "x", StoreHistory: true, StopOnError: true},
		`{"silent":true}`:                   {Silent: true, StopOnError: true},
		`{"silent":true,"store_history":1}`: {},
		`{"store_history":false,"stop_on_error":false,"allow_stdin":true}`: {AllowStdin: true},
	} {
		var got ExecuteRequest
		if err := json.Unmarshal([]byte(text), &got); err != nil && text != `{"silent":true,"store_history":1}` {
			t.Errorf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
}

func TestHistoryEntryRefused(t *testing.T) {
	for _, text := range []string{`{}`, `[1,2]`, `[1,2,[]]`, `[1,2,[null,"x"]]`, `["1",2,"x"]`} {
		var e HistoryEntry
		if err := json.Unmarshal([]byte(text), &e); err == nil {
			t.Errorf("%s was read as %+v", text, e)
		}
	}
}
