package jupyter

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
	"unicode"
)

// complaints are what no client is told. A stranger can make the kernel complain as
// often as it likes: so each complaint is logged once, and later how often it came
// again.
type complaints struct {
	log   func(format string, args ...any)
	pause time.Duration // between complaints of one kind

	mu   sync.Mutex
	said map[string]*complaint
}

type complaint struct {
	at    time.Time
	again int // since then
}

const (
	complaintPause = time.Minute
	// complaintKinds bounds those that are told apart. All others are one.
	complaintKinds = 50
	// complaintSize bounds what a stranger can write into the log at once, in bytes.
	complaintSize = 300
)

func newComplaints(log func(format string, args ...any)) *complaints {
	return &complaints{log: log, pause: complaintPause, said: map[string]*complaint{}}
}

func (c *complaints) logf(format string, args ...any) {
	text := printable(fmt.Sprintf(format, args...))
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.said[text]
	if known == nil && len(c.said) >= complaintKinds {
		text = "complaints of many kinds, such as: " + text
		const others = ""
		if known = c.said[others]; known == nil {
			known = &complaint{}
			c.said[others] = known
		}
	} else if known == nil {
		known = &complaint{}
		c.said[text] = known
	}
	if now := time.Now(); known.at.IsZero() || now.Sub(known.at) >= c.pause {
		c.log("%s%s", text, known.times())
		*known = complaint{at: now}
	} else {
		known.again++
	}
}

// times says how often the complaint came without being logged.
func (c *complaint) times() string {
	if c.again == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d more of the same were not logged)", c.again)
}

// end logs what has not been.
func (c *complaints) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for text, known := range c.said {
		if known.again > 0 {
			if text == "" {
				text = "complaints of many kinds"
			}
			c.log("%s%s", text, known.times())
			known.again = 0
		}
	}
}

// cause is the text of an error without the address of the peer, which differs every
// time.
func cause(err error) string {
	text := err.Error()
	if op := new(net.OpError); errors.As(err, &op) {
		text = strings.ReplaceAll(text, op.Error(), op.Op+": "+op.Err.Error())
	}
	return text
}

// printable is a text, parts of which a stranger has chosen, as a line of a log.
func printable(text string) string {
	if len(text) > complaintSize {
		text = text[:complaintSize] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, text)
}
