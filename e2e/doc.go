// Package e2e holds the tests that look at the whole: who imports whom, and in
// kernel_test.py, notebook.py and lab.mjs the installed kernel under Jupyter's
// own test suite, nbclient, and JupyterLab in a browser. ./test runs them all.
//
// What one package promises is tested in that package.
package e2e
