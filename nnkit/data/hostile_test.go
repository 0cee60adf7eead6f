package data

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// endless reads a piece again and again.
type endless string

func (e endless) Read(b []byte) (int, error) {
	n := copy(b, e)
	for n < len(b) {
		n += copy(b[n:], b[:n])
	}
	return n, nil
}

// zipped packs one array of zeros, float64, as it is or with another size in the archive's list.
func zipped(t *testing.T, zeros int64, claimed uint64) []byte {
	t.Helper()
	array := io.MultiReader(bytes.NewReader(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }")), io.LimitReader(endless("\x00"), zeros))
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if claimed == 0 {
		w, err := z.Create("../../a.npy")
		if err := errors.Join(err, second(io.Copy(w, array)), z.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var packed bytes.Buffer
	c, err := flate.NewWriter(&packed, flate.BestCompression)
	if err := errors.Join(err, second(io.Copy(c, array)), c.Close()); err != nil {
		t.Fatal(err)
	}
	w, err := z.CreateRaw(&zip.FileHeader{Name: "a.npy", Method: zip.Deflate, CompressedSize64: uint64(packed.Len()), UncompressedSize64: claimed})
	if err := errors.Join(err, second(w.Write(packed.Bytes())), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pngOf begins a PNG of that size.
func pngOf(width, height uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, width), height)
	b = append(b, 16, 6, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

// Files that are made to fill the memory, or to keep the processor busy, are refused with the reason, early.
func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o600)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	archive := func(b []byte, anyway int64) error { return second(readNPZ(bytes.NewReader(b), int64(len(b)), anyway)) }
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	if err := errors.Join(second(gz.Write([]byte{0, 0, 8, 1, 255, 255, 255, 255})), second(io.Copy(gz, io.LimitReader(endless("\x00"), 4<<20))), gz.Close()); err != nil {
		t.Fatal(err)
	}
	plain, lying, honest := zipped(t, 4<<20, 0), zipped(t, 4<<20, 100), zipped(t, 0, 1<<40)
	save("pictures/a/huge.png", pngOf(1<<20, 1<<20))
	const (
		unpack = "as of a file that is made to fill the memory: if you trust it, unpack it"
		much   = 512 << 20 // in all: what fields of one letter take, and how it grew
		some   = 64 << 20
		little = 8 << 20
	)
	for name, test := range map[string]struct {
		read func() error
		want string
		most uint64 // bytes
	}{
		"an archive of zeros":             {func() error { return archive(plain, 1<<18) }, unpack, little},
		"one that tells less than it has": {func() error { return archive(lying, 1<<18) }, "not a valid zip file", little},
		"one that tells much more": {
			func() error { return second(LoadNPZ(save("a.npz", honest))) }, unpack, little,
		},
		"gzip of zeros":    {func() error { return second(readIDX(bytes.NewReader(packed.Bytes()), 1<<20)) }, unpack, some},
		"a line of no end": {func() error { return second(ReadCSV(endless("1,"), CSVOptions{})) }, "line 1 has more than", much},
		"a cell of no end": {func() error {
			return second(ReadCSV(io.MultiReader(strings.NewReader("a,b\n\"c"), endless("x")), CSVOptions{}))
		}, "line 2 has more than", some},
		"a picture of a terapixel": {
			func() error { return second(LoadImages(filepath.Join(dir, "pictures"), 8, 8, 3)) }, "it has 1048576×1048576 pixels, and must have", little,
		},
		"a header of megabytes": {
			func() error {
				return second(ReadNPY(io.MultiReader(strings.NewReader(npyMagic+"\x02\x00\x00\x00\x10\x00"), endless(" "))))
			},
			"its header has 1048576 bytes", little,
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := test.read()
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %q in it", name, err, test.want)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > test.most {
			t.Errorf("%s: %d bytes were taken", name, got)
		}
	}
	// What is small in any case may shrink as much as it likes.
	if _, err := ReadIDX(bytes.NewReader(packed.Bytes())); err == nil || !strings.Contains(err.Error(), "it ends after 4194304 of the 4294967295 values") {
		t.Errorf("4 MB of zeros: %v", err)
	}
}

// A sound that says it was recorded at one sample a second would be resampled to gigabytes.
func TestSlowSound(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/slow.wav", func(w io.Writer) error { return (&Sound{Rate: 1, Samples: make([]float32, 200_000)}).WriteWAV(w) })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	e, err := LoadSounds(dir, 16000, 1000)
	runtime.ReadMemStats(&after)
	if err != nil || e.X.Len() != 1000 {
		t.Errorf("%v %v", e, err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
		t.Errorf("%d bytes were taken", got)
	}
}

// The header's names are compared with each other, which may not take the square of their number.
func TestManyColumns(t *testing.T) {
	var head, row strings.Builder
	const n = 100_000
	for i := range n {
		head.WriteString("c")
		head.WriteString(strings.Repeat("x", i%7))
		head.WriteString(string(rune('a'+i%26)) + string(rune('0'+i/26%10)) + string(rune(0x4e00+i/260)) + ",")
		row.WriteString("1,")
	}
	d, err := ReadCSV(strings.NewReader(head.String()+"y\n"+row.String()+"0\n"), CSVOptions{})
	if err != nil || len(d.Features) != n {
		t.Errorf("%v", err)
	}
}

func FuzzImage(f *testing.F) {
	m := image.NewRGBA(image.Rect(0, 0, 5, 3))
	m.Set(1, 1, color.RGBA{255, 0, 0, 128})
	for _, encode := range []func(io.Writer) error{
		func(w io.Writer) error { return png.Encode(w, m) },
		func(w io.Writer) error { return jpeg.Encode(w, m, nil) },
		func(w io.Writer) error { return gif.Encode(w, m, nil) },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add(pngOf(1<<30, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(b)); err == nil && c.Width*c.Height > 1<<16 {
			return // of large ones there is a test
		}
		m, err := decodeImage(bytes.NewReader(b))
		if err != nil {
			return
		}
		x, err := ImageTensor(m, 3, 4, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range x.Data() {
			if !(v >= 0 && v <= 1.0001) {
				t.Fatalf("a pixel is %v", v)
			}
		}
	})
}
