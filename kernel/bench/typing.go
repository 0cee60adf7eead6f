package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// written is a cell that is being written.
func written(n int) cell {
	return cell{declarations: "import (\n\t\"fmt\"\n\t\"strings\"\n)", statements: fmt.Sprintf("words%d := strings.Fields(\"a b\")\nfmt.Println(words%[1]d)\nfmt.Pri", n)}
}

const offered = "Println" // at its end

// complete asks what can be typed at the end of a cell, and checks the answer.
func (r *running) complete(ctx context.Context, c cell) (time.Duration, error) {
	text := r.kernel.text(c)
	start := time.Now()
	reply, err := r.Complete(ctx, message.CompleteRequest{Code: text, CursorPos: utf8.RuneCountInString(text)})
	took := time.Since(start)
	if err == nil && !slices.Contains(reply.Matches, offered) {
		err = fmt.Errorf("%w: %q", errNotOffered, reply.Matches)
	}
	return took, err
}

var errNotOffered = errors.New("the completion lacks " + offered)

// inspect asks about the function that a cell calls.
func (r *running) inspect(ctx context.Context, c cell) (time.Duration, error) {
	text := r.kernel.text(c) + "ntln"
	start := time.Now()
	reply, err := r.Inspect(ctx, message.InspectRequest{Code: text, CursorPos: utf8.RuneCountInString(text)})
	took := time.Since(start)
	if err == nil && !strings.Contains(fmt.Sprint(reply.Data), "formats using the default formats") {
		err = fmt.Errorf("%s: what is told of Println lacks its comment: %v", r.kernel.name, reply.Data)
	}
	return took, err
}

// untilComplete asks until the answer is right, as a person does who gets none.
func (r *running) untilComplete(ctx context.Context, c cell) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := r.complete(ctx, c)
		if !errors.Is(err, errNotOffered) || ctx.Err() != nil {
			return err
		}
	}
}

// typed measures answers in both kernels, one after the other.
func (b *bench) typed(ctx context.Context, ask func(*running, context.Context, cell) (time.Duration, error)) (result, error) {
	var turns [2]*running
	var took [2][]float64
	for i, k := range []*kernel{b.ours, b.gonb} {
		r, err := k.begin(ctx)
		if err != nil {
			return result{}, err
		}
		defer r.close()
		turns[i] = r
		if err := r.untilComplete(ctx, written(0)); err != nil {
			return result{}, fmt.Errorf("%s: %w", k.name, err)
		}
	}
	for round := range b.rounds {
		for i, r := range turns {
			time.Sleep(rest)
			d, err := ask(r, ctx, written(round+1))
			if err != nil {
				return result{}, fmt.Errorf("%s: %w", r.kernel.name, err)
			}
			took[i] = append(took[i], milliseconds(d))
		}
	}
	return compare(took), nil
}

// firstTyped measures how long a person waits who types in a notebook that has just
// been opened.
func (b *bench) firstTyped(ctx context.Context) (result, error) {
	return b.freshly(ctx, func(k *kernel) (time.Duration, error) {
		start := time.Now()
		r, err := k.start(ctx)
		if err != nil {
			return 0, err
		}
		defer r.close()
		if err := r.untilComplete(ctx, written(0)); err != nil {
			return 0, fmt.Errorf("%s: %w", k.name, err)
		}
		return time.Since(start), nil
	})
}
