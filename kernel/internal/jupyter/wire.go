package jupyter

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// Message is a message of any channel, its content not yet read.
type Message struct {
	Identities [][]byte // the peer's address; the topic on iopub
	Header     Header
	Parent     json.RawMessage // the header of the message that led to this one
	Metadata   json.RawMessage
	Content    json.RawMessage
	Buffers    [][]byte

	header json.RawMessage // Header as it was received, so as to quote it exactly
}

// Header tells messages apart.
type Header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"`
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
	// SubshellID says which subshell a message of the shell channel is for, "" for
	// none.
	SubshellID string `json:"subshell_id,omitempty"`
}

// Decode reads the content into v.
func (m *Message) Decode(v any) error {
	if err := json.Unmarshal(m.Content, v); err != nil {
		return fmt.Errorf("content of %s: %w", m.Header.Type, err)
	}
	return nil
}

// ParentID returns the id of the message that led to m, or "".
func (m *Message) ParentID() string {
	var parent Header
	if json.Unmarshal(m.Parent, &parent) != nil {
		return ""
	}
	return parent.ID
}

// AsParent returns m's header, which is the parent of what answers m.
func (m *Message) AsParent() json.RawMessage { return m.header }

// Codec makes, signs and checks the messages of one end of a connection. It may
// be used from several goroutines.
type Codec struct {
	// Session is the end's own id, in the header of what it makes.
	Session string

	key   []byte
	own   string // begins the sessions of a kernel, which takes no message of a kernel's
	count atomic.Uint64

	limit int // of signatures remembered
	mu    sync.Mutex
	seen  map[[sha256.Size]byte]struct{} // signatures, to refuse a repeated message
	ring  [][sha256.Size]byte            // the same in the order of arrival
	next  int
}

// maxSeen bounds the memory of signatures; it is jupyter_client's own number.
const maxSeen = 1 << 16

// NewCodec returns a codec that signs with key, or not at all if it is empty.
func NewCodec(key string) *Codec {
	var id [16]byte
	rand.Read(id[:]) // never fails
	return &Codec{
		Session: hex.EncodeToString(id[:]),
		key:     []byte(key),
		limit:   maxSeen,
		seen:    make(map[[sha256.Size]byte]struct{}),
	}
}

// ownSession begins the session of every kernel that has this key, also of one that was
// restarted. What a kernel publishes is signed, and all who subscribe get it: it must
// not come back as a client's.
func ownSession(key string) string {
	if key == "" {
		return ""
	}
	sum := hmac.New(sha256.New, []byte(key))
	sum.Write([]byte("session of the kernel"))
	return hex.EncodeToString(sum.Sum(nil)[:8]) + "-"
}

var emptyObject = json.RawMessage("{}")

// New makes a message that answers parent, which may be nil.
func (c *Codec) New(msgType string, parent json.RawMessage, content any) (*Message, error) {
	m := &Message{
		Header: Header{
			ID:       c.Session + "_" + strconv.FormatUint(c.count.Add(1), 10),
			Session:  c.Session,
			Username: "nnkit",
			Date:     time.Now().UTC().Format("2006-01-02T15:04:05.000000Z"),
			Type:     msgType,
			Version:  message.ProtocolVersion,
		},
		Parent:   parent,
		Metadata: emptyObject,
	}
	if m.Parent == nil {
		m.Parent = emptyObject
	}
	var err error
	if m.header, err = encode(m.Header); err != nil {
		return nil, err
	}
	if m.Content, err = encode(content); err != nil {
		return nil, fmt.Errorf("content of %s: %w", msgType, err)
	}
	return m, nil
}

// ToSubshell makes m a message for a subshell, before it is encoded.
func (m *Message) ToSubshell(id string) (err error) {
	m.Header.SubshellID = id
	m.header, err = encode(m.Header)
	return err
}

// encode is json.Marshal without the escapes that only HTML needs: markup and
// pictures are most of what a notebook shows.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

var delimiter = []byte("<IDS|MSG>")

// Encode returns m's frames, signed.
func (c *Codec) Encode(m *Message) [][]byte {
	frames := make([][]byte, 0, len(m.Identities)+6+len(m.Buffers))
	frames = append(frames, m.Identities...)
	frames = append(frames, delimiter, nil, m.header, m.Parent, m.Metadata, m.Content)
	signed := frames[len(frames)-4:]
	if len(c.key) > 0 {
		sum := c.sum(signed)
		frames[len(frames)-5] = hex.AppendEncode(nil, sum[:])
	}
	return append(frames, m.Buffers...)
}

func (c *Codec) sum(frames [][]byte) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, c.key)
	for _, f := range frames {
		h.Write(f)
	}
	h.Sum(sum[:0])
	return sum
}

// ErrSignature is the error of a message that was not made by a holder of the
// key, or that was seen before.
var ErrSignature = errors.New("refused")

// Decode reads and checks a message.
func (c *Codec) Decode(frames [][]byte) (*Message, error) {
	at := -1
	for i, f := range frames {
		if bytes.Equal(f, delimiter) {
			at = i
			break
		}
	}
	if at < 0 {
		return nil, errors.New("message has no delimiter")
	}
	identities, rest := frames[:at], frames[at+1:]
	if len(rest) < 5 {
		return nil, fmt.Errorf("message has %d frames after its delimiter, at least 5 are needed", len(rest))
	}
	if err := c.verify(rest[0], rest[1:5]); err != nil {
		return nil, err
	}
	m := &Message{
		Identities: identities,
		Parent:     rest[2],
		Metadata:   rest[3],
		Content:    rest[4],
		Buffers:    rest[5:],
		header:     rest[1],
	}
	if err := json.Unmarshal(rest[1], &m.Header); err != nil {
		return nil, fmt.Errorf("message header: %w", err)
	}
	if m.Header.Type == "" {
		return nil, errors.New("message header has no msg_type")
	}
	if c.own != "" && strings.HasPrefix(m.Header.Session, c.own) {
		return nil, fmt.Errorf("%w: the message is one that the kernel has published", ErrSignature)
	}
	// They are quoted in what answers m, which must stay valid.
	for i, part := range []string{"parent header", "metadata", "content"} {
		if !json.Valid(rest[2+i]) {
			return nil, fmt.Errorf("%s of %s is not JSON", part, m.Header.Type)
		}
	}
	return m, nil
}

func (c *Codec) verify(signature []byte, signed [][]byte) error {
	if len(c.key) == 0 {
		return nil
	}
	if len(signature) == 0 {
		return fmt.Errorf("%w: the message is not signed", ErrSignature)
	}
	var got [sha256.Size]byte
	if len(signature) != hex.EncodedLen(len(got)) {
		return fmt.Errorf("%w: the message is signed wrongly", ErrSignature)
	}
	want := c.sum(signed)
	if _, err := hex.Decode(got[:], signature); err != nil || !hmac.Equal(got[:], want[:]) {
		return fmt.Errorf("%w: the message is signed wrongly", ErrSignature)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.seen[want]; ok {
		return fmt.Errorf("%w: the message was received before", ErrSignature)
	}
	if len(c.ring) < c.limit {
		c.ring = append(c.ring, want)
	} else {
		delete(c.seen, c.ring[c.next])
		c.ring[c.next] = want
		c.next = (c.next + 1) % c.limit
	}
	c.seen[want] = struct{}{}
	return nil
}
