package notebook

import "maps"

// keepOutput is the tag, and the name in a cell's metadata, of cells whose outputs
// [Notebook.Strip] keeps. nbstripout knows the same.
const keepOutput = "keep_output"

// Strip takes out of the notebook what executing and looking at it has put there, so
// that under version control only what was written differs: outputs, execution
// counts, times, what is folded, and the version of the language. Cells tagged
// "keep_output" keep their outputs.
func (nb *Notebook) Strip() {
	if info, ok := nb.Metadata["language_info"].(map[string]any); ok {
		nb.Metadata = maps.Clone(nb.Metadata)
		nb.Metadata["language_info"] = without(info, "version")
	}
	for _, c := range nb.Cells {
		for _, name := range []string{"execution", "ExecuteTime", "collapsed", "scrolled"} {
			delete(c.Metadata, name)
		}
		if kept := c.Metadata[keepOutput]; c.Tagged(keepOutput) || kept == true {
			continue
		}
		c.ExecutionCount, c.Outputs = 0, nil
	}
}
