package data

import (
	"bytes"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestReadWAV(t *testing.T) {
	want := []float32{0, 0.25, -0.5, 1 - 1.0/128}
	for _, name := range []string{"pcm8", "pcm16", "pcm24", "pcm32", "float32", "float64"} {
		s := must(LoadWAV("testdata/" + name + ".wav"))(t)
		if s.Rate != 8000 || !slices.Equal(s.Samples, want) {
			t.Errorf("%s: %v %v", name, s, s.Samples)
		}
	}
	for _, test := range []struct{ file, want string }{
		{"", "it is no WAVE file"},
		{"RIFF\x00\x00\x00\x00WAVE", `it ends before its samples, the chunk "data"`},
		{"RIFF\x00\x00\x00\x00WAVEdata\x00\x00\x00\x00", "its samples come before their description"},
		{"RIFF\x00\x00\x00\x00WAVELIST\x10\x00\x00\x00", `it ends within its chunk "LIST"`},
		{"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x06\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00", "its samples have the format 6 with 8 bits"},
		{"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x00\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00", "it has 0 channels"},
	} {
		_, err := ReadWAV(strings.NewReader(test.file))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: the error is %v, want %q in it", test.file, err, test.want)
		}
	}
}

func TestResample(t *testing.T) {
	wave := func(rate int, hertz float64) *Sound {
		s := &Sound{Rate: rate, Samples: make([]float32, rate/5)}
		for i := range s.Samples {
			s.Samples[i] = float32(math.Sin(2 * math.Pi * hertz * float64(i) / float64(rate)))
		}
		return s
	}
	for _, to := range []int{4000, 6000, 11025, 16000, 44100} {
		got := must(wave(8000, 440).Resample(to))(t)
		want := wave(to, 440)
		if got.Rate != to || len(got.Samples) != len(want.Samples) {
			t.Fatalf("%v", got)
		}
		for i := to / 50; i < len(got.Samples)-to/50; i++ { // away from the ends, where there is silence beyond
			if math.Abs(float64(got.Samples[i]-want.Samples[i])) > 1e-3 {
				t.Errorf("%d Hz: sample %d is %v, want %v", to, i, got.Samples[i], want.Samples[i])
				break
			}
		}
	}
	// A tone above half of the new rate must be gone, not be another tone.
	got := must(wave(16000, 6000).Resample(8000))(t)
	for i := 200; i < len(got.Samples)-200; i++ {
		if math.Abs(float64(got.Samples[i])) > 1e-2 {
			t.Errorf("sample %d of what should be silent is %v", i, got.Samples[i])
			break
		}
	}
	if _, err := wave(8000, 440).Resample(0); err == nil {
		t.Error("a rate of 0 is no error")
	}
}

func TestLoadSounds(t *testing.T) {
	dir := t.TempDir()
	tone := &Sound{Rate: 8000, Samples: make([]float32, 100)}
	for i := range tone.Samples {
		tone.Samples[i] = 0.5
	}
	write(t, dir, "high/a.wav", tone.WriteWAV)
	write(t, dir, "low/b.wav", tone.WriteWAV)
	e := must(LoadSounds(dir, 8000, 120))(t)
	if !slices.Equal(e.X.Shape(), []int{2, 120}) || e.Rate != 8000 || !slices.Equal(e.Classes, []string{"high", "low"}) {
		t.Fatalf("%v", e)
	}
	row := e.X.Rows()[1]
	if math.Abs(float64(row[99])-0.5) > 1e-4 || row[100] != 0 {
		t.Errorf("the sound ends %v", row[98:102])
	}
	if e := must(LoadSounds(dir, 4000, 20))(t); !slices.Equal(e.X.Shape(), []int{2, 20}) {
		t.Errorf("%v", e)
	}
	if err := second(LoadSounds(dir, 0, 20)); err == nil || !strings.Contains(err.Error(), "both must be at least 1") {
		t.Errorf("the error is %v", err)
	}
	write(t, dir, "low/c.wav", func(w io.Writer) error { _, err := w.Write([]byte("RIFF")); return err })
	if err := second(LoadSounds(dir, 8000, 20)); err == nil || !strings.Contains(err.Error(), "c.wav: it is no WAVE file") {
		t.Errorf("the error is %v", err)
	}
}

func FuzzWAV(f *testing.F) {
	for _, name := range []string{"pcm8", "pcm24", "float32"} {
		b, err := os.ReadFile("testdata/" + name + ".wav")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadWAV(bytes.NewReader(b))
		if err != nil {
			return
		}
		if s.Rate < 1 || len(s.Samples) == 0 {
			t.Fatalf("%v", s)
		}
		var file bytes.Buffer
		if err := s.WriteWAV(&file); err != nil {
			t.Fatal(err)
		}
		again := must(ReadWAV(&file))(t)
		if again.Rate != s.Rate || len(again.Samples) != len(s.Samples) {
			t.Fatalf("%v was written and %v read", s, again)
		}
	})
}
