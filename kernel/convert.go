package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/notebook"
)

var convertTable = command{
	name: "convert", args: "NOTEBOOK", summary: "make a .go file of a notebook, a notebook of such a file, or a web page",
	about: `
Writes a notebook in another form, as the name behind --output says. A .go file holds all but the outputs, in
Jupytext's percent format: "// %%" begins a cell, "// %% [markdown]" one of text, and what stands behind is the cell's
metadata. It comes back as the same notebook. The go command leaves such a file alone (//go:build ignore), since
statements are no package. A page (.html) shows the notebook with the outputs that are recorded in it; nothing is
executed. Without --output an .ipynb file becomes a .go file, and a .go file an .ipynb file.
`,
	define: func(flags *flag.FlagSet) func([]string) error {
		output := flags.String("output", "", "what to write, a `FILE` that ends in .go, .ipynb or .html")
		trust := flags.Bool("trust", false, "let scripts that outputs bring along run in the page's readers' browsers")
		return func(args []string) error {
			name, err := file(args, "notebook")
			if err != nil {
				return err
			}
			return convert(name, *output, *trust)
		}
	},
}

func convert(name, output string, trust bool) error {
	if output == "" {
		ending := ".go"
		if notebook.IsPercentFile(name) {
			ending = ".ipynb"
		}
		output = strings.TrimSuffix(name, filepath.Ext(name)) + ending
		if _, err := os.Stat(output); err == nil {
			return fmt.Errorf("%s is there already: say with --output %s that it is to be replaced", output, output)
		}
	}
	nb, err := notebook.ReadFile(name)
	if err != nil {
		return err
	}
	switch filepath.Ext(output) {
	case ".go", ".ipynb":
		err = writeNotebook(nb, output)
	case ".html":
		err = nb.WriteHTMLFile(output, notebook.HTMLOptions{
			Title: filepath.Base(name), Files: inFolder(filepath.Dir(name)), Trust: trust,
		})
	default:
		return &usageError{message: fmt.Sprintf("--output %s: what to write is told by the ending, .go, .ipynb or .html", output)}
	}
	if err == nil {
		fmt.Println("wrote", output)
	}
	return err
}

// inFolder are the files of a notebook's folder. A link that leads out of it is not
// followed: what is there would become part of a page that others get.
func inFolder(dir string) fs.FS {
	folder, err := os.OpenRoot(dir)
	if err != nil {
		return nil // so there is no picture, either
	}
	return folder.FS()
}

var stripTable = command{
	name: "strip", args: "[NOTEBOOK…]", summary: "take outputs, counts and times out of notebooks",
	about: `
Takes out of notebooks what executing and looking at them has put there: outputs, execution counts, times, what is
folded or scrolled, the version of Go. Outputs of cells tagged keep_output stay. Without a file it reads a notebook
from standard input and writes it to standard output, as git's filters want it:

  git config filter.notebook.clean "kernel strip"
  echo '*.ipynb filter=notebook' >> .gitattributes
`,
	define: func(*flag.FlagSet) func([]string) error { return strip },
}

func strip(names []string) error {
	if len(names) == 0 || len(names) == 1 && names[0] == "-" {
		data, err := io.ReadAll(os.Stdin)
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		nb, err := notebook.Read(data)
		if err != nil {
			return fmt.Errorf("the notebook on standard input: %w", err)
		}
		nb.Strip()
		return nb.Write(os.Stdout)
	}
	for _, name := range names {
		before, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read notebook: %w", err)
		}
		nb, err := notebook.Read(before)
		if err != nil {
			return fmt.Errorf("read notebook %s: %w", name, err)
		}
		nb.Strip()
		var after bytes.Buffer
		if err := nb.Write(&after); err != nil {
			return err
		}
		if bytes.Equal(before, after.Bytes()) {
			continue
		}
		if err := nb.WriteFile(name); err != nil {
			return err
		}
		fmt.Println("stripped", name)
	}
	return nil
}
