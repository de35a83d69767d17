"""Losses of two published programs at one image, by PyTorch in double precision.

    python -m venv venv && venv/bin/pip install torch numpy pillow
    venv/bin/python scripts/reference/presets.py ../shared/vgg19-uint8 > test/reference/presets.json

`neural_style`: jcjohnson/neural-style, neural_style.lua, in its own scale, pixels of 0 to 256 in BGR without their mean
and weights as published; then divided by U^2, U = 57.63. `crowsonkb`: crowsonkb/style-transfer-pytorch,
style_transfer/style_transfer.py, with the same weights on the scale of [0,1] images, which is that divided by U.
Roots of matrices are taken by eigenvalues. Weights are dequantised, uint8 * scale + min. Images are those of
test/reference.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

torch.set_default_dtype(torch.float64)

U = 57.63
MEAN = torch.tensor([103.939, 116.779, 123.68]).reshape(3, 1, 1)
STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
CONTENT = "relu4_2"
BLOCKS = [2, 2, 4, 4, 1]
FOLDER = Path(__file__).parents[2] / "test/reference"


def read_weights(folder):
    (group,) = json.loads((folder / "model.json").read_text())["weightsManifest"]
    # The dense layers' shards, the last ones, are not needed.
    paths = [folder / path for path in group["paths"] if (folder / path).exists()]
    data = b"".join(path.read_bytes() for path in paths)
    found, at = {}, 0
    for entry in group["weights"]:
        if not entry["name"].startswith("block"):
            break
        count, how = int(np.prod(entry["shape"])), entry["quantization"]
        raw = np.frombuffer(data, np.uint8, count, at).astype(np.float64)
        found[entry["name"]] = torch.tensor((raw * how["scale"] + how["min"]).reshape(entry["shape"]))
        at += count
    return found


weights = read_weights(Path(sys.argv[1]))


def image(name):
    pixels = np.asarray(Image.open(FOLDER / name).convert("RGB")).astype(np.float64) / 255
    return torch.tensor(pixels).permute(2, 0, 1)


def features(pixels, unit, levels, padding):
    """Layers at an RGB image [3, h, w] in [0,1]: activations of the network as published, divided by `unit`."""
    x = ((pixels.flip(0) * levels - MEAN) / unit)[None]
    found = {}
    for block, count in enumerate(BLOCKS, 1):
        for index in range(1, count + 1):
            name = f"block{block}_conv{index}"
            kernel = weights[f"{name}/kernel"].permute(3, 2, 0, 1)
            mode = padding if name == "block1_conv1" else "constant"
            x = F.relu(F.conv2d(F.pad(x, (1, 1, 1, 1), mode), kernel, weights[f"{name}/bias"] / unit))
            found[f"relu{block}_{index}"] = x[0]
        x = F.max_pool2d(x, 2)
    return found


def moments(feature):
    flat = feature.reshape(len(feature), -1)
    mean = flat.mean(1)
    return mean, flat @ flat.T / flat.shape[1] - torch.outer(mean, mean) + 1e-4 * torch.eye(len(feature))


def root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def wasserstein(feature, target):
    (mean, cov), (target_mean, target_cov) = moments(feature), moments(target)
    half = root(target_cov)
    spread = torch.diagonal(target_cov + cov).mean() - 2 * root(half @ cov @ half).trace() / len(mean)
    return ((mean - target_mean) ** 2).mean() + spread


def nine_points(x):
    x = F.pad(x[None], (1, 1, 1, 1), "replicate")[0]
    inner = x[:, 1:-1, 1:-1]
    d1 = (x[:, 1:-1, 2:] - inner).pow(2).mean() / 3
    d2 = (x[:, 2:, 1:-1] - inner).pow(2).mean() / 3
    d3 = (x[:, 1:, 1:] - x[:, :-1, :-1]).pow(2).mean() / 12
    d4 = (x[:, 1:, :-1] - x[:, :-1, 1:]).pow(2).mean() / 12
    return 2 * (d1 + d2 + d3 + d4)


x, content, style = image("image-96x64.png"), image("content-96x64.png"), image("style-80x72.png")


def crowsonkb():
    at, wanted, target = (features(pixels, U, 255, "replicate") for pixels in (x, content, style))
    shares = [256, 64, 16, 4, 1]
    layers = {layer: wasserstein(at[layer], target[layer]).item() for layer in STYLE}
    return {
        "content": 0.015 * F.mse_loss(at[CONTENT], wanted[CONTENT]).item(),
        "style": sum(share / sum(shares) * layers[layer] for share, layer in zip(shares, STYLE)),
        "layers": layers,
        "totalVariation": 2 * nine_points(x).item(),
    }


def gram(feature):
    flat = feature.reshape(len(feature), -1)
    return flat @ flat.T / feature.numel()


def neural_style():
    at, wanted, target = (features(pixels, 1, 256, "constant") for pixels in (x, content, style))
    # The lua program has no value of this term, only its gradient, which is that of half the sum of these squares.
    across, down = x[:, :-1, :-1] - x[:, :-1, 1:], x[:, :-1, :-1] - x[:, 1:, :-1]
    variation = (across.pow(2).sum() + down.pow(2).sum()) / 2
    return {
        "content": 5 * F.mse_loss(at[CONTENT], wanted[CONTENT]).item() / U**2,
        "style": 1e2 * sum(F.mse_loss(gram(at[layer]), gram(target[layer])).item() for layer in STYLE) / U**2,
        "totalVariation": 1e-3 * 256**2 * variation.item() / U**2,
    }


print(json.dumps({"crowsonkb": crowsonkb(), "neural-style": neural_style()}, indent=1))
