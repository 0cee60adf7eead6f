// Package nnkit builds, trains and judges neural networks. It keeps Keras' words where Go allows them and says in
// one sentence what is wrong where Keras would fail late:
//
//	model := nnkit.Sequential(
//		nnkit.Dense(10, nnkit.ReLU),
//		nnkit.Dense(8, nnkit.ReLU),
//		nnkit.Dense(1, nnkit.Sigmoid),
//	)
//	err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy)
//	history, err := model.Fit(x, y, nnkit.Epochs(10), nnkit.BatchSize(32), nnkit.ValidationSplit(0.2))
//	p, err := model.Predict([]float64{6, 148, 72, 35, 0, 33.6, 0.627, 50})
//
// Data may be plain slices of numbers, gonum matrices or tensors; [TensorOf] says exactly what. The width of the
// input comes from the data. [History], [Model] and [Tensor] print themselves as tables and show themselves in a
// notebook; import package display beside this one and a History shows its curves.
//
// # Networks that branch
//
// [Functional] makes models with several inputs and outputs, shared layers and ways around layers, of symbols: see
// [Symbol]. Sequences of several lengths are filled up and the filling left out by a mask: see [Masking].
//
// # The same numbers everywhere
//
// Everything random (initial weights, shuffling) is a function of a seed and a counter, never of a hidden state, and
// every sum is taken in a fixed order. So a program with the same seed and data gives the same losses, weights and
// predictions to the last bit: from run to run, for any number of cores ([LimitCores] sets it) and whichever vector
// instructions the machine has. A seed is always set ([DefaultSeed] unless [Seed] says otherwise) and shown in the
// summary.
//
// # Errors
//
// What a user can get wrong comes back as an error of one sentence that names the place, the value and the remedy,
// before training starts where that is possible. [Sequential] returns only the model, so that it can be chained; what
// was wrong in it is said by [Model.Compile].
//
// # Saving
//
// [Model.Save] writes a model to one file, with all that training needs to go on to the same bits, and [Load] makes it
// again; a [Checkpoint] does so while it trains, and [Model.AverageCheckpoints] takes the mean of the last ones. The file is a safetensors file: others read the weights from it, and
// [Model.LoadWeights] reads theirs, PyTorch's by [FromPyTorch]. [Model.ExportONNX] is for programs that only predict.
//
// # Operations, layers and losses of one's own
//
// The methods of [Tensor] compute: x.MatMul(w).Add(b).ReLU(). Those on a [Tape] can be differentiated. A layer of one's
// own embeds [BaseLayer], or is a [Lambda], and a loss is a function given to [LossFunc]; both need only say what they
// compute. An optimizer is a function given to [OptimizerFunc], a learning rate's course one given to [ScheduleFunc].
//
// The package knows no notebook and draws nothing.
package nnkit
