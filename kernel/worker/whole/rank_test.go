//go:build unix

package whole

import "testing"

func TestLastMessage(t *testing.T) {
	for _, test := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{"reading\n", "the disk is full\n", "\n"}, "the disk is full"},
		{[]string{"reading\n", "panic: no more\n", "\n", "goroutine 1 [running]:\n", "main.main()\n", "\t/main.go:3 +0x1\n", "exit status 2\n"}, "panic: no more"},
		{[]string{"fatal error: all goroutines are asleep - deadlock!\n", "goroutine 1:\n"}, "fatal error: all goroutines are asleep - deadlock!"},
	} {
		if got := lastMessage(test.lines); got != test.want {
			t.Errorf("%q: %q, want %q", test.lines, got, test.want)
		}
	}
}
