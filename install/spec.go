package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// A spec is the content of kernel.json.
type spec struct {
	Argv          []string       `json:"argv"`
	DisplayName   string         `json:"display_name"`
	Language      string         `json:"language"`
	InterruptMode string         `json:"interrupt_mode"`
	Metadata      map[string]any `json:"metadata"`
}

// newSpec is the spec of a kernel installed at p. Its command is an absolute
// path: Jupyter does not start kernels in their directory.
func newSpec(p place) spec {
	return spec{
		Argv:          []string{p.binary(), "jupyter", "{connection_file}"},
		DisplayName:   "Go (nnkit)",
		Language:      "go",
		InterruptMode: "message",
		Metadata:      map[string]any{"debugger": true},
	}
}

func readSpec(p place) (spec, error) {
	var s spec
	file := filepath.Join(p.kernel(), "kernel.json")
	text, err := os.ReadFile(file)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("reading %s: %w", file, err)
	}
	return s, nil
}

// logos are found by Jupyter by their names.
//
//go:embed logo
var logos embed.FS

// writeSpec writes kernel.json and the logos for a kernel at p into dir.
func writeSpec(dir string, p place) error {
	entries, err := logos.ReadDir("logo")
	if err != nil {
		return err
	}
	for _, e := range entries {
		data, err := logos.ReadFile("logo/" + e.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, e.Name()), data, 0o644); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(newSpec(p), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "kernel.json"), append(text, '\n'), 0o644)
}
