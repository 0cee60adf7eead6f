package jupyter

import "time"

// Jupyter's servers drop what a kernel publishes beyond a rate, and tell the
// person so: by default more than 1,000,000 bytes of streams a second, or more
// than 1,000 messages of any kind but status, on the average over three seconds,
// counted anew when the kernel is idle (jupyter_server's iopub_data_rate_limit,
// iopub_msg_rate_limit, rate_limit_window). A kernel that stays below loses
// nothing. These leave room for messages that arrive in bunches.
const (
	paceWindow   = 3300 * time.Millisecond
	paceBytes    = 2_800_000 // in a window
	paceMessages = 2_700
)

// pace tells when more can be published. The zero value is that of an idle kernel.
type pace struct {
	sent  []parcel // within the last window
	bytes int      // of them
}

// parcel is a message that was published, with the bytes that count.
type parcel struct {
	at    time.Time
	bytes int
}

// spend counts a message.
func (p *pace) spend(now time.Time, bytes int) {
	p.forget(now)
	p.sent = append(p.sent, parcel{now, bytes})
	p.bytes += bytes
}

// wait returns how long it takes until a message of so many bytes can be published.
func (p *pace) wait(now time.Time, bytes int) time.Duration {
	p.forget(now)
	left, sum := len(p.sent), p.bytes
	for _, s := range p.sent {
		if left < paceMessages && sum+bytes <= paceBytes {
			break
		}
		left--
		sum -= s.bytes
	}
	if gone := len(p.sent) - left; gone > 0 {
		return p.sent[gone-1].at.Add(paceWindow).Sub(now)
	}
	return 0
}

// room returns how many bytes can be published now.
func (p *pace) room(now time.Time) int {
	p.forget(now)
	return max(0, paceBytes-p.bytes)
}

func (p *pace) forget(now time.Time) {
	n := 0
	for n < len(p.sent) && now.Sub(p.sent[n].at) >= paceWindow {
		p.bytes -= p.sent[n].bytes
		n++
	}
	p.sent = p.sent[n:]
}
