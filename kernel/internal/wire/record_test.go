package wire

import (
	"bytes"
	"reflect"
	"testing"
)

func TestSplitRecord(t *testing.T) {
	for _, r := range []Record{
		{Ended: 3},
		{Ended: 4, Error: "no", Failed: "Cell [4]: no\n\tin the cell\n"},
		{Shown: []Bundle{{Data: map[string]any{"text/plain": "a\nb\x1ec"}}}},
		{Dead: &Death{Rank: 2, Host: "node", How: "signal: killed", Last: "panic: no"}},
	} {
		var line bytes.Buffer
		line.WriteString("half a line")
		r.Write(&line)
		text, got := SplitRecord(line.Bytes())
		if text != "half a line" || got == nil || !reflect.DeepEqual(*got, r) {
			t.Errorf("%q is taken apart to %q and %+v, want %+v", line.Bytes(), text, got, r)
		}
		if n := bytes.Count(line.Bytes(), []byte("\n")); n != 1 {
			t.Errorf("%q has %d lines", line.Bytes(), n)
		}
	}
	// What a program prints may look like one.
	for _, line := range []string{"", "\n", "plain\n", "\x1e", "\x1e{\n", "a\x1e[1]\n", "\x1enull\n"} {
		text, record := SplitRecord([]byte(line))
		if text != line || record != nil {
			t.Errorf("%q is taken apart to %q and %+v", line, text, record)
		}
	}
	if got := (Death{1, "node", "exit status 2", "panic: no"}).String(); got != "rank 1 on node has died (exit status 2): panic: no" {
		t.Error(got)
	}
}
