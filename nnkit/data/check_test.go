package data

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// must returns a value that there is no error about: must(f())(t).
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func second(_ any, err error) error   { return err }
func third(_, _ any, err error) error { return err }

// failure is an error and what must be in it.
type failure struct {
	err  error
	want string
}

func checkFailures(t *testing.T, all []failure) {
	t.Helper()
	for _, f := range all {
		if f.err == nil || !strings.Contains(f.err.Error(), f.want) {
			t.Errorf("the error is %v, want %q in it", f.err, f.want)
		}
	}
}

// hash is of numbers' bits.
func hash(t *testing.T, values ...any) string {
	t.Helper()
	h := sha256.New()
	for _, v := range values {
		if err := binary.Write(h, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

func sum(values []float64) float64 {
	s := 0.0
	for _, v := range values {
		s += v
	}
	return s
}
