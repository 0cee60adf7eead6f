// Package safetensors reads and writes the file format of that name (github.com/huggingface/safetensors): named arrays of
// numbers behind a JSON header, made so that reading one can do no harm.
//
//	8 bytes      the header's length, little-endian
//	the header   {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
//	the data     numbers in little-endian order; the offsets count from here, and leave no byte out and none to two arrays
//
// What is read is checked before it is believed: no text makes Parse panic, and no length in a file makes it ask for memory
// that the file does not fill. It leaves out reading parts of a file: a model is read as a whole.
package safetensors
