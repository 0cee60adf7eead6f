package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// embedFiles asks the go command which files the patterns of a //go:embed line
// mean, by a file that is not there, so that they mean what they do in a program.
func (s *Session) embedFiles(patterns []string) (dir string, files []string, err error) {
	dir = s.settings.dir
	source, config := filepath.Join(s.dir, "embed.txt"), filepath.Join(s.dir, "embed.json")
	text := fmt.Sprintf("package main\n\nimport _ \"embed\"\n\n//go:embed %s\nvar files string\n", strings.Join(patterns, " "))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(dir, embedName): source}})
	if err != nil {
		return "", nil, err
	}
	if err := errors.Join(os.WriteFile(source, []byte(text), 0o666), os.WriteFile(config, overlay, 0o666)); err != nil {
		return "", nil, err
	}
	c := &call{execution: s.current}
	var out, said strings.Builder
	err = c.runProgramTo(dir, nil, &out, &said, "env", "GOWORK=off", "GO111MODULE=off",
		"go", "list", "-e", "-overlay", config, "-json=EmbedFiles,Error", embedName)
	if err != nil {
		return "", nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	var listed struct {
		EmbedFiles []string
		Error      *struct{ Err string }
	}
	if err := json.Unmarshal([]byte(out.String()), &listed); err != nil {
		return "", nil, fmt.Errorf("go list: %w", err)
	}
	if listed.Error != nil {
		return "", nil, errors.New(listed.Error.Err)
	}
	if w := s.config.whole; w != nil {
		dir, err = w.embed(dir, listed.EmbedFiles)
	}
	return dir, listed.EmbedFiles, err
}

// embedName is the file that the go command takes the lines from.
const embedName = "embedʹ.go"
