package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
	"github.com/seed5607215b/nnkit/kernel/internal/session"
)

// runCommand executes a notebook, and writes it and a page of it.
func runCommand(args []string) error {
	flags := newFlags("run")
	alone := aloneFlag(flags)
	output := flags.String("output", "", "the executed notebook (default NOTEBOOK.executed.ipynb)")
	page := flags.String("html", "", "the web page (default NOTEBOOK.html)")
	name, err := parse(flags, "notebook", args)
	if err != nil {
		return err
	}
	nb, err := notebook.ReadFile(name)
	if err != nil {
		return err
	}
	base := strings.TrimSuffix(name, filepath.Ext(name))
	if *output == "" {
		*output = base + ".executed.ipynb"
	}
	if *page == "" {
		*page = base + ".html"
	}
	s, err := newSession(session.Config{
		Dir: filepath.Dir(name), Alone: *alone, Progress: func(what string) { fmt.Printf("        %s\n", what) },
	})
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	language, err := asMap(s.Info().LanguageInfo)
	if err != nil {
		return err
	}
	terminal := false
	if info, err := os.Stdout.Stat(); err == nil {
		terminal = info.Mode()&os.ModeCharDevice != 0
	}
	failed := notebook.Execute(ctx, nb, s, notebook.Options{Language: language, Progress: func(p notebook.Progress) {
		switch {
		case p.Ended:
			fmt.Println(p)
		case terminal:
			fmt.Print(p, "\r") // overwritten when it has ended
		}
	}})
	// What was computed is kept, also when a cell failed.
	if err := errors.Join(nb.WriteFile(*output), nb.WriteHTMLFile(*page, notebook.HTMLOptions{Files: os.DirFS(filepath.Dir(name))})); err != nil {
		return errors.Join(failed, err)
	}
	fmt.Printf("wrote %s\nwrote %s\n", *output, *page)
	return failed
}

func asMap(v any) (map[string]any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	return m, json.Unmarshal(data, &m)
}
