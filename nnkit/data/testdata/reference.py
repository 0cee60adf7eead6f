"""Writes what NumPy, Python and PyTorch make of arrays, sounds and pictures, beside this script.

    apt-get install python3-numpy python3-torch
    /usr/bin/python3 testdata/reference.py

Made with NumPy 1.24.2, PyTorch 1.13.1 and Python 3.11.
"""
import json
import os
import struct
import wave

import numpy as np
import torch

here = os.path.dirname(os.path.abspath(__file__))


def place(name):
    return os.path.join(here, name)


def numbers(a):
    return [float("%.9g" % v) for v in np.asarray(a).flatten()]


# An array of each type holds the same numbers, as far as the type has them.
plain = np.array([[0, 1, 2], [3, 100, 127]])
arrays = {}
for kind in ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]:
    for order in "<>":
        arrays["C" + order + kind] = np.array(plain, dtype=order + kind)
        arrays["F" + order + kind] = np.array(plain, dtype=order + kind, order="F")
arrays["negative"] = np.array([-1, -128, 5], dtype="i1")
arrays["negative64"] = np.array([-1, -(2**40), 5], dtype=">i8")
arrays["half"] = np.array([0, -0.5, 6e-8, 65504, np.inf], dtype="f2")
arrays["bool"] = np.array([True, False, True])
arrays["scalar"] = np.array(7.5)
arrays["empty"] = np.zeros((0, 3))
arrays["cube"] = np.asfortranarray(np.arange(24).reshape(2, 3, 4))
np.savez_compressed(place("arrays.npz"), **arrays)
for version in [(1, 0), (2, 0), (3, 0)]:
    with open(place("version%d.npy" % version[0]), "wb") as f:
        np.lib.format.write_array(f, plain.astype("<f4"), version=version)
np.save(place("complex.npy"), np.array([1 + 2j]))
np.save(place("record.npy"), np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]))

# Sounds: two channels whose mean is 0, 1/4, -1/2 and just below 1.
left = [0.0, 0.5, -0.5, 1 - 2**-7]
right = [0.0, 0.0, -0.5, 1 - 2**-7]
for size in [1, 2, 3, 4]:
    with wave.open(place("pcm%d.wav" % (8 * size)), "wb") as f:
        f.setparams((2, size, 8000, 0, "NONE", ""))
        for pair in zip(left, right):
            for v in pair:
                n = int(v * 2 ** (8 * size - 1))
                f.writeframes((n + 128 if size == 1 else n).to_bytes(size, "little", signed=size > 1))
for size, code in [(4, "f"), (8, "d")]:
    data = b"".join(struct.pack("<2" + code, *pair) for pair in zip(left, right))
    # An odd chunk before, and the extensible form of the description.
    description = struct.pack("<HHIIHH", 0xFFFE, 2, 8000, 16000 * size, 2 * size, 8 * size)
    description += struct.pack("<HHI", 22, 8 * size, 3) + b"\x03\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    body = b"WAVE" + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    body += b"fmt " + struct.pack("<I", len(description)) + description + b"data" + struct.pack("<I", len(data)) + data
    with open(place("float%d.wav" % (8 * size)), "wb") as f:
        f.write(b"RIFF" + struct.pack("<I", len(body)) + body)

# Spectra.
rate, window, hop, bands, coefficients = 8000, 64, 32, 12, 5
rng = np.random.default_rng(1)
signal = np.float32(rng.normal(size=300) * 0.3).astype(float)
hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
steps = [signal[i : i + window] * hann for i in range(0, len(signal) - window + 1, hop)]
power = np.abs(np.fft.rfft(steps)) ** 2
mel = 2595 * np.log10(1 + rate / 2 / 700)
corners = 700 * (10 ** (np.linspace(0, mel, bands + 2) / 2595) - 1)
f = np.arange(window // 2 + 1) * rate / window
bank = []
for a, b, c in zip(corners, corners[1:], corners[2:]):
    triangle = np.maximum(0, np.minimum((f - a) / (b - a), (c - f) / (c - b)))
    if not triangle.any():
        triangle[int(np.round(b * window / rate))] = 1
    bank.append(triangle)
logmel = np.log(power @ np.array(bank).T + 1e-6)
n = np.arange(bands)
dct = np.array([np.cos(np.pi * k * (n + 0.5) / bands) * np.sqrt((1 if k == 0 else 2) / bands) for k in range(coefficients)])

# Pictures.
image = rng.integers(0, 256, size=(7, 9, 3))
planes = torch.tensor(image / 255).permute(2, 0, 1)[None]
resized = {}
for size in [(4, 5), (11, 13), (7, 20), (3, 9)]:
    r = torch.nn.functional.interpolate(planes, size=size, mode="bilinear", align_corners=False, antialias=True)
    resized["%dx%d" % size] = numbers(r[0].permute(1, 2, 0))

with open(place("reference.json"), "w") as out:
    json.dump(
        {
            "signal": numbers(signal),
            "spectrogram": numbers(np.log(power + 1e-6)),
            "mel": numbers(logmel),
            "mfcc": numbers(logmel @ dct.T),
            "image": image.flatten().tolist(),
            "resized": resized,
        },
        out,
    )
