package main

import (
	"os"
	"runtime"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/cgroup"
)

// TestObeyQuota: where Go has not seen a quota it is told, and what the user has set stays.
func TestObeyQuota(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, test := range []struct {
		name, set string
		quota     float64
		want      int
		env       string
	}{
		{name: "no quota", want: 8},
		{name: "a quota that Go has seen", quota: 7.5, want: 8},
		{name: "a quota of a group around", quota: 2.5, want: 3, env: "3"},
		{name: "less than a processor", quota: 0.1, want: 2, env: "2"},
		{name: "the user's choice", set: "8", quota: 2.5, want: 8, env: "8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("GOMAXPROCS", test.set)
			runtime.GOMAXPROCS(8)
			obeyQuota(cgroup.CPU{Quota: test.quota})
			if got, env := runtime.GOMAXPROCS(0), os.Getenv("GOMAXPROCS"); got != test.want || env != test.env {
				t.Errorf("GOMAXPROCS is %d and %q, want %d and %q", got, env, test.want, test.env)
			}
		})
	}
}

// TestLimits: the command tells all three.
func TestLimits(t *testing.T) {
	out := ok(t, 0, "GOMEMLIMIT=3GiB", "NNKIT_CACHE_SIZE=300MB", "XDG_CACHE_HOME="+t.TempDir(), "limits")
	contains(t, "kernel limits", out, "memory ", "GOMEMLIMIT=3GiB is yours", "processors ", "/nnkit: 0 MB, at most 300 MB (NNKIT_CACHE_SIZE)")
	contains(t, "a size that is none", ok(t, 0, "NNKIT_CACHE_SIZE=lots", "limits"), "NNKIT_CACHE_SIZE=lots: a size is a number with a unit: 500MB, 2GB; it is 4.0 GB now")
}
