// Package jupyter is what a cell can ask of the notebook around it, in Jupyter's
// words: clear its output, show something and change it later, open a text in the
// pager, write the next cell, and talk to the front end by comms
// (https://jupyter-client.readthedocs.io/en/stable/messaging.html).
//
// It stands beside GoNB's package gonbui, which shows HTML, Markdown and pictures and
// asks for input, and uses its connection to the kernel. Outside of a notebook all
// functions do nothing, as gonbui's.
package jupyter
