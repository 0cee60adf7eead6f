package jupyter

import "time"

// Jupyter's servers drop what a kernel publishes beyond a rate, and tell the
// person so: by default more than 1,000,000 bytes of streams a second, or more
// than 1,000 messages of any kind but status, over a window of three seconds that
// starts anew when the kernel is idle (jupyter_server's iopub_data_rate_limit,
// iopub_msg_rate_limit, rate_limit_window). A kernel that stays below loses
// nothing. The figures leave room for one more message than there should be, of
// the size that iopub gathers, and for messages that arrive in bunches.
const (
	pacedBytes    = 750_000 // a second
	pacedMessages = 700
	byteBurst     = 150_000 // beyond the rate, after a pause
	messageBurst  = 400
)

// pace tells how long to wait before more is published. The zero value is that of
// an idle kernel.
type pace struct {
	bytes, messages float64 // spent and not yet made up for
	counted         time.Time
}

// spend counts a message that was published, with the bytes that matter.
func (p *pace) spend(now time.Time, bytes int) {
	p.recover(now)
	p.bytes += float64(bytes)
	p.messages++
}

// wait returns how long nothing should be published.
func (p *pace) wait(now time.Time) time.Duration {
	p.recover(now)
	over := max((p.bytes-byteBurst)/pacedBytes, (p.messages-messageBurst)/pacedMessages)
	return max(0, time.Duration(over*float64(time.Second)))
}

// flooded tells whether there is more than can go out.
func (p *pace) flooded() bool { return p.bytes > byteBurst/2 }

func (p *pace) recover(now time.Time) {
	passed := now.Sub(p.counted).Seconds()
	p.counted = now
	p.bytes = max(0, p.bytes-passed*pacedBytes)
	p.messages = max(0, p.messages-passed*pacedMessages)
}
