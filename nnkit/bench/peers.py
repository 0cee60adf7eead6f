"""Times what the Go program beside it asks for: a line "PEER WORKLOAD SECONDS" is answered by microseconds a step.

The answer to "peers" is which of the peers this Python has, to "blas" for which processor OpenBLAS has chosen its
kernels. "memory PEER WORKLOAD" trains for a while and is answered by the most memory that this process has ever had, in
kilobytes. Threads are set by the environment of the process.
"""
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore")
try:
    import numpy as np
except ImportError:
    np = None
try:
    import torch
except ImportError:
    torch = None
try:
    import sklearn.neural_network
except ImportError:
    sklearn = None
else:
    sklearn = sys.modules["sklearn"]

# Of each workload the shape of a row, the classes, rows of a batch, batches that are gone through.
DATA = {
    "W1": ((8,), 1, 32, 200), "W2": ((784,), 10, 128, 8),
    "W3a": ((1, 28, 28), 10, 64, 4), "W3b": ((3, 32, 32), 10, 64, 1),
    "W4": ((50, 32), 10, 32, 2), "W5": ((64, 128), 10, 32, 1),
}
WIDTHS = {"W1": [8, 10, 8, 1], "W2": [784, 512, 512, 10]}


def data(name):
    shape, classes, rows, batches = DATA[name]
    r = np.random.default_rng(1)
    x = r.standard_normal((rows * batches,) + shape).astype(np.float32)
    return x, r.integers(0, max(2, classes), rows * batches)


def torch_network(name):
    nn = torch.nn
    if name in WIDTHS:
        widths, layers = WIDTHS[name], []
        for i, (a, b) in enumerate(zip(widths, widths[1:])):
            layers += [nn.Linear(a, b)] + ([nn.ReLU()] if i < len(widths) - 2 else [])
        return nn.Sequential(*layers + ([nn.Sigmoid()] if widths[-1] == 1 else []))
    if name == "W3a":
        return nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    if name == "W3b":
        return nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(4096, 512), nn.ReLU(), nn.Linear(512, 10))

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.dense = nn.LSTM(32, 128, batch_first=True), nn.Linear(128, 10)

        def forward(self, x):
            return self.dense(self.lstm(x)[0][:, -1])

    class Mean(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.dense = nn.TransformerEncoderLayer(128, 4, 512, dropout=0, batch_first=True), nn.Linear(128, 10)

        def forward(self, x):
            return self.dense(self.layer(x).mean(1))

    return {"W4": Last, "W5": Mean}[name]()


def torch_step(name):
    """Returns a function that trains on all batches, and their number."""
    _, classes, rows, batches = DATA[name]
    x, y = data(name)
    x = torch.from_numpy(x).split(rows)
    if classes == 1:
        y, loss = torch.from_numpy(y.astype(np.float32)[:, None]).split(rows), torch.nn.BCELoss()
    else:
        y, loss = torch.from_numpy(y).split(rows), torch.nn.CrossEntropyLoss()
    model = torch_network(name)
    adam = torch.optim.Adam(model.parameters())

    def run():
        for xb, yb in zip(x, y):
            adam.zero_grad()
            loss(model(xb), yb).backward()
            adam.step()

    return run, batches


def sklearn_step(name):
    _, classes, rows, batches = DATA[name]
    x, y = data(name)
    model = sklearn.neural_network.MLPClassifier(tuple(WIDTHS[name][1:-1]), batch_size=rows)
    classes = np.arange(max(2, classes))
    return lambda: model.partial_fit(x, y, classes), batches


def torch_predict():
    model, x = torch_network("W1"), torch.ones(1, 8)

    def run():
        with torch.no_grad():
            model(x)

    return run, 1


def sklearn_predict():
    x, y = data("W1")
    model = sklearn.neural_network.MLPClassifier((10, 8), max_iter=1).fit(x, y)
    return lambda: model.predict_proba(x[:1]), 1


def torch_gemm(m, n, k):
    a, b, c = torch.ones(m, k), torch.ones(k, n), torch.empty(m, n)
    return lambda: torch.mm(a, b, out=c), 1


def prepare(peer, workload):
    if workload.startswith("gemm"):
        sizes = [int(n) for n in workload[4:].split("x")]
        return torch_gemm(*(sizes if len(sizes) == 3 else sizes * 3))
    if workload == "predict":
        return torch_predict() if peer == "PyTorch" else sklearn_predict()
    return torch_step(workload) if peer == "PyTorch" else sklearn_step(workload)


def blas():
    try:
        import threadpoolctl
    except ImportError:
        return "unknown"
    return " ".join(p.get("architecture", "") for p in threadpoolctl.threadpool_info() if p["internal_api"] == "openblas") or "unknown"


def main():
    known = ([] if not (np and torch) else ["PyTorch"]) + ([] if not (np and sklearn) else ["scikit-learn"])
    prepared = {}
    for line in sys.stdin:
        words = line.split()
        if words == ["peers"]:
            print(" ".join(known), flush=True)
            continue
        if words == ["blas"]:
            print(blas(), flush=True)
            continue
        if words[0] == "memory":
            run, steps = prepare(words[1], words[2])
            for _ in range(max(1, 20 // steps)):
                run()
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
            continue
        peer, workload, seconds = words
        if (peer, workload) not in prepared:
            prepared[peer, workload] = prepare(peer, workload)
            prepared[peer, workload][0]()
        run, steps = prepared[peer, workload]
        done, began = 0, time.perf_counter()
        while True:
            run()
            done += steps
            took = time.perf_counter() - began
            if took >= float(seconds):
                break
        print(took / done * 1e6, flush=True)


if __name__ == "__main__":
    main()
