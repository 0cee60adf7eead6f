// Package data makes data ready for training: it reads, generates, deals, transforms and augments it.
//
//	patients := data.Clinic(1)
//	train, test, err := patients.Split(0.8, 1)
//	scale, err := data.Standardize(train.X)
//	x, err := scale.Apply(train.X)
//
// There are two kinds of sets. A [Dataset] is a table, float64 in named columns, some of which may be categories or have
// missing values: [ReadCSV], [New], [Collect], [Clinic], [Moons] and their kin make one. [Examples] are pictures, sounds
// or texts as tensors: [LoadImages], [LoadSounds], [NewExamples], [Digits], [SpokenDigits]. Arrays alone come from
// [LoadNPY], [LoadNPZ] and [LoadIDX], texts become numbers by a [Vocabulary]. Package datasets, below this one,
// downloads MNIST and others.
//
// What is to be learnt from the training rows is learnt by a function, [Standardize], [MinMax], [Impute], [Normalize],
// [LearnVocabulary], and returned as a value with Apply, which can neither be applied before nor learn from the test
// rows by accident. Both kinds of sets are dealt by Split, [StratifiedSplit], [KFold] and [StratifiedKFold].
//
// All that is random follows from a seed by the package's own generator, so that the same call gives the same numbers,
// to the bit, on every machine. The package leaves out what does not fit into memory.
package data
