package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// file is one of which is known what it must be.
type file struct {
	name   string // in the cache and on a mirror
	url    string
	size   int64
	sha256 string
}

// Option changes how files are downloaded: [Context], [Progress].
type Option func(*download)

// Context ends a download when ctx is done.
func Context(ctx context.Context) Option { return func(d *download) { d.ctx = ctx } }

// Progress has f called while a file is downloaded, with the bytes that are there and all of them, instead of a line
// being printed. A file that is in the cache already is not told of.
func Progress(f func(file string, done, total int64)) Option {
	return func(d *download) { d.progress = f }
}

type download struct {
	ctx      context.Context
	progress func(file string, done, total int64)
	patience time.Duration // without a byte
}

func newDownload(options []Option) *download {
	d := &download{ctx: context.Background(), patience: 30 * time.Second}
	d.progress = printProgress()
	for _, o := range options {
		o(d)
	}
	return d
}

// printProgress writes a line for each file, which grows no more often than one can read.
func printProgress() func(file string, done, total int64) {
	var last time.Time
	return func(file string, done, total int64) {
		if done < total && time.Since(last) < 200*time.Millisecond {
			return
		}
		last = time.Now()
		const width = 24
		bar := int(done * width / max(1, total))
		fmt.Fprintf(os.Stdout, "\r%s [%s%s] %.1f of %.1f MB", file, strings.Repeat("=", bar), strings.Repeat(" ", width-bar), float64(done)/1e6,
			float64(total)/1e6)
		if done == total {
			fmt.Fprintln(os.Stdout)
		}
	}
}

// place says where files are kept, and where else than at their own address they may be.
func place() (folder, mirror string, err error) {
	chosen := os.Getenv("NNKIT_DATA")
	if strings.HasPrefix(chosen, "http://") || strings.HasPrefix(chosen, "https://") {
		mirror = strings.TrimSuffix(chosen, "/") + "/"
	} else if chosen != "" {
		return chosen, "", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", "", fmt.Errorf("there is no folder to keep files in (%w): set the environment variable NNKIT_DATA to one", err)
	}
	return filepath.Join(cache, "nnkit", "data"), mirror, nil
}

// get returns the path of a file, which is what it must be.
func (d *download) get(f file) (string, error) {
	folder, mirror, err := place()
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, f.name)
	if f.isAt(path) {
		return path, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("the folder for data cannot be made: %w; set the environment variable NNKIT_DATA to another one", err)
	}
	var failed error
	for _, url := range []string{mirror + f.name, f.url} {
		if url == f.name {
			continue // there is no mirror
		}
		err := d.from(url, path, f)
		if err == nil {
			return path, nil
		}
		failed = errors.Join(failed, fmt.Errorf("%s: %w", url, err))
		if d.ctx.Err() != nil {
			break
		}
	}
	return "", fmt.Errorf("%s could not be downloaded (%s): go online once, or put the file into %s, or set the environment variable "+
		"NNKIT_DATA to a folder or the address of a mirror that has it", f.name, strings.ReplaceAll(failed.Error(), "\n", "; "), folder)
}

// isAt says whether the file is in the cache, whole.
func (f file) isAt(path string) bool {
	r, err := os.Open(path)
	if err != nil {
		return false
	}
	defer r.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(r, f.size+1))
	return err == nil && n == f.size && hex.EncodeToString(sum.Sum(nil)) == f.sha256
}

// from downloads to a file of another name, which takes its place when it is whole: who looks at the same time, or after
// a crash, sees nothing or all.
func (d *download) from(url, path string, f file) (err error) {
	ctx, cancel := context.WithCancelCause(d.ctx)
	defer cancel(nil)
	impatient := time.AfterFunc(d.patience, func() { cancel(fmt.Errorf("nothing came for %v", d.patience)) })
	defer impatient.Stop()
	defer func() {
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = cause
		}
	}()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil { // it would say the address again
			err = inner
		}
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", response.Status)
	}
	part, err := os.CreateTemp(filepath.Dir(path), f.name+".part-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	defer part.Close()

	sum, done := sha256.New(), int64(0)
	body := io.LimitReader(response.Body, f.size+1)
	chunk := make([]byte, 1<<16)
	for {
		n, err := body.Read(chunk)
		impatient.Reset(d.patience)
		sum.Write(chunk[:n])
		if _, err := part.Write(chunk[:n]); err != nil {
			return err
		}
		if done += int64(n); done <= f.size {
			d.progress(f.name, done, f.size)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("the connection broke after %d of %d bytes: %w", done, f.size, err)
		}
	}
	switch {
	case done < f.size:
		return fmt.Errorf("it ended after %d of %d bytes", done, f.size)
	case done > f.size:
		return fmt.Errorf("it is longer than the %d bytes that are known: it is another file", f.size)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.sha256 {
		return fmt.Errorf("its SHA-256 is %s and must be %s: it is another file, or damaged", got, f.sha256)
	}
	if err := part.Close(); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}
