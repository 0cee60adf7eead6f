package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun executes a notebook with one worker, and with a process for each cell,
// where the declarations of the first cell are known to the second.
func TestRun(t *testing.T) {
	const nb = `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
		{"cell_type": "code", "id": "a", "metadata": {}, "execution_count": null, "outputs": [], "source": "var six = 6\nfunc times(n int) int { return six * n }\nsix++"},
		{"cell_type": "code", "id": "b", "metadata": {}, "execution_count": null, "outputs": [], "source": "fmt.Println(\"the answer is\", times(7))"}
	]}`
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{nil, "the answer is 49"},
		{[]string{"--alone"}, "the answer is 42"},
	} {
		t.Run(strings.Join(test.flags, " "), func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "test.ipynb")
			if err := os.WriteFile(name, []byte(nb), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := command(append([]string{"run", name}, test.flags...)); err != nil {
				t.Fatal(err)
			}
			for _, ending := range []string{".executed.ipynb", ".html"} {
				made, err := os.ReadFile(strings.TrimSuffix(name, ".ipynb") + ending)
				if err != nil || !strings.Contains(string(made), test.want) {
					t.Errorf("%s (%v) does not hold %q:\n%.2000s", ending, err, test.want, made)
				}
			}
		})
	}
}
