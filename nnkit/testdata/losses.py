"""Writes losses.json: losses with their gradients by PyTorch from Keras' formulas, and metrics by scikit-learn.

    apt-get install python3-torch python3-sklearn
    /usr/bin/python3 testdata/losses.py > testdata/losses.json

Everything is in float64, so that the reference is exact beside float32. Made with PyTorch 1.13 and scikit-learn 1.2.1.
Keras' AUC of precision and recall, which scikit-learn does not have, is worked out from its formula, with a threshold at
every score.
"""
import json
import math
import numpy as np
import torch
import torch.nn.functional as F
from sklearn import metrics

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
EPS = 1e-7
FEATURES = 3


def numbers(t):
    return [float("%.8g" % v) for v in torch.as_tensor(t).detach().flatten().tolist()]


ACTIVATIONS = {
    "linear": lambda z: z,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda z: torch.softmax(z, -1),
}


def smooth(y, e, classes):
    return y * (1 - e) + e / classes


def binary(e=0.0):
    return lambda p, y: F.binary_cross_entropy(p, smooth(y, e, 2), reduction="none").mean(-1)


def categorical(e=0.0):
    return lambda p, y: -(smooth(y, e, y.shape[-1]) * torch.log(p)).sum(-1)


def sparse(e=0.0):
    def loss(p, y):
        flat = torch.log(p).reshape(-1, p.shape[-1])
        return F.cross_entropy(flat, y.flatten().long(), reduction="none", label_smoothing=e).reshape(y.shape)
    return loss


def focal(gamma):
    def loss(p, y):
        q = y * p + (1 - y) * (1 - p)
        return ((1 - q) ** gamma * F.binary_cross_entropy(p, y, reduction="none")).mean(-1)
    return loss


def categorical_focal(gamma):
    return lambda p, y: -((1 - p) ** gamma * y * torch.log(p)).sum(-1)


def signed(y):
    return torch.where(y == 0, -torch.ones_like(y), y)


def categorical_hinge(p, y):
    return torch.relu(((1 - y) * p).max(-1)[0] - (y * p).sum(-1) + 1)


def log_squared(p, y):
    return ((torch.log(p.clamp(min=EPS) + 1) - torch.log(y.clamp(min=EPS) + 1)) ** 2).mean(-1)


def divergence(p, y):
    return (torch.xlogy(y, y) - y * torch.log(p)).sum(-1)


def real(*shape):
    return torch.randn(*shape) * 1.5


def positive(*shape):
    return torch.randn(*shape).abs() * 3


def yes(*shape):
    return (torch.rand(*shape) > 0.4).double()


def minus(*shape):
    return 2 * yes(*shape) - 1


def share(*shape):
    return torch.rand(*shape)


def onehot(*shape):
    return F.one_hot(torch.randint(0, shape[-1], shape[:-1]), shape[-1]).double()


def distribution(*shape):
    return torch.softmax(torch.randn(*shape), -1)


def classes(*shape):
    return torch.randint(0, shape[-1], shape[:-1]).double()


CASES = [
    ("BinaryCrossEntropy", "sigmoid", binary(), yes, 1),
    ("BinaryCrossEntropy", "sigmoid", binary(), share, 4),
    ("BinaryCrossEntropy", "softmax", binary(), share, 3),
    ("BinaryCrossEntropy.LabelSmoothing(0.2)", "sigmoid", binary(0.2), yes, 3),
    ("CategoricalCrossEntropy", "softmax", categorical(), distribution, 4),
    ("CategoricalCrossEntropy.LabelSmoothing(0.1)", "softmax", categorical(0.1), onehot, 5),
    ("SparseCategoricalCrossEntropy", "softmax", sparse(), classes, 5),
    ("SparseCategoricalCrossEntropy.LabelSmoothing(0.1)", "softmax", sparse(0.1), classes, 3),
    ("KLDivergence", "softmax", divergence, distribution, 4),
    ("KLDivergence", "softmax", divergence, onehot, 3),
    ("BinaryFocalCrossEntropy(2)", "sigmoid", focal(2), yes, 1),
    ("BinaryFocalCrossEntropy(0.5)", "sigmoid", focal(0.5), share, 2),
    ("BinaryFocalCrossEntropy(3)", "softmax", focal(3), share, 3),
    ("MeanSquaredError", "linear", lambda p, y: ((p - y) ** 2).mean(-1), real, 3),
    ("MeanAbsoluteError", "linear", lambda p, y: (p - y).abs().mean(-1), real, 3),
    ("MeanAbsolutePercentageError", "linear", lambda p, y: 100 * ((p - y).abs() / y.abs().clamp(min=EPS)).mean(-1), real, 2),
    ("MeanSquaredLogarithmicError", "linear", log_squared, positive, 3),
    ("Huber(1)", "linear", lambda p, y: F.huber_loss(p, y, reduction="none").mean(-1), real, 3),
    ("Huber(0.3)", "tanh", lambda p, y: F.huber_loss(p, y, reduction="none", delta=0.3).mean(-1), real, 1),
    ("LogCosh", "linear", lambda p, y: (p - y + F.softplus(-2 * (p - y)) - math.log(2)).mean(-1), real, 3),
    ("Poisson", "sigmoid", lambda p, y: (p - y * torch.log(p + EPS)).mean(-1), positive, 3),
    ("Hinge", "linear", lambda p, y: torch.relu(1 - signed(y) * p).mean(-1), yes, 1),
    ("Hinge", "tanh", lambda p, y: torch.relu(1 - signed(y) * p).mean(-1), minus, 3),
    ("SquaredHinge", "linear", lambda p, y: (torch.relu(1 - signed(y) * p) ** 2).mean(-1), yes, 2),
    ("CategoricalHinge", "linear", categorical_hinge, onehot, 4),
    ("CosineSimilarity", "linear", lambda p, y: -F.cosine_similarity(p, y, dim=-1), real, 4),
]


def case(name, activation, loss, truth, width, rows, steps, weighted):
    shape = [rows, steps] if steps else [rows]
    x, y = torch.randn(*shape, FEATURES), truth(*shape, width)
    kernel = (torch.randn(FEATURES, width) * 0.8).requires_grad_()
    bias = (torch.randn(width) * 0.3).requires_grad_()
    weights = torch.rand(*shape) * 2 if weighted else torch.ones(*shape)
    losses = loss(ACTIVATIONS[activation](x @ kernel + bias), y)
    mean = (losses * weights).mean()
    mean.backward()
    return {
        "name": name, "activation": activation, "width": width, "rows": rows, "steps": steps,
        "x": numbers(x), "y": numbers(y), "kernel": numbers(kernel), "bias": numbers(bias),
        "weights": numbers(weights) if weighted else [], "loss": float("%.9g" % mean.item()),
        "plain": float("%.9g" % losses.mean().item()), "gradients": [numbers(kernel.grad), numbers(bias.grad)],
    }


def keras_pr(yes, score):
    """The area that Keras interpolates: sum of slope·(dTP + intercept·log(P[i]/P[i+1]))/(TP+FN)."""
    cuts = np.concatenate([[-np.inf], np.unique(score)[:-1], [np.inf]])
    cuts[1:-1] = (np.unique(score)[:-1] + np.unique(score)[1:]) / 2
    tp = np.array([(yes & (score > c)).sum() for c in cuts], dtype=float)
    fp = np.array([(~yes & (score > c)).sum() for c in cuts], dtype=float)
    dtp, p = tp[:-1] - tp[1:], tp + fp
    dp = p[:-1] - p[1:]
    slope = np.where(dp > 0, dtp / np.maximum(dp, 1), 0)
    intercept = tp[1:] - slope * p[1:]
    ratio = np.where((p[:-1] > 0) & (p[1:] > 0), p[:-1] / np.maximum(p[1:], 1), 1)
    return float((slope * (dtp + intercept * np.log(ratio))).sum() / yes.sum())


def averages(y, given, labels):
    found = {}
    for kind in ["micro", "macro", "weighted"]:
        p, r, f, _ = metrics.precision_recall_fscore_support(y, given, labels=labels, average=kind, zero_division=0)
        found.update({"precision " + kind: p, "recall " + kind: r, "f1_score " + kind: f})
    p, r, f, _ = metrics.precision_recall_fscore_support(y, given, labels=labels, average=None, zero_division=0)
    found.update({"precision of 1": p[1], "recall of 1": r[1], "f1_score of 1": f[1]})
    return found


def data(rows, width, levels):
    """Rows of few different values, so that scores are equal now and then."""
    x = torch.randint(-levels, levels + 1, (rows, FEATURES)).double() / levels
    return x, torch.randn(FEATURES, width) * 2, torch.randn(width) * 0.3


def judged(name, activation, rows, width, levels):
    x, kernel, bias = data(rows, width, levels)
    z = x @ kernel + bias
    p = ACTIVATIONS[activation](z).numpy()
    noisy = z.numpy() + 2 * np.random.RandomState(3).randn(*z.shape)
    if name == "classes":
        noisy[:, width - 1] = -99  # a class that is never true
        y = noisy.argmax(1)
        one = np.eye(width)[y] > 0
        given = p.argmax(1)
        most = range(width - 1)
        values = averages(y, given, range(width))
        values.update({
            "accuracy": metrics.accuracy_score(y, given),
            "top 2": float(np.mean([(p[i] > p[i, c]).sum() < 2 for i, c in enumerate(y)])),
            "auc macro": float(np.mean([metrics.roc_auc_score(one[:, k], p[:, k]) for k in most])),
            "auc micro": metrics.roc_auc_score(one.ravel(), p.ravel()),
            "auc of 1": metrics.roc_auc_score(one[:, 1], p[:, 1]),
            "pr macro": float(np.mean([keras_pr(one[:, k], p[:, k]) for k in most])),
            "precision above 0.3": metrics.precision_score(one, p > 0.3, average="macro", zero_division=0),
        })
    elif name == "answers":
        y = (noisy > 0).astype(float)
        given = (p > 0.5).astype(float)
        if width > 1:
            values = averages(y, given, range(width))
        else:
            names = ["precision micro", "recall micro", "f1_score micro"]
            values = dict(zip(names, metrics.precision_recall_fscore_support(y.ravel(), given.ravel(), average="binary")))
        low = (p > 0.3).astype(float)
        values.update({
            "accuracy": float((y == given).mean()),
            "recall above 0.3": metrics.recall_score(y.ravel(), low.ravel()),
            "auc micro": metrics.roc_auc_score(y.ravel(), p.ravel()),
            "auc macro": metrics.roc_auc_score(y, p, average="macro"),
            "pr micro": keras_pr(y.ravel() > 0, p.ravel()),
        })
    else:
        y = noisy + 20
        values = {
            "mean_squared_error": metrics.mean_squared_error(y, p),
            "root_mean_squared_error": metrics.mean_squared_error(y, p) ** 0.5,
            "mean_absolute_error": metrics.mean_absolute_error(y, p),
            "r2_score": metrics.r2_score(y, p),
            "cosine_similarity": F.cosine_similarity(torch.tensor(p), torch.tensor(y), dim=-1).mean().item(),
        }
    return {
        "name": name, "activation": activation, "width": width, "rows": rows, "x": numbers(x), "y": numbers(y),
        "kernel": numbers(kernel), "bias": numbers(bias), "values": {k: float("%.9g" % v) for k, v in values.items()},
    }


losses = [
    case(*c, rows=5, steps=steps, weighted=weighted)
    for c in CASES for steps, weighted in [(0, False), (2, True)]
]
judgements = [
    judged("classes", "softmax", 300, 5, 2), judged("answers", "sigmoid", 300, 1, 3), judged("answers", "sigmoid", 130, 3, 3),
    judged("numbers", "linear", 300, 2, 4),
]
torch.manual_seed(8)  # so that the cases above stay as they are
losses += [
    case(*c, rows=5, steps=steps, weighted=weighted)
    for c in [
        ("CategoricalFocalCrossEntropy(2)", "softmax", categorical_focal(2), onehot, 4),
        ("CategoricalFocalCrossEntropy(0.5)", "softmax", categorical_focal(0.5), distribution, 3),
    ] for steps, weighted in [(0, False), (2, True)]
]
print(json.dumps({"losses": losses, "judgements": judgements}).replace("}, ", "},\n"))
