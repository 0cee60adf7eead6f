package data

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
)

// Sound is a recording of one channel. Shown in a notebook it can be listened to.
type Sound struct {
	Rate    int       // samples per second
	Samples []float32 // from -1 to 1
}

// LoadWAV reads a sound file; [ReadWAV] says how.
func LoadWAV(path string) (*Sound, error) {
	return load("LoadWAV", path, func(f io.Reader) (*Sound, error) { return readWAV(bufio.NewReader(f)) })
}

// ReadWAV reads a sound in the format WAVE (Microsoft and IBM, Multimedia Programming Interface and Data
// Specifications, 1991): samples of 8, 16, 24 or 32 bits, or of floating point numbers of 32 or 64 bits. Several
// channels are mixed to one, their mean.
func ReadWAV(r io.Reader) (*Sound, error) {
	s, err := readWAV(r)
	if err != nil {
		return nil, fmt.Errorf("ReadWAV: %w", err)
	}
	return s, nil
}

// LoadSounds reads a folder that has a folder of WAVE files for each class, named after it. The sounds are brought to
// the given rate, in samples per second, and length: longer ones are cut, shorter ones followed by silence. X gets the
// shape (sounds, samples).
func LoadSounds(dir string, rate, samples int) (*Examples, error) {
	if rate < 1 || samples < 1 {
		return nil, fmt.Errorf("LoadSounds: %d samples at %d a second: both must be at least 1", samples, rate)
	}
	x, y, classes, err := loadFolder("LoadSounds", dir, samples, []string{".wav"}, func(f io.Reader, row []float32) error {
		s, err := readWAV(bufio.NewReader(f))
		if err != nil {
			return err
		}
		copy(row, s.resample(rate, samples).Samples)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Examples{Name: filepath.Base(dir), X: tensor(x, len(y), samples), Y: tensor(y, len(y)), Classes: classes, Rate: rate}, nil
}

// wavFormat is what the chunk "fmt " says.
type wavFormat struct {
	channels, rate int
	kind           number
}

func readWAV(r io.Reader) (*Sound, error) {
	var start [12]byte
	if _, err := io.ReadFull(r, start[:]); err != nil || string(start[:4]) != "RIFF" || string(start[8:]) != "WAVE" {
		return nil, fmt.Errorf("it is no WAVE file: it begins with %q", start[:])
	}
	var format *wavFormat
	for {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, errors.New("it ends before its samples, the chunk \"data\": it is damaged")
		}
		name, size := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
		switch {
		case name == "fmt " && size >= 16:
			chunk := make([]byte, min(size, 40))
			if _, err := io.ReadFull(r, chunk); err != nil {
				return nil, errors.New("it ends within its chunk \"fmt \": it is damaged")
			}
			var err error
			if format, err = parseWAVFormat(chunk); err != nil {
				return nil, err
			}
			size -= int64(len(chunk))
		case name == "data":
			if format == nil {
				return nil, errors.New("its samples come before their description, the chunk \"fmt \": it is damaged")
			}
			return format.samples(r, size)
		}
		if _, err := io.CopyN(io.Discard, r, size+size%2); err != nil { // chunks begin at even places
			return nil, fmt.Errorf("it ends within its chunk %q: it is damaged", name)
		}
	}
}

func parseWAVFormat(b []byte) (*wavFormat, error) {
	tag := binary.LittleEndian.Uint16(b)
	if tag == 0xFFFE && len(b) >= 26 { // what it is stands behind the description
		tag = binary.LittleEndian.Uint16(b[24:])
	}
	f := &wavFormat{channels: int(binary.LittleEndian.Uint16(b[2:])), rate: int(binary.LittleEndian.Uint32(b[4:]))}
	bits := int(binary.LittleEndian.Uint16(b[14:]))
	f.kind = number{'i', bits / 8}
	switch {
	case tag == 1 && (bits == 8 || bits == 16 || bits == 24 || bits == 32):
	case tag == 3 && (bits == 32 || bits == 64):
		f.kind.kind = 'f'
	default:
		return nil, fmt.Errorf("its samples have the format %d with %d bits, and 1 (PCM) with 8, 16, 24 or 32 and 3 (floating point) with "+
			"32 or 64 can be read: convert it", tag, bits)
	}
	if f.channels < 1 || f.channels > 64 || f.rate < 1 || f.rate > 1<<24 {
		return nil, fmt.Errorf("it has %d channels at %d samples a second: it is damaged", f.channels, f.rate)
	}
	return f, nil
}

// samples reads to the chunk's end, or the file's, since programs that write to a pipe do not know the size.
func (f *wavFormat) samples(r io.Reader, size int64) (*Sound, error) {
	s := &Sound{Rate: f.rate}
	one := f.kind.size
	chunk := make([]byte, 4096*f.channels*one)
	for size > 0 {
		n, err := io.ReadFull(r, chunk[:min(size, int64(len(chunk)))])
		size -= int64(n)
		for at := 0; at+f.channels*one <= n; at += f.channels * one {
			sum := 0.0
			for c := range f.channels {
				sum += f.sample(chunk[at+c*one:][:one])
			}
			v := float32(sum / float64(f.channels))
			if v-v != 0 {
				return nil, fmt.Errorf("sample %d (counted from 0) is %v: it is damaged", len(s.Samples), v)
			}
			s.Samples = append(s.Samples, v)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if len(s.Samples) == 0 {
		return nil, errors.New("there are no samples in it")
	}
	return s, nil
}

// sample is from -1 to 1.
func (f *wavFormat) sample(b []byte) float64 {
	switch {
	case f.kind.kind == 'f' && len(b) == 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case f.kind.kind == 'f':
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	case len(b) == 1: // without a sign, of all things
		return (float64(b[0]) - 128) / 128
	}
	var v uint32
	for i, x := range b { // to the upper end, where the sign is
		v |= uint32(x) << (8 * (i + 4 - len(b)))
	}
	return float64(int32(v)) / (1 << 31)
}

// Resample returns the sound at another rate, by interpolation with a sinc function under Hann's window, sixteen zeros
// wide to either side; what the new rate cannot carry is filtered out. At the same rate it is s itself.
func (s *Sound) Resample(rate int) (*Sound, error) {
	if rate < 1 || s.Rate < 1 {
		return nil, fmt.Errorf("Resample: from %d to %d samples a second: both must be at least 1", s.Rate, rate)
	}
	if rate == s.Rate {
		return s, nil
	}
	n := float64(len(s.Samples)) / (float64(s.Rate) / float64(rate))
	if n > 1<<32 {
		return nil, fmt.Errorf("Resample: from %d to %d samples a second makes %.0f of %d samples, more than memory can hold", s.Rate, rate, n,
			len(s.Samples))
	}
	return s.resample(rate, int(math.Ceil(n))), nil
}

// resample returns the first samples of the sound at another rate, at most as many as are wanted.
func (s *Sound) resample(rate, most int) *Sound {
	if rate == s.Rate {
		return s
	}
	ratio := float64(s.Rate) / float64(rate)
	n := min(math.Ceil(float64(len(s.Samples))/ratio), float64(most))
	const zeros = 16
	slow := math.Max(1, ratio) // a sinc of the slower rate
	out := &Sound{Rate: rate, Samples: make([]float32, int(n))}
	for i := range out.Samples {
		at := float64(i) * ratio
		from := max(0, int(math.Ceil(at-float64(zeros*slow))))
		to := min(len(s.Samples)-1, int(math.Floor(at+float64(zeros*slow))))
		sum := 0.0
		for k := from; k <= to; k++ {
			x := (float64(k) - at) / slow
			w := 1.0
			if x != 0 {
				w = sine(x/2) / (math.Pi * x)
			}
			w *= 0.5 + float64(0.5*cosine(x/(2*zeros)))
			sum += float64(w * float64(s.Samples[k]))
		}
		out.Samples[i] = float32(sum / slow)
	}
	return out
}

// Sound returns row i of examples that are sounds.
func (e *Examples) Sound(i int) (*Sound, error) {
	shape := e.X.Shape()
	if len(shape) != 2 || e.Rate < 1 {
		return nil, fmt.Errorf("Sound: X has the shape %v and Rate is %d; sounds are (rows, samples) and have a Rate", shape, e.Rate)
	}
	if i < 0 || i >= shape[0] {
		return nil, fmt.Errorf("Sound: there is no row %d: the %d rows are counted from 0", i, shape[0])
	}
	return &Sound{e.Rate, e.X.Rows()[i]}, nil
}

// Examples makes a batch of the one sound, (1, samples): what [MelSpectrogram] and [MFCC] want. The samples are shared.
func (s *Sound) Examples() *Examples {
	return &Examples{Name: "Sound", X: tensor(s.Samples, 1, len(s.Samples)), Y: tensor(make([]float32, 1), 1), Rate: s.Rate}
}

// WriteWAV writes the sound as a WAVE file with samples of 16 bits. What is beyond -1 or 1 is clipped.
func (s *Sound) WriteWAV(w io.Writer) error {
	if s.Rate < 1 || len(s.Samples) > math.MaxInt32/2 {
		return fmt.Errorf("WriteWAV: %d samples at %d a second: there must be at most %d, and at least 1 a second", len(s.Samples), s.Rate,
			math.MaxInt32/2)
	}
	size := uint32(2 * len(s.Samples))
	b := append(make([]byte, 0, 44+int(size)), "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, 36+size)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(s.Rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*s.Rate))
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	for _, v := range s.Samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(limit(float64(v), -1, 1)*math.MaxInt16))))
	}
	_, err := w.Write(b)
	return err
}

// HTML shows a player in a notebook.
func (s *Sound) HTML() string {
	var file bytes.Buffer
	if s == nil || s.WriteWAV(&file) != nil {
		return "<p>no sound</p>"
	}
	return fmt.Sprintf(`<audio controls src="data:audio/wav;base64,%s"></audio>`, base64.StdEncoding.EncodeToString(file.Bytes()))
}

// String says how long the sound is.
func (s *Sound) String() string {
	if s == nil {
		return "<nil>"
	}
	return fmt.Sprintf("Sound: %.2f s, %d samples at %d Hz", float64(len(s.Samples))/float64(max(1, s.Rate)), len(s.Samples), s.Rate)
}
