package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A trial executes a notebook of the given cells with the kernel at p, in a
// directory of its own so that it cannot lean on a clone, and returns it
// executed. What the kernel reports meanwhile goes to progress.
func trial(ctx context.Context, p place, progress io.Writer, cells ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "nnkit-trial-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	in, executed := filepath.Join(dir, "trial.ipynb"), filepath.Join(dir, "executed.ipynb")
	text, err := json.Marshal(newNotebook(cells))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(in, text, 0o644); err != nil {
		return nil, err
	}

	cmd := command(ctx, dir, p.binary(), "run", in, "--output", executed, "--html", filepath.Join(dir, "executed.html"))
	said := &tail{to: progress}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s run: %w\n%s", p.binary(), err, said.text())
	}
	result, err := os.ReadFile(executed)
	if err != nil {
		return nil, fmt.Errorf("%s run wrote no notebook: %w", p.binary(), reason(err))
	}
	return result, nil
}

func newNotebook(cells []string) map[string]any {
	var list []any
	for i, source := range cells {
		list = append(list, map[string]any{
			"cell_type": "code", "id": fmt.Sprintf("trial-%d", i), "metadata": map[string]any{},
			"execution_count": nil, "outputs": []any{}, "source": source,
		})
	}
	return map[string]any{
		"nbformat": 4, "nbformat_minor": 5, "cells": list,
		"metadata": map[string]any{"kernelspec": map[string]any{"name": kernelName, "display_name": "Go (nnkit)", "language": "go"}},
	}
}

// streamOf is what the cells of a notebook printed to a stream. A text may be a string or a list of lines.
func streamOf(notebook []byte, stream string) (string, error) {
	var nb struct {
		Cells []struct {
			Outputs []struct {
				Name string
				Text any
			}
		}
	}
	if err := json.Unmarshal(notebook, &nb); err != nil {
		return "", fmt.Errorf("reading the executed notebook: %w", err)
	}
	var b strings.Builder
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			if o.Name != stream {
				continue
			}
			switch text := o.Text.(type) {
			case string:
				b.WriteString(text)
			case []any:
				for _, line := range text {
					fmt.Fprint(&b, line)
				}
			}
		}
	}
	return b.String(), nil
}

// warmCells compile, link and cache what first cells need: the standard library
// for dynamic linking, the worker, and the libraries of nnkit and display.
var warmCells = []string{
	`import "fmt"
fmt.Println("standard library")`,
	`import (
	"github.com/seed5607215b/nnkit/display"
	"github.com/seed5607215b/nnkit/nnkit"
)
var (
	_ *display.Figure
	_ *nnkit.Model
)
fmt.Println("nnkit and display")`,
}

func warm(ctx context.Context, p place, out io.Writer) error {
	_, err := trial(ctx, p, out, warmCells...)
	return err
}

// cacheDir is where the kernel keeps what it compiled, for all notebooks of the user.
func cacheDir() (string, bool) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", false
	}
	dir = filepath.Join(dir, kernelName)
	info, err := os.Stat(dir)
	return dir, err == nil && info.IsDir()
}

// A tail keeps the last lines for an error, and passes on the indented ones: in
// them the kernel tells what it is doing.
type tail struct {
	to      io.Writer // nil: keep only
	last    []string
	partial strings.Builder
}

func (t *tail) Write(p []byte) (int, error) {
	t.partial.Write(p)
	scan := bufio.NewReader(strings.NewReader(t.partial.String()))
	t.partial.Reset()
	for {
		line, err := scan.ReadString('\n')
		if err != nil {
			t.partial.WriteString(line)
			return len(p), nil
		}
		if doing := strings.TrimLeft(line, " "); t.to != nil && doing != line {
			fmt.Fprint(t.to, "  ", doing)
		}
		t.last = append(t.last, line)
		if len(t.last) > 40 {
			t.last = t.last[1:]
		}
	}
}

func (t *tail) text() string {
	return strings.TrimSpace(strings.Join(t.last, "") + t.partial.String())
}
