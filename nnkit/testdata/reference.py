"""Writes reference.json: what PyTorch computes for the optimizers and for whole training runs.

    apt-get install python3-torch
    /usr/bin/python3 testdata/reference.py > testdata/reference.json

Everything is in float64, so that the reference is exact beside float32. Made with PyTorch 1.13.1.
"""
import json
import torch

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
STEPS = 20


def numbers(t):
    return [float("%.9g" % v) for v in t.detach().flatten().tolist()]


# Each optimizer follows the same sequence of gradients, so that nothing but its rule is compared.
start = torch.randn(12)
gradients = torch.randn(STEPS, 12) + torch.linspace(-1, 1, 12)
optimizers = []
for name, make in [
    ("GradientDescent(0.05)", lambda p: torch.optim.SGD(p, lr=0.05)),
    ("SGD(0.05, momentum 0.9)", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
    ("SGD(0.05, momentum 0.9, nesterov)", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True)),
    ("AdaGrad(0.1)", lambda p: torch.optim.Adagrad(p, lr=0.1, initial_accumulator_value=0.1, eps=0)),
    ("RMSprop(0.01, rho 0.9)", lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-12)),
    ("RMSprop(0.01, rho 0.8, momentum 0.7)", lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.8, eps=1e-12, momentum=0.7)),
    ("Adam(0.02)", lambda p: torch.optim.Adam(p, lr=0.02, eps=1e-12)),
    ("Adam(0.02, betas 0.8 0.95)", lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-12)),
]:
    w = start.clone().requires_grad_()
    optimizer = make([w])
    path = []
    for g in gradients:
        w.grad = g.clone()
        optimizer.step()
        path.append(numbers(w))
    optimizers.append({"name": name, "path": path})

ACTIVATIONS = {
    "linear": lambda z: z,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda z: torch.softmax(z, 1),
}
LOSSES = {
    "binary_crossentropy": torch.nn.functional.binary_cross_entropy,
    "categorical_crossentropy": lambda p, y: -(y * torch.log(p)).sum(1).mean(),
    "sparse_categorical_crossentropy": lambda p, y: torch.nn.functional.nll_loss(torch.log(p), y.flatten().long()),
    "mean_squared_error": torch.nn.functional.mse_loss,
    "mean_absolute_error": torch.nn.functional.l1_loss,
}


def network(name, widths, activations, loss, optimizer, y, rows=32):
    x = torch.randn(rows, widths[0])
    y = y(x)
    w = [torch.randn(a, b) / a**0.5 for a, b in zip(widths, widths[1:])]
    b = [torch.randn(n) / 10 for n in widths[1:]]
    parameters = [p.requires_grad_() for pair in zip(w, b) for p in pair]
    entry = {
        "name": name, "widths": widths, "activations": activations, "loss": loss,
        "x": numbers(x), "y": numbers(y), "start": [numbers(p) for p in parameters], "losses": [],
    }
    step = optimizer(parameters)
    for i in range(STEPS):
        h = x
        for k, act in enumerate(activations):
            h = ACTIVATIONS[act](h @ w[k] + b[k])
        if i == 0:
            entry["predictions"] = numbers(h)
        value = LOSSES[loss](h, y)
        entry["losses"].append(float("%.9g" % value.item()))
        step.zero_grad()
        value.backward()
        if i == 0:
            entry["gradients"] = [numbers(p.grad) for p in parameters]
        step.step()
    entry["end"] = [numbers(p) for p in parameters]
    return entry


def yes(x):
    return (x[:, :1] * x[:, 1:2] > 0).double()


def classes(x):
    return x[:, :3].argmax(1, keepdim=True).double()


def onehot(x):
    return torch.nn.functional.one_hot(x[:, :3].argmax(1), 3).double()


def real(x):
    return torch.stack([x[:, 0] ** 2, x[:, 1] - x[:, 2]], 1)


adam = lambda p: torch.optim.Adam(p, lr=0.01, eps=1e-12)
momentum = lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)
networks = [
    network("founding example, Adam", [8, 10, 8, 1], ["relu", "relu", "sigmoid"], "binary_crossentropy", adam, yes),
    network("softmax, momentum", [5, 7, 3], ["tanh", "softmax"], "categorical_crossentropy", momentum, onehot),
    network("sparse softmax, momentum", [5, 7, 3], ["sigmoid", "softmax"], "sparse_categorical_crossentropy", momentum, classes),
    network("regression, momentum", [4, 9, 2], ["tanh", "linear"], "mean_squared_error", momentum, real),
    network("absolute error, Adam", [4, 6, 2], ["sigmoid", "linear"], "mean_absolute_error", adam, real),
    network("softmax inside, Adam", [4, 5, 4, 2], ["softmax", "relu", "tanh"], "mean_squared_error", adam, real),
]
print(json.dumps({
    "start": numbers(start), "gradients": [numbers(g) for g in gradients],
    "optimizers": optimizers, "networks": networks,
}).replace("], ", "],\n"))
