package datasets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fileOf describes bytes as those of a data set.
func fileOf(name, url string, content []byte) file {
	sum := sha256.Sum256(content)
	return file{name: name, url: url, size: int64(len(content)), sha256: hex.EncodeToString(sum[:])}
}

// cacheIn has files kept in a new folder.
func cacheIn(t *testing.T) (folder string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("NNKIT_DATA", "")
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("HOME", dir)
	folder, mirror, err := place()
	if err != nil || mirror != "" {
		t.Fatalf("%q %q %v", folder, mirror, err)
	}
	return folder
}

func quiet() *download {
	return newDownload([]Option{Progress(func(string, int64, int64) {})})
}

// noParts says that nothing half done is left.
func noParts(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, want) {
		t.Errorf("the folder has %q, want %q", names, want)
	}
}

func TestDownloadsOnce(t *testing.T) {
	folder := cacheIn(t)
	content := bytes.Repeat([]byte("flower\n"), 50000)
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Write(content)
	}))
	defer server.Close()
	f := fileOf("a.data", server.URL+"/a", content)
	var told []int64
	d := newDownload([]Option{Progress(func(name string, done, total int64) {
		if name != "a.data" || total != f.size {
			t.Errorf("told of %s, %d bytes", name, total)
		}
		told = append(told, done)
	})})
	for range 2 {
		path, err := d.get(f)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) || path != filepath.Join(folder, "a.data") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if asked.Load() != 1 || !slices.IsSorted(told) || told[len(told)-1] != f.size {
		t.Errorf("asked %d times, told %v", asked.Load(), told)
	}
	// A file that was damaged is downloaded again.
	if err := os.WriteFile(filepath.Join(folder, "a.data"), content[1:], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.get(f); err != nil || asked.Load() != 2 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
	noParts(t, folder, "a.data")
}

func TestDownloadErrors(t *testing.T) {
	content := []byte(strings.Repeat("flower\n", 20000))
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/other":
			w.Write(bytes.ToUpper(content))
		case "/short":
			w.Write(content[:100])
		case "/long":
			w.Write(append(content, "more"...))
		case "/cut": // the connection breaks within what was promised
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:1000])
			w.(http.Flusher).Flush()
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				c.Close()
			}
		case "/hang":
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:1000])
			w.(http.Flusher).Flush()
			<-release
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	defer close(release)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close() // nobody listens there any more: as without a network

	for _, test := range []struct{ url, want string }{
		{server.URL + "/other", "its SHA-256 is"},
		{server.URL + "/short", "it ended after 100 of 140000 bytes"},
		{server.URL + "/long", "it is longer than the 140000 bytes that are known"},
		{server.URL + "/cut", "the connection broke after 1000 of 140000 bytes"},
		{server.URL + "/none", "the server answers 404 Not Found"},
		{server.URL + "/hang", "nothing came for 200ms"},
		{gone.URL + "/a", "connection refused"},
	} {
		folder := cacheIn(t)
		d := quiet()
		d.patience = 200 * time.Millisecond
		_, err := d.get(fileOf("a.data", test.url, content))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %q in it", test.url, err, test.want)
			continue
		}
		for _, part := range []string{"a.data could not be downloaded (" + test.url + ": ", "go online once, or put the file into " + folder, "NNKIT_DATA"} {
			if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") || strings.Count(err.Error(), test.url) != 1 {
				t.Errorf("%s: the error is %q, want %q in it", test.url, err, part)
			}
		}
		noParts(t, folder)
	}

	// The caller may give up.
	cacheIn(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	late := errors.New("it is late")
	d := newDownload([]Option{Context(ctx), Progress(func(string, int64, int64) { cancel(late) })})
	if _, err := d.get(fileOf("a.data", server.URL+"/hang", content)); err == nil || !strings.Contains(err.Error(), "it is late") {
		t.Errorf("the error is %v", err)
	}
}

func TestMirrorAndFolder(t *testing.T) {
	content := []byte("5.1,3.5,1.4,0.2,Iris-setosa\n")
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	f := fileOf("a.data", gone.URL+"/a", content)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/mirror/a.data" {
			w.Write(content)
		}
	}))
	defer server.Close()
	cacheIn(t)
	t.Setenv("NNKIT_DATA", server.URL+"/mirror")
	if _, err := quiet().get(f); err != nil {
		t.Errorf("from the mirror: %v", err)
	}
	folder := t.TempDir()
	t.Setenv("NNKIT_DATA", folder)
	if err := os.WriteFile(filepath.Join(folder, "a.data"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := quiet().get(f); err != nil || path != filepath.Join(folder, "a.data") {
		t.Errorf("from the folder: %s %v", path, err)
	}
}

func TestPrintProgress(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out := os.Stdout
	os.Stdout = w
	show := printProgress()
	show("a.gz", 1_000_000, 4_000_000)
	show("a.gz", 1_100_000, 4_000_000) // too soon
	show("a.gz", 4_000_000, 4_000_000)
	os.Stdout = out
	w.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	const want = "\ra.gz [======                  ] 1.0 of 4.0 MB\ra.gz [========================] 4.0 of 4.0 MB\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// served puts contents into a folder from which sets are loaded.
func served(t *testing.T, names []string, contents [][]byte) []file {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("NNKIT_DATA", folder)
	files := make([]file, len(names))
	for i, name := range names {
		files[i] = fileOf(name, "", contents[i])
		if err := os.WriteFile(filepath.Join(folder, name), contents[i], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func packed(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestMNIST(t *testing.T) {
	images := packed(t, []byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 0})
	labels := packed(t, []byte{0, 0, 8, 1, 0, 0, 0, 2, 7, 1})
	files := served(t, []string{"a", "b", "c", "d"}, [][]byte{images, labels, images, labels})
	train, test, err := mnist(quiet(), "MNIST", [4]file(files), []string{"0", "1", "2", "3", "4", "5", "6", "7"})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []any{train.X.Shape(), test.X.Shape()} {
		if !slices.Equal(e.([]int), []int{2, 1, 2, 1}) {
			t.Errorf("the shape is %v", e)
		}
	}
	if !slices.Equal(train.X.Data(), []float32{0, 1, 0.2, 0}) || !slices.Equal(test.Labels(), []float64{7, 1}) || train.Class(0) != "7" {
		t.Errorf("%v %v", train.X.Data(), test.Labels())
	}
	few := packed(t, []byte{0, 0, 8, 1, 0, 0, 0, 1, 7})
	files = served(t, []string{"a", "b", "c", "d"}, [][]byte{images, few, images, labels})
	if _, _, err := mnist(quiet(), "MNIST", [4]file(files), nil); err == nil || !strings.Contains(err.Error(), "the pictures have the shape [2 1 2] and the labels [1]") {
		t.Errorf("the error is %v", err)
	}
}

func TestCIFAR10(t *testing.T) {
	record := func(label byte) []byte {
		b := make([]byte, 1+3072)
		b[0] = label
		for c := range 3 {
			for i := range 1024 {
				b[1+c*1024+i] = byte(85 * c * (i % 2)) // dark, and a colour
			}
		}
		return b
	}
	archive := func(names ...string) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for i, name := range names {
			content := record(byte(i))
			if err := w.WriteHeader(&tar.Header{Name: "cifar-10-batches-bin/" + name, Mode: 0o600, Size: int64(len(content))}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(content); err != nil {
				t.Fatal(err)
			}
		}
		w.Close()
		return packed(t, b.Bytes())
	}
	f := served(t, []string{"c"}, [][]byte{archive("batches.meta.txt", "data_batch_1.bin", "data_batch_2.bin", "test_batch.bin")})
	train, test, err := cifar(quiet(), f[0])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(train.X.Shape(), []int{2, 32, 32, 3}) || !slices.Equal(train.Labels(), []float64{1, 2}) || !slices.Equal(test.Labels(), []float64{3}) {
		t.Errorf("%v %v %v", train, train.Labels(), test.Labels())
	}
	if got := train.X.Data()[:6]; !slices.Equal(got, []float32{0, 0, 0, 0, 85. / 255, 170. / 255}) || test.Class(0) != "cat" {
		t.Errorf("%v %s", got, test.Class(0))
	}
	f = served(t, []string{"c"}, [][]byte{archive("data_batch_1.bin")})
	if _, _, err := cifar(quiet(), f[0]); err == nil || !strings.Contains(err.Error(), "there are no pictures in it") {
		t.Errorf("the error is %v", err)
	}
}

func TestTables(t *testing.T) {
	f := served(t, []string{"iris.data"}, [][]byte{[]byte("5.1,3.5,1.4,0.2,Iris-setosa\n7.0,3.2,4.7,1.4,Iris-versicolor\n\n")})
	known := irisFile
	defer func() { irisFile = known }()
	irisFile = f[0]
	flowers, err := Iris()
	if err != nil {
		t.Fatal(err)
	}
	const want = `Iris: 2 rows, 4 features
  sepal length (cm)  sepal width (cm)  petal length (cm)  petal width (cm)          species
                5.1               3.5                1.4               0.2      Iris-setosa
                  7               3.2                4.7               1.4  Iris-versicolor`
	if flowers.String() != want {
		t.Errorf("%v", flowers)
	}
	f = served(t, []string{"pima"}, [][]byte{[]byte("6,148,72,35,0,33.6,0.627,50,1\n1,85,66,29,0,26.6,0.351,31,0\n")})
	was := pimaFile
	defer func() { pimaFile = was }()
	pimaFile = f[0]
	if women, err := Pima(); err != nil || !slices.Equal(women.Y, []float64{1, 0}) || women.Names()[7] != "age" {
		t.Errorf("%v %v", women, err)
	}
}

// What is known of the files must be possible.
func TestKnownFiles(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range slices.Concat(mnistFiles[:], fashionFiles[:], []file{cifarFile, irisFile, pimaFile}) {
		sum, err := hex.DecodeString(f.sha256)
		if err != nil || len(sum) != sha256.Size || f.size < 1000 || !strings.HasPrefix(f.url, "http") || seen[f.name] || seen[f.sha256] {
			t.Errorf("%+v", f)
		}
		seen[f.name], seen[f.sha256] = true, true
	}
}

// Without a network every loader says what to do.
func TestWithoutNetwork(t *testing.T) {
	cacheIn(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // no byte is asked for
	third := func(_, _ any, err error) error { return err }
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"MNIST": third(MNIST(Context(ctx))), "FashionMNIST": third(FashionMNIST(Context(ctx))), "CIFAR10": third(CIFAR10(Context(ctx))),
		"Iris": second(Iris(Context(ctx))), "Pima": second(Pima(Context(ctx))),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), name+": ") || !strings.Contains(err.Error(), "go online once, or put the file into") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
