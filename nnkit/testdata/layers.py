"""Writes what PyTorch makes of small layers: outputs and gradients of the sum of the outputs, number i of them taken
0.5 + 0.25·(i mod 5) times, with parameters laid out as nnkit's are. From the folder of package nnkit:

    apt-get install python3-torch
    /usr/bin/python3 testdata/layers.py > testdata/layers.json

Everything is in float64, so that the reference is exact beside float32. Made with PyTorch 1.13.1.
"""
import json

import torch
from torch import nn

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)


def numbers(t):
    return [float("%.7g" % v) for v in t.detach().contiguous().flatten().tolist()]


def randomized(module):
    for p in module.parameters():
        nn.init.normal_(p, std=0.4)
    return module


cases = []


def case(name, x, forward, parameters, wanted=True, layout=lambda t: t):
    """parameters are pairs of PyTorch's tensors and a function to nnkit's layout; layout is that of x and of the output."""
    x.requires_grad_(wanted)
    y = layout(forward(x))
    weight = 0.5 + 0.25 * (torch.arange(y.numel()) % 5).reshape(y.shape)
    (y * weight).sum().backward()
    cases.append({
        "name": name, "shape": list(layout(x).shape[1:]), "x": numbers(layout(x)), "y": numbers(y),
        "dx": numbers(layout(x.grad)) if wanted else [],
        "parameters": [numbers(to(p)) for p, to in parameters],
        "gradients": [numbers(to(p.grad)) for p, to in parameters],
    })


def last(t):  # channels last
    return t.movedim(1, -1)


same = lambda t: t
swapped = lambda t: t.T
kernel2 = lambda t: t.permute(2, 3, 1, 0)
kernel1 = lambda t: t.permute(2, 1, 0)

for name, options in {
    "conv2d": {}, "conv2d strides": {"stride": (2, 1)}, "conv2d same": {"padding": 1}, "conv2d dilated": {"dilation": (1, 2)},
    "conv2d groups": {"groups": 2},
}.items():
    m = randomized(nn.Conv2d(4, 6, 3, **options))
    case(name, torch.randn(2, 4, 6, 7), m, [(m.weight, kernel2), (m.bias, same)], layout=last)
for name, options in {
    "conv2d transpose": {}, "conv2d transpose strides": {"stride": 2}, "conv2d transpose same": {"stride": 1, "padding": 1},
}.items():
    m = randomized(nn.ConvTranspose2d(4, 3, 3, **options))
    case(name, torch.randn(2, 4, 3, 4), m, [(m.weight, kernel2), (m.bias, same)], layout=last)
m = randomized(nn.Conv1d(3, 5, 3, padding=1))
case("conv1d", torch.randn(2, 3, 8), m, [(m.weight, kernel1), (m.bias, same)], layout=last)
case("max pooling", torch.randn(2, 3, 6, 7), nn.MaxPool2d(2), [], layout=last)
case("max pooling overlapping", torch.randn(2, 3, 6, 7), nn.MaxPool2d(3, 2), [], layout=last)
case("average pooling", torch.randn(2, 3, 6, 7), nn.AvgPool2d(2), [], layout=last)
case("global average pooling", torch.randn(2, 3, 6, 7), lambda x: x.mean((2, 3)), [], layout=lambda t: last(t) if t.dim() == 4 else t)

# PyTorch's GRU has the gates r, z, n; ours, as Keras', z, r, h.
order = {"lstm": [0, 1, 2, 3], "gru": [1, 0, 2], "rnn": [0]}


def gates(kind):
    def reorder(t):
        parts = t.chunk(len(order[kind]))
        return torch.cat([parts[i] for i in order[kind]])
    return reorder


for kind, cls in {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}.items():
    for sequences in (False, True):
        m = randomized(cls(3, 4, batch_first=True))
        reorder = gates(kind)
        columns = lambda t: reorder(t).T
        if kind == "gru":
            both = torch.stack([reorder(m.bias_ih_l0), reorder(m.bias_hh_l0)])
        else:
            both = reorder(m.bias_ih_l0 + m.bias_hh_l0)
        x = torch.randn(2, 5, 3, requires_grad=True)
        y = m(x)[0]
        if not sequences:
            y = y[:, -1]
        weight = 0.5 + 0.25 * (torch.arange(y.numel()) % 5).reshape(y.shape)
        (y * weight).sum().backward()
        dbias = reorder(m.bias_ih_l0.grad)
        if kind == "gru":
            dbias = torch.stack([dbias, reorder(m.bias_hh_l0.grad)])
        cases.append({
            "name": kind + (" sequences" if sequences else ""), "shape": [5, 3], "x": numbers(x), "y": numbers(y), "dx": numbers(x.grad),
            "parameters": [numbers(columns(m.weight_ih_l0)), numbers(columns(m.weight_hh_l0)), numbers(both)],
            "gradients": [numbers(columns(m.weight_ih_l0.grad)), numbers(columns(m.weight_hh_l0.grad)), numbers(dbias)],
        })

m = randomized(nn.LayerNorm(6, eps=1e-3))
case("layer normalization", torch.randn(3, 5, 6), m, [(m.weight, same), (m.bias, same)])
m = randomized(nn.BatchNorm2d(4, eps=1e-3))
case("batch normalization", torch.randn(3, 4, 5, 2), m, [(m.weight, same), (m.bias, same)], layout=last)
for groups in (1, 2, 4):
    m = randomized(nn.GroupNorm(groups, 4, eps=1e-3))
    case("group normalization %d" % groups, torch.randn(3, 4, 5, 2), m, [(m.weight, same), (m.bias, same)], layout=last)
m = nn.PReLU(6)
nn.init.uniform_(m.weight, 0, 1)
case("prelu", torch.randn(5, 6), m, [(m.weight, same)])
m = randomized(nn.Embedding(7, 3))
case("embedding", torch.tensor([[1., 0, 6, 1], [3, 3, 3, 2]]), lambda x: m(x.long()), [(m.weight, same)], wanted=False)
for causal in (False, True):
    m = randomized(nn.MultiheadAttention(6, 2, batch_first=True))
    mask = torch.triu(torch.full((5, 5), float("-inf")), 1) if causal else None
    case("attention" + (" causal" if causal else ""), torch.randn(2, 5, 6), lambda x: m(x, x, x, attn_mask=mask)[0],
         [(m.in_proj_weight, swapped), (m.in_proj_bias, same), (m.out_proj.weight, swapped), (m.out_proj.bias, same)])
m = randomized(nn.TransformerEncoderLayer(6, 2, 10, dropout=0, batch_first=True))
a = m.self_attn
case("transformer encoder", torch.randn(2, 5, 6), m, [
    (a.in_proj_weight, swapped), (a.in_proj_bias, same), (a.out_proj.weight, swapped), (a.out_proj.bias, same), (m.norm1.weight, same), (m.norm1.bias, same),
    (m.linear1.weight, swapped), (m.linear1.bias, same), (m.linear2.weight, swapped), (m.linear2.bias, same), (m.norm2.weight, same), (m.norm2.bias, same)])
for name, f in {
    "relu": nn.ReLU(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "softmax": nn.Softmax(-1), "log_softmax": nn.LogSoftmax(-1), "gelu": nn.GELU(),
    "gelu_tanh": nn.GELU(approximate="tanh"), "silu": nn.SiLU(), "elu": nn.ELU(), "selu": nn.SELU(), "leaky_relu": nn.LeakyReLU(0.3),
    "softplus": nn.Softplus(threshold=1e9), "softsign": nn.Softsign(), "mish": nn.Mish(), "hard_sigmoid": nn.Hardsigmoid(), "hard_swish": nn.Hardswish(),
}.items():
    case("activation " + name, 3 * torch.randn(3, 6), f, [])

torch.manual_seed(8)  # so that the cases above stay as they are
m = randomized(nn.Conv2d(4, 8, 3, padding=1, groups=4))
case("conv2d depthwise", torch.randn(2, 4, 6, 7), m, [(m.weight, kernel2), (m.bias, same)], layout=last)
m = randomized(nn.Conv1d(3, 5, 3, stride=2))
case("conv1d strides", torch.randn(2, 3, 9), m, [(m.weight, kernel1), (m.bias, same)], layout=last)
m = randomized(nn.Conv1d(3, 5, 2, dilation=3))
case("conv1d causal dilated", torch.randn(2, 3, 8), lambda x: m(nn.functional.pad(x, (3, 0))), [(m.weight, kernel1), (m.bias, same)], layout=last)
case("max pooling 1d", torch.randn(2, 3, 8), nn.MaxPool1d(2), [], layout=last)
case("average pooling 1d", torch.randn(2, 3, 9), nn.AvgPool1d(3, 2), [], layout=last)
case("average pooling same", torch.randn(2, 3, 6, 7), nn.AvgPool2d(3, 1, 1, count_include_pad=False), [], layout=last)
case("global max pooling", torch.randn(2, 3, 6, 7), lambda x: x.amax((2, 3)), [], layout=lambda t: last(t) if t.dim() == 4 else t)
case("global average pooling 1d", torch.randn(2, 5, 3), lambda x: x.mean(1), [])
case("global max pooling 1d", torch.randn(2, 5, 3), lambda x: x.amax(1), [])
gamma = torch.randn(6, requires_grad=True)
case("rms normalization", torch.randn(3, 5, 6), lambda x: x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * gamma, [(gamma, same)])
m = randomized(nn.RNN(3, 4, batch_first=True, nonlinearity="relu"))
nn.init.zeros_(m.bias_hh_l0)
case("rnn relu", torch.randn(2, 5, 3), lambda x: m(x)[0][:, -1], [(m.weight_ih_l0, swapped), (m.weight_hh_l0, swapped), (m.bias_ih_l0, same)])
b = randomized(nn.LSTM(3, 4, batch_first=True, bidirectional=True))
for p in (b.bias_hh_l0, b.bias_hh_l0_reverse):
    nn.init.zeros_(p)
both = [(b.weight_ih_l0, swapped), (b.weight_hh_l0, swapped), (b.bias_ih_l0, same),
        (b.weight_ih_l0_reverse, swapped), (b.weight_hh_l0_reverse, swapped), (b.bias_ih_l0_reverse, same)]
case("bidirectional sequences", torch.randn(2, 5, 3), lambda x: b(x)[0], both)
b.zero_grad()
case("bidirectional", torch.randn(2, 5, 3), lambda x: b(x)[1][0].transpose(0, 1).flatten(1), both)
places = torch.randn(5, 3, requires_grad=True)
case("position embedding", torch.randn(2, 5, 3), lambda x: x + places, [(places, same)])
m = randomized(nn.Linear(4, 4))
case("residual", torch.randn(3, 4), lambda x: x + torch.tanh(m(x)), [(m.weight, swapped), (m.bias, same)])

print("[" + ",\n".join(json.dumps(c) for c in cases) + "]")
