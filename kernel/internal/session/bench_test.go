package session

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// BenchmarkCell measures cells from request to reply, in a person's rhythm: the
// tools for the next cell have had time to start.
func BenchmarkCell(b *testing.B) {
	sources, err := FindSources("", ".")
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(Config{Sources: sources, Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	count := 0
	execute := func(code string) {
		count++
		if r := s.Execute(context.Background(), count, &message.ExecuteRequest{Code: code}, &recorder{}); r.Status != "ok" {
			b.Fatal(r)
		}
	}
	execute("import (\"github.com/seed5607215b/nnkit/display\"; \"github.com/seed5607215b/nnkit/nnkit\"; \"gonum.org/v1/plot\")\nx := 1\nf := display.Curve\nh := &nnkit.History{}\np := plot.New()")
	for _, c := range []struct{ name, format string }{
		{"Trivial", "fmt.Println(#, x)"},
		{"Function", "func f#(v int) int { return v + x }\nf#(2)"},
		{"Plot", "p = plot.New()\np.Title.Text = fmt.Sprint(#)\n_ = f(h)"},
		{"Again", "fmt.Println(x)"},
	} {
		b.Run(c.name, func(b *testing.B) {
			format := func(n int) string { return strings.ReplaceAll(c.format, "#", fmt.Sprint(n)) }
			execute(format(0))
			for b.Loop() {
				b.StopTimer()
				time.Sleep(100 * time.Millisecond)
				code := format(count)
				b.StartTimer()
				execute(code)
			}
		})
	}
}
