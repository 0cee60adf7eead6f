"""Writes what PyTorch makes of masked sequences and of a network that branches. From the folder of package nnkit:

    apt-get install python3-torch
    /usr/bin/python3 testdata/graphs.py > testdata/graphs.json

"layers" are outputs and gradients as in layers.py, of layers behind a mask that leaves out the steps whose features are all
-9; "trainings" are the losses and the parameters of 20 steps of SGD. Everything is in float64. Made with PyTorch 1.13.1.
"""
import json

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)


def numbers(t):
    return [float("%.9g" % v) for v in t.detach().contiguous().flatten().tolist()]


def randomized(module):
    for p in module.parameters():
        nn.init.normal_(p, std=0.4)
    return module


layers = []
mask = torch.tensor([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 0, 0, 0, 0]]).bool()


def case(name, forward, parameters, features=6):
    x = torch.randn(3, 5, features)
    x[~mask] = -9
    x.requires_grad_(True)
    y = forward(torch.where(mask[..., None], x, torch.zeros(())))
    weight = 0.5 + 0.25 * (torch.arange(y.numel()) % 5).reshape(y.shape)
    (y * weight).sum().backward()
    layers.append({
        "name": name, "shape": list(x.shape[1:]), "x": numbers(x), "y": numbers(y), "dx": numbers(x.grad),
        "parameters": [numbers(to(p)) for p, to in parameters()], "gradients": [numbers(to(g)) for g, to in parameters(True)],
    })


same = lambda t: t
swapped = lambda t: t.T
order = {"lstm": [0, 1, 2, 3], "gru": [1, 0, 2], "rnn": [0]}


def recurrent(kind, cell, sequences, backwards):
    """Keras' way: a step that is left out keeps state and output."""
    def forward(x):
        h = c = y = torch.zeros(3, 4)
        ys = {}
        for t in reversed(range(5)) if backwards else range(5):
            m = mask[:, t, None]
            if kind == "lstm":
                new, carry = cell(x[:, t], (h, c))
                c = torch.where(m, carry, c)
            else:
                new = cell(x[:, t], h)
            h = torch.where(m, new, h)
            y = torch.where(m, new, y)
            ys[t] = y
        return torch.stack([ys[t] for t in range(5)], 1) if sequences else y
    return forward


def gates(kind, t):
    parts = t.chunk(len(order[kind]))
    return torch.cat([parts[i] for i in order[kind]])


for kind, cls in {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}.items():
    for sequences in (False, True):
        for backwards in (False, True):
            m = randomized(cls(3, 4))
            if kind != "gru":
                nn.init.zeros_(m.bias_hh)

            def parameters(gradients=False, m=m, kind=kind):
                of = (lambda p: p.grad) if gradients else same
                bias = gates(kind, of(m.bias_ih))
                if kind == "gru":
                    bias = torch.stack([bias, gates(kind, of(m.bias_hh))])
                return [(gates(kind, of(m.weight_ih)), swapped), (gates(kind, of(m.weight_hh)), swapped), (bias, same)]
            name = kind + (" sequences" if sequences else "") + (" backwards" if backwards else "")
            case(name, recurrent(kind, m, sequences, backwards), parameters, 3)


def plain(*pairs):
    return lambda gradients=False: [(p.grad if gradients else p, to) for p, to in pairs]


m = randomized(nn.MultiheadAttention(6, 2, batch_first=True))
case("attention", lambda x: m(x, x, x, key_padding_mask=~mask)[0],
     plain((m.in_proj_weight, swapped), (m.in_proj_bias, same), (m.out_proj.weight, swapped), (m.out_proj.bias, same)))
e = randomized(nn.TransformerEncoderLayer(6, 2, 10, dropout=0, batch_first=True))
a = e.self_attn
case("transformer encoder", lambda x: e(x, src_key_padding_mask=~mask), plain(
    (a.in_proj_weight, swapped), (a.in_proj_bias, same), (a.out_proj.weight, swapped), (a.out_proj.bias, same), (e.norm1.weight, same), (e.norm1.bias, same),
    (e.linear1.weight, swapped), (e.linear1.bias, same), (e.linear2.weight, swapped), (e.linear2.bias, same), (e.norm2.weight, same), (e.norm2.bias, same)))
b = randomized(nn.BatchNorm1d(6, eps=1e-3))


def normalized(x):
    y = torch.zeros_like(x)
    y[mask] = b(x[mask])
    return y


case("batch normalization", normalized, plain((b.weight, same), (b.bias, same)))
case("global average pooling", lambda x: (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), plain())
case("global max pooling", lambda x: x.masked_fill(~mask[..., None], float("-inf")).max(1)[0], plain())

trainings = []


def training(name, inputs, truth, modules, loss, layout):
    parameters = [p for m in modules for p in m.parameters()]
    before = [numbers(to(p)) for p, to in layout]
    optimizer = torch.optim.SGD(parameters, lr=0.05, momentum=0.9)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        v = loss()
        v.backward()
        losses.append(v.item())
        optimizer.step()
    trainings.append({
        "name": name, "shapes": [list(x.shape) for x in inputs], "inputs": [numbers(x) for x in inputs], "truth": [numbers(t) for t in truth],
        "parameters": before, "losses": losses, "after": [numbers(to(p)) for p, to in layout],
    })


# Two inputs, a shared layer, a skip, two outputs.
x, z = torch.randn(8, 4), torch.randn(8, 3)
price, kind = torch.randn(8, 1), torch.randint(0, 3, (8,))
first, shared, trunk, cost, classes = (randomized(m) for m in (nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(16, 5), nn.Linear(5, 1), nn.Linear(5, 3)))


def branched():
    w = torch.tanh(first(z))
    h, g = torch.relu(shared(x)), torch.relu(shared(w))
    both = torch.cat([x + h + g, h * g, h - g, (h + w) / 2], 1)
    t = torch.tanh(trunk(both))
    return 0.3 * F.mse_loss(cost(t), price) + F.cross_entropy(classes(t), kind)


pairs = [(p, to) for m in (first, shared, trunk, cost, classes) for p, to in ((m.weight, swapped), (m.bias, same))]
training("branched", [x, z], [price, kind], [first, shared, trunk, cost, classes], branched, pairs)

# Words with 0 for none: the loss is the mean over the others.
words = torch.tensor([[3, 1, 0, 0], [2, 5, 4, 1], [0, 3, 0, 2]])
tags = torch.tensor([[0, 1, 0, 0], [2, 1, 1, 0], [0, 2, 0, 1]])
counts = words != 0
table, cell, out = (randomized(m) for m in (nn.Embedding(6, 3), nn.GRUCell(3, 4), nn.Linear(4, 3)))


def tagged():
    v, h, ys = table(words), torch.zeros(3, 4), []
    for t in range(4):
        h = torch.where(counts[:, t, None], cell(v[:, t], h), h)
        ys.append(out(h))
    return F.cross_entropy(torch.stack(ys, 1)[counts], tags[counts])


g = lambda t: gates("gru", t)


class Both:  # of the GRU's biases, as they are at the time
    def __call__(self, _):
        return torch.stack([g(cell.bias_ih), g(cell.bias_hh)])


pairs = [(table.weight, same), (cell.weight_ih, lambda t: g(t).T), (cell.weight_hh, lambda t: g(t).T), (cell.bias_ih, Both()), (out.weight, swapped), (out.bias, same)]
training("tagged", [words.double()], [tags], [table, cell, out], tagged, pairs)

print(json.dumps({"layers": layers, "trainings": trainings}, indent=0))
