package jupyter

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
)

// frame encodes frames as ZMTP does.
func frame(frames ...[]byte) []byte {
	var b []byte
	for i, f := range frames {
		var flags byte
		if i < len(frames)-1 {
			flags = flagMore
		}
		if len(f) > 255 {
			b = binary.BigEndian.AppendUint64(append(b, flags|flagLong), uint64(len(f)))
		} else {
			b = append(b, flags, byte(len(f)))
		}
		b = append(b, f...)
	}
	return b
}

func anySize(int) error { return nil }

func TestReadMessage(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 3<<20)
	huge := binary.BigEndian.AppendUint64([]byte{flagLong}, 1<<62)
	for name, tt := range map[string]struct {
		bytes []byte
		want  [][]byte // nil for an error
	}{
		"one":          {frame([]byte("a")), [][]byte{[]byte("a")}},
		"several":      {frame([]byte("a"), nil, long, []byte("b")), [][]byte{[]byte("a"), {}, long, []byte("b")}},
		"cut":          {frame([]byte("a"), long)[:1<<20], nil},
		"cut header":   {[]byte{flagLong, 0, 0}, nil},
		"huge":         {huge, nil},
		"huge and cut": {append(binary.BigEndian.AppendUint64([]byte{flagLong}, 1<<29), 'x'), nil},
		"command more": {[]byte{flagCommand | flagMore, 1, 'x'}, nil},
		"command last": {[]byte{flagMore, 0, flagCommand, 0}, nil},
	} {
		frames, command, err := readMessage(bufio.NewReader(bytes.NewReader(tt.bytes)), anySize)
		if tt.want == nil {
			if err == nil || err == io.EOF {
				t.Errorf("%s: error %v, %d frames", name, err, len(frames))
			}
		} else if err != nil || command || !slices.EqualFunc(frames, tt.want, bytes.Equal) {
			t.Errorf("%s: error %v, %d frames", name, err, len(frames))
		}
	}
	frames, command, err := readMessage(bufio.NewReader(bytes.NewReader([]byte{flagCommand, 1, 'x'})), anySize)
	if err != nil || !command || len(frames) != 1 {
		t.Errorf("command: %v, %q", err, frames)
	}
}

// FuzzMessage reads arbitrary bytes as messages. Whatever is accepted can be
// written and read again, and signed bytes that were changed are refused.
func FuzzMessage(f *testing.F) {
	codec := NewCodec("")
	m, err := codec.New("execute_request", nil, map[string]string{"code": "x"})
	if err != nil {
		f.Fatal(err)
	}
	m.Identities = [][]byte{[]byte("id")}
	m.Buffers = [][]byte{{0, 1}, nil}
	good := codec.Encode(m)
	f.Add(frame(good...))
	f.Add(frame(good[1:]...))
	f.Add(frame(good[:6]...))
	f.Add(append(frame(good...), frame([]byte("<IDS|MSG>"), nil, []byte(`{"msg_type":1}`), []byte("{}"), []byte("{}"), nil)...))
	f.Add(frame([]byte("<IDS|MSG>"), nil, []byte(`{"msg_type":"a"}`), []byte("null"), []byte("[]"), []byte("1")))
	f.Add([]byte{flagCommand, 4, 'P', 'I', 'N', 'G'})
	f.Fuzz(func(t *testing.T, data []byte) {
		in := bufio.NewReader(bytes.NewReader(data))
		for {
			frames, command, err := readMessage(in, anySize)
			if err != nil {
				return
			}
			if command {
				continue
			}
			m, err := NewCodec("").Decode(frames)
			if err != nil {
				continue
			}
			m.ParentID()
			sender, receiver := NewCodec("key"), NewCodec("key")
			signed := sender.Encode(m)
			again, _, err := readMessage(bufio.NewReader(bytes.NewReader(frame(signed...))), anySize)
			if err != nil {
				t.Fatal(err)
			}
			back, err := receiver.Decode(again)
			if err != nil {
				t.Fatal(err)
			}
			if back.Header != m.Header || !bytes.Equal(back.Content, m.Content) || !slices.EqualFunc(back.Buffers, m.Buffers, bytes.Equal) {
				t.Fatalf("read back %+v, not %+v", back, m)
			}
			if _, err := receiver.Decode(again); !errors.Is(err, ErrSignature) {
				t.Fatalf("repeated: %v", err)
			}
			again[len(m.Identities)+5] = append(slices.Clip(again[len(m.Identities)+5]), ' ')
			if _, err := receiver.Decode(again); !errors.Is(err, ErrSignature) {
				t.Fatalf("changed: %v", err)
			}
		}
	})
}

// The memory of signatures is bounded, and its oldest are the ones forgotten.
func TestSeenIsBounded(t *testing.T) {
	const limit = 100
	sender, receiver := NewCodec("key"), NewCodec("key")
	receiver.limit = limit
	var first, second [][]byte
	for i := range limit + 1 {
		m, err := sender.New("t", nil, i)
		if err != nil {
			t.Fatal(err)
		}
		frames := sender.Encode(m)
		switch i {
		case 0:
			first = frames
		case 1:
			second = frames
		}
		if _, err := receiver.Decode(frames); err != nil {
			t.Fatal(err)
		}
	}
	if len(receiver.seen) != limit || len(receiver.ring) != limit {
		t.Errorf("%d signatures are remembered, in a ring of %d", len(receiver.seen), len(receiver.ring))
	}
	if _, err := receiver.Decode(second); !errors.Is(err, ErrSignature) {
		t.Errorf("the second message again: %v", err)
	}
	if _, err := receiver.Decode(first); err != nil {
		t.Errorf("the first message again, which was forgotten: %v", err)
	}
}
