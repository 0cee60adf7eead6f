// Package datasets loads the data sets that everybody knows: [MNIST], [FashionMNIST], [CIFAR10], [Iris] and [Pima].
//
//	train, test, err := datasets.MNIST()
//	model.Fit(train.X, train.Y, nnkit.ValidationData(test.X, test.Y))
//
// Each file is downloaded once, compared with the checksum that is written here, and kept in the folder nnkit/data of
// the user's cache. The environment variable NNKIT_DATA names a folder to keep the files in instead, where they may
// have been put by hand, or the address of a mirror, http://… or https://…, that has them all by their names. A progress
// line is printed unless [Progress] has another wish.
//
// It is a package of its own so that a program that downloads nothing need not link what speaks HTTP. For work without a
// network there are data.Digits, data.SpokenDigits and data.Clinic.
package datasets
