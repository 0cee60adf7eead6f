"""Times what the Go program beside it asks for: a line "PEER WORKLOAD SECONDS" is answered by microseconds a step.

The answer to "peers" is which of the peers this Python has. Threads are set by the environment of the process.
"""
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

# Widths of the layers, rows of a batch, batches that are gone through.
NETWORKS = {"W1": ([8, 10, 8, 1], 32, 200), "W2": ([784, 512, 512, 10], 128, 8)}


def data(widths, rows):
    r = np.random.default_rng(1)
    x = r.standard_normal((rows, widths[0])).astype(np.float32)
    return x, r.integers(0, max(2, widths[-1]), rows)


def torch_network(widths):
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        layers += [torch.nn.Linear(a, b)] + ([torch.nn.ReLU()] if i < len(widths) - 2 else [])
    return torch.nn.Sequential(*layers + ([torch.nn.Sigmoid()] if widths[-1] == 1 else []))


def torch_step(name):
    """Returns a function that trains on all batches, and their number."""
    widths, rows, batches = NETWORKS[name]
    x, y = data(widths, rows * batches)
    x = torch.from_numpy(x).split(rows)
    if widths[-1] == 1:
        y, loss = torch.from_numpy(y.astype(np.float32)[:, None]).split(rows), torch.nn.BCELoss()
    else:
        y, loss = torch.from_numpy(y).split(rows), torch.nn.CrossEntropyLoss()
    model = torch_network(widths)
    adam = torch.optim.Adam(model.parameters())

    def run():
        for xb, yb in zip(x, y):
            adam.zero_grad()
            loss(model(xb), yb).backward()
            adam.step()

    return run, batches


def sklearn_step(name):
    widths, rows, batches = NETWORKS[name]
    x, y = data(widths, rows * batches)
    model = sklearn.neural_network.MLPClassifier(tuple(widths[1:-1]), batch_size=rows)
    classes = np.arange(max(2, widths[-1]))
    return lambda: model.partial_fit(x, y, classes), batches


def torch_predict():
    model, x = torch_network(NETWORKS["W1"][0]), torch.ones(1, 8)

    def run():
        with torch.no_grad():
            model(x)

    return run, 1


def sklearn_predict():
    x, y = data(NETWORKS["W1"][0], 64)
    model = sklearn.neural_network.MLPClassifier((10, 8), max_iter=1).fit(x, y)
    return lambda: model.predict_proba(x[:1]), 1


def torch_gemm(n):
    a, b, c = torch.ones(n, n), torch.ones(n, n), torch.empty(n, n)
    return lambda: torch.mm(a, b, out=c), 1


def prepare(peer, workload):
    if workload.startswith("gemm"):
        return torch_gemm(int(workload[4:]))
    if workload == "predict":
        return torch_predict() if peer == "PyTorch" else sklearn_predict()
    return torch_step(workload) if peer == "PyTorch" else sklearn_step(workload)


def main():
    known = ([] if not (np and torch) else ["PyTorch"]) + ([] if not (np and sklearn) else ["scikit-learn"])
    prepared = {}
    for line in sys.stdin:
        words = line.split()
        if words == ["peers"]:
            print(" ".join(known), flush=True)
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
