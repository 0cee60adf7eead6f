"""Writes optimizers.json: optimizers, schedules, and a network with regularizers and constraints.

    apt-get install python3-torch
    /usr/bin/python3 testdata/optimizers.py > testdata/optimizers.json

What PyTorch has is computed by it (1.13.1), the rest by Keras' formulas as they stand here. Everything is in float64, so that
the reference is exact beside float32.
"""
import json
import math
import torch

torch.manual_seed(9)
torch.set_default_dtype(torch.float64)
STEPS = 20


def numbers(t):
    return [float("%.9g" % v) for v in t.detach().flatten().tolist()]


class Lion:
    def __init__(self, p, lr, betas):
        self.w, self.lr, self.betas, self.m = p[0], lr, betas, torch.zeros_like(p[0])

    def step(self):
        g, (b1, b2) = self.w.grad, self.betas
        with torch.no_grad():
            self.w -= self.lr * torch.sign(b1 * self.m + (1 - b1) * g)
            self.m = b2 * self.m + (1 - b2) * g


class NAdam:
    """PyTorch 1.13.1 has one μ too many in the product of the step ahead."""

    def __init__(self, p, lr, betas):
        self.w, self.lr, self.betas, self.t, self.product = p[0], lr, betas, 0, 1
        self.m, self.v = torch.zeros_like(p[0]), torch.zeros_like(p[0])

    def step(self):
        g, (b1, b2) = self.w.grad, self.betas
        self.t += 1
        now, ahead = (b1 * (1 - 0.5 * 0.96**t) for t in (self.t, self.t + 1))
        self.product *= now
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * g * g
        mean = ahead * self.m / (1 - self.product * ahead) + (1 - now) * g / (1 - self.product)
        with torch.no_grad():
            self.w -= self.lr * mean / torch.sqrt(self.v / (1 - b2**self.t))


class KerasRMSprop:
    """Centred, with the step and not the gradient in the momentum, as PyTorch has it, but with the root over ε."""

    def __init__(self, p, lr, rho, momentum, eps):
        self.w, self.lr, self.rho, self.momentum, self.eps = p[0], lr, rho, momentum, eps
        self.a, self.mean, self.v = (torch.zeros_like(self.w) for _ in range(3))

    def step(self):
        g = self.w.grad
        self.a = self.rho * self.a + (1 - self.rho) * g * g
        self.mean = self.rho * self.mean + (1 - self.rho) * g
        step = self.lr * g / torch.sqrt(self.a - self.mean**2 + self.eps)
        self.v = self.momentum * self.v + step
        with torch.no_grad():
            self.w -= self.v


o = torch.optim
start = torch.randn(12)
gradients = torch.randn(STEPS, 12) + torch.linspace(-1, 1, 12)
optimizers = []
for name, decay, make in [
    ("AdaDelta(0.5)", 0, lambda p: o.Adadelta(p, lr=0.5, rho=0.95, eps=1e-7)),
    ("RMSprop(0.01, centered)", 0, lambda p: KerasRMSprop(p, 0.01, 0.9, 0, 1e-4)),
    ("RMSprop(0.01, centered, momentum 0.7)", 0, lambda p: KerasRMSprop(p, 0.01, 0.9, 0.7, 1e-4)),
    ("Adam(0.02, AMSGrad)", 0, lambda p: o.Adam(p, lr=0.02, eps=1e-12, amsgrad=True)),
    ("AdamW(0.02)", 0, lambda p: o.AdamW(p, lr=0.02, eps=1e-12, weight_decay=0.004)),
    ("AdamW(0.02, decay 0.3)", 0, lambda p: o.AdamW(p, lr=0.02, eps=1e-12, weight_decay=0.3)),
    ("NAdam(0.02)", 0, lambda p: NAdam(p, 0.02, (0.9, 0.999))),
    ("Adamax(0.02)", 0, lambda p: o.Adamax(p, lr=0.02, eps=1e-12)),
    ("Lion(0.02)", 0, lambda p: Lion(p, 0.02, (0.9, 0.99))),
    # Decay as Keras has it, for those that PyTorch has none for.
    ("GradientDescent(0.05, decay 0.3)", 0.3 * 0.05, lambda p: o.SGD(p, lr=0.05)),
    ("SGD(0.05, momentum 0.9, decay 0.3)", 0.3 * 0.05, lambda p: o.SGD(p, lr=0.05, momentum=0.9)),
    ("AdaGrad(0.1, decay 0.3)", 0.3 * 0.1, lambda p: o.Adagrad(p, lr=0.1, initial_accumulator_value=0.1, eps=0)),
    ("AdaDelta(0.5, decay 0.3)", 0.3 * 0.5, lambda p: o.Adadelta(p, lr=0.5, rho=0.95, eps=1e-7)),
    ("RMSprop(0.01, decay 0.3)", 0.3 * 0.01, lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-12)),
    ("RMSprop(0.01, momentum 0.7, decay 0.3)", 0.3 * 0.01, lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-12, momentum=0.7)),
    ("NAdam(0.02, decay 0.3)", 0.3 * 0.02, lambda p: NAdam(p, 0.02, (0.9, 0.999))),
    ("Adamax(0.02, decay 0.3)", 0.3 * 0.02, lambda p: o.Adamax(p, lr=0.02, eps=1e-12)),
    ("Lion(0.02, decay 0.3)", 0.3 * 0.02, lambda p: Lion(p, 0.02, (0.9, 0.99))),
]:
    w = start.clone().requires_grad_()
    optimizer = make([w])
    path = []
    for g in gradients:
        with torch.no_grad():
            w -= decay * w
        w.grad = g.clone()
        optimizer.step()
        path.append(numbers(w))
    optimizers.append({"name": name, "path": path})


# Keras' schedules, in the words of its documentation.
def exponential(initial, steps, rate, stairs=False):
    return lambda t: initial * rate ** (t // steps if stairs else t / steps)


def inverse(initial, steps, rate, stairs=False):
    return lambda t: initial / (1 + rate * (t // steps if stairs else t / steps))


def polynomial(initial, steps, end, power, cycle):
    def at(t):
        n = steps * max(1, math.ceil(t / steps)) if cycle else steps
        return (initial - end) * (1 - min(t, n) / n) ** power + end
    return at


def cosine(initial, steps, alpha, warmup=0):
    def at(t):
        if t < warmup:
            return initial * (t + 1) / warmup
        p = min(t - warmup, steps) / steps
        return initial * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * p)) + alpha)
    return at


def restarts(initial, first, t_mul, m_mul, alpha):
    def at(t):
        p = t / first
        if t_mul == 1:
            i = math.floor(p)
            p -= i
        else:
            i = math.floor(math.log(1 - p * (1 - t_mul)) / math.log(t_mul) + 1e-12)
            p = (p - (1 - t_mul**i) / (1 - t_mul)) / t_mul**i
        return initial * ((1 - alpha) * 0.5 * m_mul**i * (1 + math.cos(math.pi * p)) + alpha)
    return at


def one_cycle(most, total, **settings):
    w = torch.zeros(1, requires_grad=True)
    sgd = o.SGD([w], lr=1)
    schedule = o.lr_scheduler.OneCycleLR(sgd, most, total, cycle_momentum=False, **settings)
    rates = []
    for _ in range(total):
        rates.append(schedule.get_last_lr()[0])
        sgd.step()
        if len(rates) < total:
            schedule.step()
    return lambda t: rates[min(t, total - 1)]


TIMES = list(range(0, 41)) + [99, 100, 1000]
schedules = [
    {"text": text, "steps": TIMES, "rates": [float("%.12g" % rate(t)) for t in TIMES]}
    for text, rate in [
        ("ExponentialDecay(0.1, 7, 0.9)", exponential(0.1, 7, 0.9)),
        ("ExponentialDecay(0.1, 7, 0.9, Staircase)", exponential(0.1, 7, 0.9, True)),
        ("InverseTimeDecay(0.1, 7, 0.5)", inverse(0.1, 7, 0.5)),
        ("InverseTimeDecay(0.1, 7, 0.5, Staircase)", inverse(0.1, 7, 0.5, True)),
        ("PolynomialDecay(0.1, 30)", polynomial(0.1, 30, 0.0001, 1, False)),
        ("PolynomialDecay(0.1, 30, EndLearningRate(0.01), Power(0.5))", polynomial(0.1, 30, 0.01, 0.5, False)),
        ("PolynomialDecay(0.1, 30, Power(2), Cycle)", polynomial(0.1, 30, 0.0001, 2, True)),
        ("CosineDecay(0.1, 30)", cosine(0.1, 30, 0)),
        ("CosineDecay(0.1, 30, Alpha(0.1))", cosine(0.1, 30, 0.1)),
        ("Warmup(8, CosineDecay(0.1, 20))", cosine(0.1, 20, 0, 8)),
        ("CosineDecayRestarts(0.1, 5)", restarts(0.1, 5, 2, 1, 0)),
        ("CosineDecayRestarts(0.1, 5, TMul(1), MMul(0.9), Alpha(0.05))", restarts(0.1, 5, 1, 0.9, 0.05)),
        ("OneCycle(0.1, 40)", one_cycle(0.1, 40)),
        ("OneCycle(0.1, 40, PercentStart(0.5), DivFactor(10), FinalDivFactor(100))",
         one_cycle(0.1, 40, pct_start=0.5, div_factor=10, final_div_factor=100)),
    ]
]

# A network with a regularizer and a constraint on each of its parameters and outputs.
x, y = torch.randn(10, 4), torch.randn(10, 2)
w1, b1, w2, b2 = (torch.randn(s) * 0.8 for s in [(4, 5), (5,), (5, 2), (2,)])
parameters = [p.clone().requires_grad_() for p in (w1, b1, w2, b2)]


def bound(w, least, most, rate):
    norm = torch.sqrt((w * w).sum(0, keepdim=True))
    wanted = rate * norm.clamp(least, most) + (1 - rate) * norm
    return w * (wanted / (1e-7 + norm))


def penalties(w1, b1, w2, b2, h, p):
    return (0.01 * w1.abs().sum() + 0.02 * (w1**2).sum() + 0.03 * (b1**2).sum() + 0.02 * w2.abs().sum()
            + (0.03 * h.abs().sum() + 0.01 * (p**2).sum()) / len(x))


losses, first = [], None
sgd = o.SGD(parameters, lr=0.05)
for _ in range(STEPS):
    w1_, b1_, w2_, b2_ = parameters
    h = torch.relu(x @ w1_ + b1_)
    p = h @ w2_ + b2_
    loss = ((p - y) ** 2).mean() + penalties(*parameters, h, p)
    losses.append(float("%.9g" % loss))
    sgd.zero_grad()
    loss.backward()
    first = first or [numbers(q.grad) for q in parameters]
    sgd.step()
    with torch.no_grad():
        w1_.copy_(bound(w1_, 0, 1.5, 1))
        b1_.copy_(b1_ * (b1_ >= 0))
        w2_.copy_(bound(w2_, 0.5, 1.2, 0.3))
        b2_.copy_(bound(b2_, 1, 1, 1))

print(json.dumps({
    "start": numbers(start), "gradients": [numbers(g) for g in gradients], "optimizers": optimizers, "schedules": schedules,
    "network": {
        "x": numbers(x), "y": numbers(y), "start": [numbers(p) for p in (w1, b1, w2, b2)], "gradients": first, "losses": losses,
        "end": [numbers(p) for p in parameters],
    },
}))
