package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.values, got, tt.want)
		}
	}
}

func TestSelectCases(t *testing.T) {
	for _, tt := range []struct{ list, want string }{
		{"", "trivial plot again complete complete-first complete-inspect start runall growth memory"},
		{"memory,start", "memory start"},
		{"complete", "complete complete-first complete-inspect"},
	} {
		selected, err := selectCases(tt.list)
		var names []string
		for _, c := range selected {
			names = append(names, c.name)
		}
		if got := strings.Join(names, " "); err != nil || got != tt.want {
			t.Errorf("selectCases(%q) = %s, %v, want %s", tt.list, got, err, tt.want)
		}
	}
	if _, err := selectCases("trivial,none"); err == nil || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("selectCases of a case that is not there: %v", err)
	}
}

// TestText checks that both kernels get the same cell, each in its own form.
func TestText(t *testing.T) {
	gonb := &kernel{head: "%noautoget", between: "%%"}
	for _, tt := range []struct {
		kernel *kernel
		want   string
	}{
		{&kernel{}, "import \"fmt\"\nfmt.Println(3)"},
		{gonb, "%noautoget\nimport \"fmt\"\n%%\nfmt.Println(3)"},
	} {
		if got := tt.kernel.text(trivial(3)); got != tt.want {
			t.Errorf("text:\n%s\nwant:\n%s", got, tt.want)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	table(&out, []result{
		{Case: "trivial", Ours: 20, GoNB: new(400.0), Ratio: 0.05, Unit: "ms", What: "a cell"},
		{Case: "memory", Ours: 0.0441, Ratio: 0.0441, Unit: "MB a cell", What: "memory"},
	})
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{
		"case ours GoNB ratio unit what",
		"trivial 20.0 400.0 0.050 ms a cell",
		"memory 0.044 - 0.044 MB a cell memory",
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("line %d of the table: %q, want %q", i+1, got, want)
		}
	}
}

func TestResident(t *testing.T) {
	before, err := resident(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	block := bytes.Repeat([]byte{1}, 64<<20)
	after, err := resident(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if more := after - before; more < int64(len(block))*3/4 {
		t.Errorf("%d bytes in use add %d to what is resident", len(block), more)
	}
}
