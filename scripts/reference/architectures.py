"""Reference numbers of whole generators, by PyTorch in double precision.

    python -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python scripts/reference/architectures.py > test/reference/architectures.json

The networks of src/generators/architectures, written once more from their papers' descriptions instead of from their steps: Ulyanov's
texture network with noise, Dumoulin's network of several styles at a blend of them, and Ghiasi's with its predictor. Weights are named
as there. The style image of the predictor is a formula, which the test repeats.
"""

import json

import torch
import torch.nn.functional as F

from tensors import tensors

torch.set_default_dtype(torch.float64)

numbers = tensors(seed=7, decimals=3)


class Weights(dict):
    """Tensors by name, made when first asked for."""

    def get(self, name, shape, low=-0.4, high=0.6):
        if name not in self:
            self[name] = numbers(shape, low, high).requires_grad_()
        return self[name]


def convolution(w, name, x, channels_out, size, padding, stride=1, bias=False):
    bound = (3 / (size * size * x.shape[1])) ** 0.5
    kernel = w.get(f"{name}/kernel", (size, size, x.shape[1], channels_out), -bound, bound)
    at = (size - 1) // 2
    if at:
        x = F.pad(x, (at, at, at, at), mode={"reflect": "reflect", "zero": "constant"}[padding])
    return F.conv2d(x, kernel.permute(3, 2, 0, 1), w.get(f"{name}/bias", (channels_out,)) if bias else None, stride=stride)


def normal(w, name, x, style=None):
    """Instance norm; with a style, the scale and shift of which are linear in its vector (Dumoulin, Ghiasi)."""
    channels = x.shape[1]
    if style is None:
        scale, shift = w.get(f"{name}/scale", (channels,), 0.5, 1.5), w.get(f"{name}/shift", (channels,))
    else:
        base = [w.get(f"{name}/{part}", (channels,), low, low + 0.4) for part, low in [("scale", 0.6), ("shift", -0.2)]]
        slopes = [w.get(f"{name}/{part}/slopes", (len(style), channels), -0.4, 0.4) for part in ("scale", "shift")]
        scale, shift = (value + style @ slope for value, slope in zip(base, slopes))
    return F.instance_norm(x, weight=scale, bias=shift, eps=1e-5)


def transformer(w, x, width, blocks, style):
    """Johnson's residual network with reflection, nearest enlargement and skips."""

    def block(name, x, channels, size=3, stride=1, relu=True):
        x = normal(w, name, convolution(w, name, x, channels, size, "reflect", stride), style)
        return torch.relu(x) if relu else x

    enter = block("enter", x, width, 9)
    down1 = block("down1", enter, 2 * width, stride=2)
    x = down2 = block("down2", down1, 4 * width, stride=2)
    for i in range(1, blocks + 1):
        x = x + block(f"residual{i}/b", block(f"residual{i}/a", x, 4 * width), 4 * width, relu=False)
    x = block("up1", F.interpolate(x, scale_factor=2, mode="nearest"), 2 * width) + down1
    x = block("up2", F.interpolate(x, scale_factor=2, mode="nearest"), width) + enter
    return torch.sigmoid(convolution(w, "leave", x, 3, 9, "reflect", bias=True))


def hashed(x):
    x &= 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return x ^ (x >> 16)


def noise(seed, step, height, width, channels):
    """The numbers of src/features/generator-noise.ts."""
    key = hashed(hashed(seed) + step + 1)
    values = [(hashed(i ^ key) >> 8) / 2**24 for i in range(height * width * channels)]
    return torch.tensor(values).reshape(height, width, channels).permute(2, 0, 1)[None]


def texture_net(w, photo, width, scales, noise_channels, seed):
    """Ulyanov's: photograph and noise at each scale, joined from the coarsest to the finest."""
    step = 0

    def convolutions(name, x, channels):
        nonlocal step
        for part, size in [(f"{name}/a", 3), (f"{name}/b", 3), (name, 1)]:
            x = F.leaky_relu(normal(w, part, convolution(w, part, x, channels, size, "zero")), 0.01)
            step += 3
        return x

    coarser = None
    for k in reversed(range(scales)):
        scaled = F.avg_pool2d(photo, 2**k) if k else photo
        step += 1 if k else 0
        with_noise = torch.cat([scaled, noise(seed, step, *scaled.shape[2:], noise_channels)], 1)
        step += 2
        x = convolutions(f"enter{k}", with_noise, width)
        if coarser is not None:
            low = normal(w, f"low{k}", F.interpolate(coarser, scale_factor=2, mode="nearest"))
            x = torch.cat([low, normal(w, f"skip{k}", x)], 1)
            step += 4
            x = convolutions(f"join{k}", x, x.shape[1])
        coarser = x
    return torch.sigmoid(convolution(w, "leave", coarser, 3, 1, "zero", bias=True))


def predicted(w, x, width, length):
    """The predictor: four halvings, the mean over all positions, and a linear layer."""
    for i in range(4):
        x = torch.relu(convolution(w, f"predictor/conv{i + 1}", x, width * 2**i, 3, "zero", 2, bias=True))
    return convolution(w, "predictor/vector", x.mean((2, 3), keepdim=True), length, 1, "zero", bias=True).flatten()


def to_map(image, scale, offset):
    return (image * scale + offset).permute(2, 0, 1)[None]


def result(name, options, image, made, w, **more):
    return {
        "name": name,
        "options": options,
        "size": list(image.shape[:2]),
        "image": image.flatten().tolist(),
        "output": rounded(made[0].permute(1, 2, 0)),
        "weights": {key: {"shape": list(value.shape), "values": value.flatten().tolist()} for key, value in w.items()},
        **more,
    }


def rounded(values):
    return [float(f"{number:.7g}") for number in values.flatten().tolist()]


def texture_case():
    w, image = Weights(), numbers((12, 16, 3), 0.05, 0.95)
    cotangent = numbers((12, 16, 3), -1, 1)
    made = texture_net(w, to_map(image, 2, -1), 2, 3, 2, seed=5)
    (made[0].permute(1, 2, 0) * cotangent).sum().backward()
    gradients = {key: rounded(value.grad) for key, value in w.items()}
    options = {"width": 2, "scales": 3, "noise": 2}
    return result("textureNet", options, image, made, w, seed=5, cotangent=cotangent.flatten().tolist(), gradients=gradients)


def multi_case():
    w, image = Weights(), numbers((12, 16, 3), 0.05, 0.95)
    blend = [0.25, 0, 0.75]
    made = transformer(w, to_map(image, 1 / 0.225, -2), 2, 1, torch.tensor(blend, dtype=torch.float64))
    options = {"width": 2, "blocks": 1, "skip": True, "styles": ["a", "b", "c"]}
    return result("multiStyle", options, image, made, w, styleWeights={"a": 1, "c": 3})


def arbitrary_case():
    w, image = Weights(), numbers((12, 16, 3), 0.05, 0.95)
    y, x, c = torch.meshgrid(torch.arange(256), torch.arange(256), torch.arange(3), indexing="ij")
    style = ((7 * x + 13 * y + 29 * c + x * y // 64) % 64) / 63
    vector = predicted(w, to_map(style, 1 / 0.225, -2), 2, 4)
    made = transformer(w, to_map(image, 1 / 0.225, -2), 2, 1, vector)
    options = {"width": 2, "blocks": 1, "skip": True, "vectorLength": 4, "predictorWidth": 2}
    return result("arbitrary", options, image, made, w, vector=rounded(vector))


print(
    json.dumps(
        {
            "madeBy": f"scripts/reference/architectures.py, PyTorch {torch.__version__.split('+')[0]}, float64",
            "cases": {"textureNet": texture_case(), "multiStyle": multi_case(), "arbitrary": arbitrary_case()},
        },
        separators=(",", ":"),
    )
)
