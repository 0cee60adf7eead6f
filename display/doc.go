// Package display draws what training does. A call returns a [Figure]; as the last expression of a notebook cell it shows
// itself, and in any Go program it can be saved as SVG, PNG or PDF. Each takes options for title, size and theme.
//
//   - anything: [Plot]
//   - training: [Curve], [Compare], [RateTest] and [RangeTest], [LossSurface], [Landscape], and [Live] while it goes on
//   - weights: [Weights], [Gradients], [Histograms], [Ridges], [UpdateRatios], [DeadUnits], [DeadReLUs], and [Watch], which collects them
//   - predictions: [Confusion], [ConfusionMatrix], [ROC], [PrecisionRecall], [Calibration], [Regression], [Images], [Tokens], [Boundary],
//     [DecisionBoundary]
//   - data: [Balance], [Features], [Correlation], [Images], [Waveform], [Spectrogram]
//   - inside of a network: [Filters] and [LayerFilters], [Activations] and [LayerActivations], [Saliency], [Attention], [Embedding], [TSNE]
//   - the network itself: [Model], [Architecture]
//
// Figures are drawn by gonum/plot. Each lies on a card of its own, so that it reads the same on a light and on a
// dark page, and each gives out its plots for those who want to change them. What cannot be drawn (an empty history,
// a series of NaN, two series of different lengths) is said in words on the figure; nothing here panics because of data. Where
// there is too much for the eye, a thousand classes say, a figure draws the part that matters most and says so.
//
// Colours are told apart with each of the common colour blindnesses, and marks of classes also by their shape. Those of numbers go in steps
// that look equal: from the card's own colour for nothing, or for signed numbers from blue through it to orange.
//
// The pictures are made from plain series; three files, training.go, model.go and landscape.go, know nnkit.
//
// [Interact] draws a figure again when a [Slider], a [Select] or a [Button] has moved, by gonbui's way to the page, so that it needs no
// extension of the front end.
package display
