package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed5607215b/nnkit/kernel/internal/jupyter/client"
)

// benchCase is a line of the table.
type benchCase struct {
	name, what string
	rounds     int
	measure    func(*bench, context.Context) (result, error)
}

var cases = []benchCase{
	{"trivial", "a new cell that prints a number, request to idle", 21, func(b *bench, ctx context.Context) (result, error) {
		return b.takeTurns(ctx, func(_ *kernel, round int) cell { return trivial(round) })
	}},
	{"plot", "a new cell with gonum/plot, in ours with nnkit and display as well", 11, func(b *bench, ctx context.Context) (result, error) {
		return b.takeTurns(ctx, (*kernel).plot)
	}},
	{"again", "an unchanged cell again", 21, func(b *bench, ctx context.Context) (result, error) {
		return b.takeTurns(ctx, func(*kernel, int) cell { return trivial(0) })
	}},
	{"complete", "a completion in a cell that is being written, kernel warm", 21, func(b *bench, ctx context.Context) (result, error) {
		return b.typed(ctx, (*running).complete)
	}},
	{"complete-first", "from the start of the kernel's process to its first completion", 5, (*bench).firstTyped},
	{"complete-inspect", "an inspection of a function, kernel warm", 21, func(b *bench, ctx context.Context) (result, error) {
		return b.typed(ctx, (*running).inspect)
	}},
	{"start", "from the start of the kernel's process to its first cell's result", 7, (*bench).start},
	{"runall", "a notebook of 30 cells, sent at once", 3, (*bench).runAll},
	{"growth", "the 500th new cell against the fifth", 5, (*bench).growth},
	{"memory", "resident memory that a cell adds to kernel and worker, of 500; the ratio is to 1 MB", 5, (*bench).memory},
}

// rest is how long a person takes at least from a cell's end to the next cell.
const rest = 200 * time.Millisecond

func trivial(n int) cell {
	return cell{`import "fmt"`, fmt.Sprintf("fmt.Println(%d)", n), fmt.Sprintln(n)}
}

// plot is a cell with the packages that draw.
func (k *kernel) plot(n int) cell {
	c := cell{
		`import "fmt"` + "\n" + `import "gonum.org/v1/plot"`,
		fmt.Sprintf("p := plot.New()\np.Title.Text = \"figure %d\"\nfmt.Println(p.Title.Text)", n),
		fmt.Sprintf("figure %d\n", n),
	}
	if k.name == "nnkit" {
		c.declarations += "\n" + `import "github.com/seed5607215b/nnkit/display"
import "github.com/seed5607215b/nnkit/nnkit"`
		c.statements += "\nhistory := &nnkit.History{}\ndraw := display.Curve\n_, _ = history, draw"
	}
	return c
}

// lesson is the i-th cell of a notebook that uses what a notebook uses.
func lesson(i int) cell {
	c := []cell{
		{"import \"fmt\"\n\ntype point# struct{ x, y float64 }\n\nfunc (p point#) norm() float64 { return p.x*p.x + p.y*p.y }", "p := point#{3, 4}\nfmt.Println(p.norm())", "25\n"},
		{"import (\n\t\"fmt\"\n\t\"strings\"\n)\n\nfunc title#(s string) string { return strings.ToUpper(s[:1]) + s[1:] }", "fmt.Println(title#(\"go\"))", "Go\n"},
		{"import \"fmt\"\n\nfunc sum#[T int | float64](values ...T) (s T) {\n\tfor _, v := range values {\n\t\ts += v\n\t}\n\treturn s\n}", "fmt.Println(sum#(1, 2, 3), sum#(0.5, 1))", "6 1.5\n"},
		{"import (\n\t\"errors\"\n\t\"fmt\"\n)\n\nvar missing# = errors.New(\"missing\")\n\nfunc find#(m map[string]int, k string) (int, error) {\n\tif v, ok := m[k]; ok {\n\t\treturn v, nil\n\t}\n\treturn 0, missing#\n}", "_, err := find#(map[string]int{\"a\": 1}, \"b\")\nfmt.Println(errors.Is(err, missing#))", "true\n"},
		{"import (\n\t\"fmt\"\n\t\"sort\"\n)", "words := []string{\"b\", \"c\", \"a\"}\nsort.Strings(words)\nfmt.Println(words)", "[a b c]\n"},
		{"import (\n\t\"fmt\"\n\t\"math\"\n)\n\nconst steps# = 4", "for i := range steps# {\n\tfmt.Printf(\"%.2f \", math.Sqrt(float64(i)))\n}\nfmt.Println()", "0.00 1.00 1.41 1.73 \n"},
	}[i%6]
	number := func(s string) string { return strings.ReplaceAll(s, "#", fmt.Sprint(i)) }
	return cell{number(c.declarations), number(c.statements), c.prints}
}

// takeTurns measures cells of both kernels, one after the other.
func (b *bench) takeTurns(ctx context.Context, make func(k *kernel, round int) cell) (result, error) {
	var turns [2]*running
	var took [2][]float64
	for i, k := range []*kernel{b.ours, b.gonb} {
		r, err := k.begin(ctx)
		if err != nil {
			return result{}, err
		}
		defer r.close()
		turns[i] = r
		if _, err := r.execute(ctx, make(k, -1)); err != nil { // its packages are there from now on
			return result{}, err
		}
	}
	for round := range b.rounds {
		for i, r := range turns {
			time.Sleep(rest)
			d, err := r.execute(ctx, make(r.kernel, round+1))
			if err != nil {
				return result{}, err
			}
			took[i] = append(took[i], milliseconds(d))
		}
	}
	return compare(took), nil
}

// start measures kernels that are started, one after the other.
func (b *bench) start(ctx context.Context) (result, error) {
	return b.freshly(ctx, func(k *kernel) (time.Duration, error) {
		start := time.Now()
		r, err := k.start(ctx)
		if err != nil {
			return 0, err
		}
		defer r.close()
		_, err = r.execute(ctx, trivial(1))
		return time.Since(start), err
	})
}

// runAll measures notebooks in fresh kernels.
func (b *bench) runAll(ctx context.Context) (result, error) {
	return b.freshly(ctx, func(k *kernel) (time.Duration, error) {
		r, err := k.begin(ctx)
		if err != nil {
			return 0, err
		}
		defer r.close()
		time.Sleep(rest)
		return r.executeAll(ctx, 30)
	})
}

// executeAll sends the cells of a notebook and waits for the last one's end.
func (r *running) executeAll(ctx context.Context, cells int) (time.Duration, error) {
	start := time.Now()
	var sent []*client.Pending
	for i := range cells {
		p, err := r.Start(client.Cell(r.kernel.text(lesson(i))))
		if err != nil {
			return 0, err
		}
		sent = append(sent, p)
	}
	var results []*client.Result
	for _, p := range sent {
		result, err := r.Wait(ctx, p)
		if err != nil {
			return 0, err
		}
		results = append(results, result)
	}
	took := time.Since(start)
	for i, result := range results {
		if err := r.check(result, lesson(i)); err != nil {
			return 0, err
		}
	}
	return took, nil
}

// freshly measures something that begins with a kernel's start, in turns.
func (b *bench) freshly(ctx context.Context, measure func(*kernel) (time.Duration, error)) (result, error) {
	var took [2][]float64
	for range b.rounds {
		for i, k := range []*kernel{b.ours, b.gonb} {
			d, err := measure(k)
			if err != nil {
				return result{}, err
			}
			took[i] = append(took[i], milliseconds(d))
		}
	}
	return compare(took), nil
}

// longRun is what 500 cells in one kernel tell.
type longRun struct {
	fifth, last float64 // the medians around the fifth and the 500th cell
	memory      float64 // megabytes a cell
}

// Cells of the long run. Each round measures `around` of them.
const (
	longest = 500
	settled = 25 // from this cell on memory is counted: what the first ones bring is not theirs
	around  = 9
)

// runLong fills one kernel with cells. When it comes near the 500th, its cells take
// turns with the first ones of fresh kernels, so that both ends of the comparison
// are measured at the same time.
func (b *bench) runLong(ctx context.Context) (*longRun, error) {
	if b.long != nil {
		return b.long, nil
	}
	old, err := b.ours.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer old.close()
	var before int64
	n := 1
	for ; n < longest-b.rounds*around/2; n++ {
		if n == settled {
			if before, err = old.residentAtRest(); err != nil {
				return nil, err
			}
		}
		if n%100 == 0 {
			b.progress("%d cells", n)
		}
		if _, err := old.execute(ctx, trivial(n)); err != nil {
			return nil, err
		}
	}
	after, err := old.residentAtRest()
	if err != nil {
		return nil, err
	}
	long := &longRun{memory: float64(after-before) / float64(n-settled) / (1 << 20)}
	var fifth, last []float64
	for range b.rounds {
		if n, err = b.nearEnd(ctx, old, n, &fifth, &last); err != nil {
			return nil, err
		}
	}
	long.fifth, long.last = median(fifth), median(last)
	b.long = long
	return long, nil
}

// nearEnd measures cells of the old kernel, from the n-th on, in turns with the
// first ones of a fresh kernel. It returns the number of the old one's next cell.
func (b *bench) nearEnd(ctx context.Context, old *running, n int, fifth, last *[]float64) (int, error) {
	fresh, err := b.ours.begin(ctx)
	if err != nil {
		return n, err
	}
	defer fresh.close()
	for i := range around {
		for _, turn := range []struct {
			*running
			number int
			took   *[]float64
		}{{fresh, 1 + i, fifth}, {old, n, last}} {
			time.Sleep(rest)
			d, err := turn.execute(ctx, trivial(turn.number))
			if err != nil {
				return n, err
			}
			*turn.took = append(*turn.took, milliseconds(d))
		}
		n++
	}
	return n, nil
}

// residentAtRest is the memory when what prepares the next cell has done so.
func (r *running) residentAtRest() (int64, error) {
	time.Sleep(2 * rest)
	return r.resident()
}

func (b *bench) growth(ctx context.Context) (result, error) {
	long, err := b.runLong(ctx)
	if err != nil {
		return result{}, err
	}
	return result{Ours: long.last, Fifth: long.fifth, Ratio: long.last / long.fifth, Unit: "ms"}, nil
}

func (b *bench) memory(ctx context.Context) (result, error) {
	long, err := b.runLong(ctx)
	if err != nil {
		return result{}, err
	}
	return result{Ours: long.memory, Ratio: long.memory, Unit: "MB a cell"}, nil
}

func compare(took [2][]float64) result {
	ours, gonb := median(took[0]), median(took[1])
	return result{Ours: ours, GoNB: &gonb, Ratio: ours / gonb, Unit: "ms"}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
