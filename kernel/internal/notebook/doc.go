// Package notebook holds Jupyter's notebook files (.ipynb): it reads and writes
// them, executes their code cells through an [Executor], compares two executions,
// and turns an executed notebook into one self-contained HTML page. Without outputs
// a notebook is also a text, in Jupytext's percent format.
//
// A notebook that is read and written again keeps all that it held, unknown
// fields and metadata included, and comes out exactly as Jupyter itself would
// save it; executing it twice gives the same bytes, so that notebooks can be
// kept under version control.
//
// It knows neither sockets nor sessions, and leaves out formats older than
// nbformat 4, which Jupyter can upgrade.
package notebook
