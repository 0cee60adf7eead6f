"""Writes small PyTorch models as safetensors files, with rows and what the models make of them, for FromPyTorch. From the
folder of package nnkit:

    apt-get install python3-torch
    /usr/bin/python3 testdata/weights.py > testdata/weights.json

The files are written here as safetensors.torch.save_file writes them: tensors sorted by name. Made with PyTorch 1.13.1.
"""
import base64
import json
import struct

import torch
from torch import nn

torch.manual_seed(3)
types = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64"}


def file(state):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name in sorted(state):
        t = state[name].contiguous()
        raw = t.view(torch.int16).numpy().tobytes() if t.dtype == torch.bfloat16 else t.numpy().tobytes()
        header[name] = {"dtype": types[t.dtype], "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return base64.b64encode(struct.pack("<Q", len(text)) + text + data).decode()


def numbers(t):
    return [float("%.7g" % v) for v in t.detach().contiguous().flatten().tolist()]


cases = []


def case(name, model, x, layout=lambda t: t, dtype=torch.float32):
    for p in model.parameters():
        nn.init.normal_(p, std=0.4)
    for b in model.modules():
        if isinstance(b, nn.BatchNorm2d):
            nn.init.normal_(b.running_mean), nn.init.uniform_(b.running_var, 0.5, 2)
    model.to(dtype)
    state = file(model.state_dict())
    model.double().eval()
    cases.append({"name": name, "file": state, "shape": list(layout(x).shape), "x": numbers(layout(x)), "y": numbers(model(x.double() if x.is_floating_point() else x))})


last = lambda t: t.movedim(1, -1)
case("dense", nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), torch.randn(3, 4))
case("float64", nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), torch.randn(3, 4), dtype=torch.float64)
case("float16", nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), torch.randn(3, 4), dtype=torch.float16)
case("bfloat16", nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), torch.randn(3, 4), dtype=torch.bfloat16)


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.slopes = nn.PReLU(4)
        self.conv2 = nn.Conv2d(4, 6, (3, 2), groups=2)
        self.group = nn.GroupNorm(3, 6)
        self.fc = nn.Linear(6 * 2 * 3, 5)

    def forward(self, x):
        x = self.slopes(self.up(torch.relu(self.norm(self.conv1(x)))))
        x = nn.functional.max_pool2d(self.group(self.conv2(x)), 3)
        return self.fc(x.flatten(1))


case("images", Images(), torch.randn(2, 2, 6, 7), layout=last)


class Sequences(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 5, 2)
        self.fc = nn.Linear(20, 6)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))


case("sequences", Sequences(), torch.randn(2, 3, 5), layout=last)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, batch_first=True)
        self.gru = nn.GRU(4, 3, bidirectional=True, batch_first=True)
        self.rnn = nn.RNN(6, 2, batch_first=True)

    def forward(self, x):
        return self.rnn(self.gru(self.lstm(x)[0])[0])[0][:, -1]


case("recurrent", Recurrent(), torch.randn(2, 5, 3))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(7, 6)
        self.encoder = nn.TransformerEncoderLayer(6, 2, 8, dropout=0, batch_first=True)
        self.attention = nn.MultiheadAttention(6, 3, batch_first=True)
        self.norm = nn.LayerNorm(6)

    def forward(self, x):
        x = self.encoder(self.words(x))
        return self.norm(self.attention(x, x, x)[0])


case("attention", Attention(), torch.tensor([[1, 0, 6, 1], [3, 3, 3, 2]]))
print("[" + ",\n".join(json.dumps(c) for c in cases) + "]")
