package session

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// checkLoops are bodies of functions that compute something in loops of a few
// instructions a turn, and return it.
var checkLoops = []struct{ name, body string }{
	{"dot", `
	var s float64
	for range 1000 { for i, x := range a { s += x * b[i] } }
	return int(s)`},
	{"sieve", `
	composite, primes := make([]bool, 1_000_000), 0
	for i := 2; i < len(composite); i++ {
		if composite[i] { continue }
		primes++
		for j := i * i; j < len(composite); j += i { composite[j] = true }
	}
	return primes`},
	{"mandelbrot", `
	inside := 0
	for y := range 60 {
		for x := range 90 {
			c := complex(float64(x)/30-2, float64(y)/30-1)
			z, n := 0i, 0
			for n < 200 && real(z)*real(z)+imag(z)*imag(z) < 4 { z = z*z + c; n++ }
			inside += n / 200
		}
	}
	return inside`},
	{"matrix", `
	const n = 100
	p := make([]float64, n*n)
	for i := range n {
		for k := range n {
			x := a[i*10+k%10]
			for j, y := range b[:n] { p[i*n+j] += x * y }
		}
	}
	return int(p[n])`},
	{"insertionsort", `
	s := make([]int, 2000)
	for i := range s { s[i] = i * 7919 % 2003 }
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && s[j-1] > s[j]; j-- { s[j-1], s[j] = s[j], s[j-1] }
	}
	return s[1000]`},
	{"quicksort", `
	s := make([]int, 50_000)
	for i := range s { s[i] = i * 7919 % 50_021 }
	var sort func(s []int)
	sort = func(s []int) {
		if len(s) < 2 { return }
		pivot, i, j := s[len(s)/2], 0, len(s)-1
		for i <= j {
			for s[i] < pivot { i++ }
			for s[j] > pivot { j-- }
			if i <= j { s[i], s[j] = s[j], s[i]; i++; j-- }
		}
		sort(s[:j+1])
		sort(s[i:])
	}
	sort(s)
	return s[1000]`},
	{"mapcount", `
	m := map[int]int{}
	for i := range 200_000 { m[i*7919%1009]++ }
	return len(m)`},
	{"collatz", `
	longest := 0
	for i := 1; i < 30_000; i++ {
		n := 0
		for j := i; j != 1; n++ { if j%2 == 0 { j /= 2 } else { j = 3*j + 1 } }
		longest = max(longest, n)
	}
	return longest`},
	{"fibonacci", `
	var x, y uint = 0, 1
	for range 10_000_000 { x, y = y, x+y }
	return int(x)`},
	{"life", `
	const n = 200
	var now, next [n][n]uint8
	now[n/2] = [n]uint8{n/2: 1, n/2 + 1: 1, n/2 + 2: 1}
	for range 10 {
		for y := 1; y < n-1; y++ {
			for x := 1; x < n-1; x++ {
				k := uint8(0)
				for dy := -1; dy <= 1; dy++ { for dx := -1; dx <= 1; dx++ { k += now[y+dy][x+dx] } }
				if k -= now[y][x]; k == 3 || k == 2 && now[y][x] == 1 { next[y][x] = 1 } else { next[y][x] = 0 }
			}
		}
		now, next = next, now
	}
	return int(now[n/2][n/2])`},
}

// BenchmarkCheck measures what the checks for an interrupt cost in the loops of
// a cell: each function with and without them, in turns, the best of many. It
// reports how many times longer they take with the checks.
func BenchmarkCheck(b *testing.B) {
	sources, err := FindSources("", ".")
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(Config{Sources: sources, Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	rec, count := &recorder{}, 0
	execute := func(code string) string {
		count++
		if r := s.Execute(context.Background(), count, &message.ExecuteRequest{Code: code}, rec); r.Status != "ok" {
			b.Fatal(r)
		}
		return rec.take()
	}
	execute(`a, b := make([]float64, 2000), make([]float64, 2000)
for i := range a { a[i], b[i] = float64(i%7), float64(i%5) }
func ratio(with, without func() int) float64 {
	best := [2]time.Duration{time.Hour, time.Hour}
	for range 40 {
		for i, f := range []func() int{with, without} {
			start := time.Now()
			f()
			best[i] = min(best[i], time.Since(start))
		}
	}
	return float64(best[0]) / float64(best[1])
}`)
	for _, l := range checkLoops {
		execute(fmt.Sprintf("func %s() int {%s\n}", l.name, l.body))
		execute(fmt.Sprintf("//nnkit:nocheck\nfunc %sUnchecked() int {%s\n}", l.name, l.body))
	}
	for b.Loop() {
		product := 1.0
		for _, l := range checkLoops {
			text := execute(fmt.Sprintf("fmt.Println(ratio(%s, %[1]sUnchecked))", l.name))
			ratio, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimPrefix(text, "stdout: ")), 64)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(ratio, l.name)
			product *= ratio
		}
		b.ReportMetric(math.Pow(product, 1/float64(len(checkLoops))), "geomean")
	}
}
