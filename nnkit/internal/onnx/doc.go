// Package onnx writes models in the format of that name (onnx.ai): a graph of operators, with its constants, as a message
// of Protocol Buffers. Of these it has the few kinds that such a graph is made of, field by field as onnx.proto numbers them. It reads nothing.
package onnx
