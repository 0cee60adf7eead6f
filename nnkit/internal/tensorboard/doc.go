// Package tensorboard writes the event files that TensorBoard reads: numbers and histograms by step. A file is a sequence
// of records, each an Event of Protocol Buffers between checksums
// (https://www.tensorflow.org/tutorials/load_data/tfrecord, tensorflow/core/util/event.proto).
package tensorboard
