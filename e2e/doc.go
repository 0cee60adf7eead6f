// Package e2e holds the tests that look at the whole: who imports whom, and in
// kernel_test.py, notebook.py, lab.mjs and classic.mjs the installed kernel under
// Jupyter's own test suite, nbclient, JupyterLab and the classic Notebook in a
// browser. ./test runs them all.
//
// What one package promises is tested in that package.
package e2e
