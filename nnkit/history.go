package nnkit

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
	"time"
)

// History is what a [Model.Fit] leaves behind: loss and metrics for every completed epoch, "loss" and "accuracy" of
// the training rows, "val_loss" and "val_accuracy" of the validation rows. When the learning rate changes there is a
// "learning_rate" too, that of each epoch's last batch.
//
// The training numbers of an epoch are means over its rows, taken as the weights went on changing; the validation
// numbers are taken at the epoch's end. So val_loss may well lie below loss in early epochs.
//
// As the last expression of a notebook cell it shows itself: as curves when package display is imported, else as a
// table.
type History struct {
	// Model is the trained model.
	Model *Model
	// Duration is the time that training took.
	Duration time.Duration

	names   []string
	series  map[string][]float64
	maximum map[string]bool // names of which more is better
	epochs  int
	rates   []float64 // the learning rate of each epoch's last batch
	seed    int
	stopped string
}

// Names returns the names of the series in order: "loss", the metrics as compiled, then the same behind "val_".
func (h *History) Names() []string { return append([]string(nil), h.names...) }

// Series returns the values under a name, the first epoch first, nil when there is no such name. It is a copy.
func (h *History) Series(name string) []float64 { return append([]float64(nil), h.series[name]...) }

// Last returns the value of the last epoch under a name, NaN when there is none.
func (h *History) Last(name string) float64 {
	s := h.series[name]
	if len(s) == 0 {
		return math.NaN()
	}
	return s[len(s)-1]
}

// Epochs returns the number of completed epochs.
func (h *History) Epochs() int { return h.epochs }

// BestEpoch returns the epoch, counted from 1, with the lowest val_loss, or without validation the lowest loss; 0 when
// there is none.
func (h *History) BestEpoch() int {
	if best := h.BestEpochBy("val_loss"); best > 0 {
		return best
	}
	return h.BestEpochBy("loss")
}

// BestEpochBy returns the first epoch, counted from 1, with the best value of a series: the highest of an accuracy, the
// lowest of a loss or an error. It is 0 when there is no such series, and for the learning rate, of which none is best.
func (h *History) BestEpochBy(name string) int {
	return bestEpoch(name, h.series[name], h.maximum[name])
}

func bestEpoch(name string, series []float64, maximum bool) int {
	if name == learningRateName {
		return 0
	}
	best, at := math.NaN(), 0
	for i, v := range series {
		if v == v && (at == 0 || v < best && !maximum || v > best && maximum) {
			best, at = v, i+1
		}
	}
	return at
}

// Seed returns the seed of the run.
func (h *History) Seed() int { return h.seed }

// Stopped returns why a callback stopped the training before its last epoch, "" when none did.
func (h *History) Stopped() string { return h.stopped }

// A table in a cell's output should not fill the page: the middle of a long run is left out.
const printedEpochs = 24

// shown calls f for each epoch to print, counted from 1, and with 0 where some are left out.
func (h *History) shown(f func(epoch int)) {
	for e := 1; e <= h.epochs; e++ {
		if h.epochs > printedEpochs && e > printedEpochs/2 && e <= h.epochs-printedEpochs/2 && e != h.BestEpoch() {
			if e == printedEpochs/2+1 || e == h.BestEpoch()+1 {
				f(0)
			}
			continue
		}
		f(e)
	}
}

// String shows the series as a table, a line for each epoch (the middle of a long run left out) with the best marked.
func (h *History) String() string {
	if h == nil {
		return "<nil>"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%6s", "epoch")
	for _, n := range h.names {
		fmt.Fprintf(&b, "  %*s", max(8, len(n)), n)
	}
	b.WriteByte('\n')
	best := h.BestEpoch()
	h.shown(func(epoch int) {
		if epoch == 0 {
			fmt.Fprintf(&b, "%6s\n", "…")
			return
		}
		fmt.Fprintf(&b, "%6d", epoch)
		for _, n := range h.names {
			fmt.Fprintf(&b, "  %*s", max(8, len(n)), scoreText(h.series[n][epoch-1]))
		}
		if epoch == best {
			b.WriteString("  best")
		}
		b.WriteByte('\n')
	})
	if note := h.note(); note != "" {
		b.WriteString(note)
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// HTML shows the same table for a notebook.
func (h *History) HTML() string {
	if h == nil {
		return "&lt;nil&gt;"
	}
	var b strings.Builder
	b.WriteString("<table><thead><tr><th>epoch</th>")
	for _, n := range h.names {
		b.WriteString("<th>" + html.EscapeString(n) + "</th>")
	}
	b.WriteString("</tr></thead><tbody>")
	best := h.BestEpoch()
	h.shown(func(epoch int) {
		if epoch == 0 {
			fmt.Fprintf(&b, `<tr><td colspan="%d">…</td></tr>`, len(h.names)+1)
			return
		}
		open, end := "<td>", "</td>"
		if epoch == best {
			open, end = `<td><strong title="the best epoch">`, "</strong></td>"
		}
		fmt.Fprintf(&b, "<tr>%s%d%s", open, epoch, end)
		for _, n := range h.names {
			b.WriteString(open + scoreText(h.series[n][epoch-1]) + end)
		}
		b.WriteString("</tr>")
	})
	b.WriteString("</tbody></table>")
	if note := h.note(); note != "" {
		b.WriteString("<p>" + html.EscapeString(note) + "</p>")
	}
	return b.String()
}

func (h *History) note() string {
	switch {
	case h.stopped != "":
		return fmt.Sprintf("stopped after epoch %d: %s", h.epochs, h.stopped)
	case h.epochs == 0:
		return "no epoch was completed"
	}
	return ""
}

// MIMEBundle returns the history as a notebook shows it, keyed by MIME type: the text table, with the pictures of the
// registered view, or without one the HTML table.
func (h *History) MIMEBundle() map[string]any {
	bundle := map[string]any{"text/plain": h.String()}
	// A front end prefers HTML to a picture, so the table must not stand beside one.
	if h != nil && historyView.add(bundle, h) {
		return bundle
	}
	bundle["text/html"] = h.HTML()
	return bundle
}

const learningRateName = "learning_rate"

var historyView view[*History]

// RegisterHistoryView sets how a [History] shows itself in a notebook: the view returns contents keyed by MIME type, or
// nothing for the plain table. Package display calls it when imported, so that this package need not link a plotter.
// The last registration counts; nil takes it back.
func RegisterHistoryView(view func(*History) map[string]any) { historyView.register(view) }

func newHistory(m *Model, names []string, maximum map[string]bool, seed int) *History {
	return &History{Model: m, names: names, series: make(map[string][]float64, len(names)), maximum: maximum, seed: seed}
}

func (h *History) add(s *Scores, rate float64) {
	for i, v := range s.values {
		n := h.names[i]
		h.series[n] = append(h.series[n], v)
	}
	h.epochs++
	h.rates = append(h.rates, rate)
	h.seeRates()
}

// seeRates makes the learning rate a series once it changes.
func (h *History) seeRates() {
	_, seen := h.series[learningRateName]
	if !seen && !slices.ContainsFunc(h.rates, func(rate float64) bool { return rate != h.rates[0] }) {
		return
	}
	if !seen {
		h.names = append(h.names[:len(h.names):len(h.names)], learningRateName)
	}
	h.series[learningRateName] = h.rates
}

// scores are the names of all series but the learning rate's.
func (h *History) scores() []string {
	if _, seen := h.series[learningRateName]; seen {
		return h.names[:len(h.names)-1]
	}
	return h.names
}
