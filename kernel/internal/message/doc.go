// Package message holds the contents of Jupyter's messages as Go types, named
// as the messaging specification names them
// (https://jupyter-client.readthedocs.io/en/stable/messaging.html).
//
// It leaves out how messages travel: sockets and signatures are package
// jupyter's business, notebook files package notebook's.
package message
