package session

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// sequence is the text of all streams, each run of one marked with its name.
type sequence struct {
	recorder
	mu   sync.Mutex
	text strings.Builder
	name string
}

func (s *sequence) Stream(name, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != s.name {
		s.name = name
		fmt.Fprintf(&s.text, "<%s>", name)
	}
	s.text.WriteString(text)
}

// Go's writes to the two streams keep their order, however fast they follow each
// other, and come after what C code and child processes wrote before.
func TestOrder(t *testing.T) {
	s := newTestSession(t)
	got := &sequence{}
	code := `import ("fmt"; "os"; "os/exec")
for i := range 3000 {
	if i%7 < 3 {
		fmt.Fprint(os.Stderr, i, " ")
	} else {
		fmt.Print(i, " ")
	}
}
for i := range 20 {
	child := exec.Command("sh", "-c", "echo child >&2")
	child.Stderr = os.Stderr
	child.Run()
	fmt.Println("parent", i)
}`
	if r := s.Execute(context.Background(), 1, &message.ExecuteRequest{Code: code}, got); r.Status != "ok" {
		t.Fatal(r)
	}
	want := &sequence{}
	for i := range 3000 {
		want.Stream([]string{"stderr", "stdout"}[min(1, i%7/3)], fmt.Sprint(i, " "))
	}
	for i := range 20 {
		want.Stream("stderr", "child\n")
		want.Stream("stdout", fmt.Sprintln("parent", i))
	}
	if got, want := got.text.String(), want.text.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
