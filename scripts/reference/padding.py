"""Reference numbers of the first convolution with each padding, by PyTorch in double precision.

    python -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python scripts/reference/padding.py > test/reference/padding.json

The image's features before the ReLU, and the gradient with respect to the image of their inner product with a cotangent. Numbers
come from a linear congruential generator and stand in the file, so that a test needs nothing else.
"""

import json

import torch
import torch.nn.functional as F

from tensors import tensors

torch.set_default_dtype(torch.float64)

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
HEIGHT, WIDTH, CHANNELS = 6, 7, 8
# Names of torch.nn.functional.pad by ours.
PADDINGS = {"zero": "constant", "replicate": "replicate", "reflect": "reflect"}

tensor = tensors(seed=1, decimals=4)


kernel = tensor((3, 3, 3, CHANNELS), -0.5, 0.5)
bias = tensor((CHANNELS,), -0.2, 0.2)
image = tensor((HEIGHT, WIDTH, 3), 0.1, 0.9)
cotangent = tensor((HEIGHT, WIDTH, CHANNELS), -1, 1)


def with_padding(mode):
    pixels = image.clone().requires_grad_()
    normalised = ((pixels - torch.tensor(MEAN)) / torch.tensor(STD)).permute(2, 0, 1)[None]
    padded = F.pad(normalised, (1, 1, 1, 1), mode=mode)
    features = F.conv2d(padded, kernel.permute(3, 2, 0, 1), bias)[0].permute(1, 2, 0)
    (features * cotangent).sum().backward()
    return {"features": features.flatten().tolist(), "gradient": pixels.grad.flatten().tolist()}


def rounded(value):
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    return [float(f"{number:.9g}") for number in value] if isinstance(value, list) else value


print(
    json.dumps(
        {
            "madeBy": f"scripts/reference/padding.py, PyTorch {torch.__version__.split('+')[0]}, float64",
            "mean": MEAN,
            "std": STD,
            "shape": [HEIGHT, WIDTH, CHANNELS],
            "kernel": kernel.flatten().tolist(),
            "bias": bias.tolist(),
            "image": image.flatten().tolist(),
            "cotangent": cotangent.flatten().tolist(),
            "paddings": {name: rounded(with_padding(mode)) for name, mode in PADDINGS.items()},
        },
        separators=(",", ":"),
    )
)
