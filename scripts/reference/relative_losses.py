"""Reference numbers of relative losses, by PyTorch in double precision.

    python -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python scripts/reference/relative_losses.py > test/reference/relative-losses.json

Of one feature map [height, width, channels]: |G - A| / |A| of Gram matrices in the Frobenius norm, its square, and mean((F - P)^2) divided by the
mean over channels of the target's variance over positions; with their gradients with respect to the map. Numbers come from a linear
congruential generator and stand in the file, so that a test needs nothing else.
"""

import json

import torch

from tensors import tensors

torch.set_default_dtype(torch.float64)

HEIGHT, WIDTH, CHANNELS = 5, 4, 8

tensor = tensors(seed=1, decimals=4)


feature = tensor((HEIGHT, WIDTH, CHANNELS), -1, 2)
content = tensor((HEIGHT, WIDTH, CHANNELS), -1, 2)
# The style's map has another size.
style = tensor((3, 7, CHANNELS), -1, 2)


def gram(feature):
    flat = feature.reshape(-1, CHANNELS)
    return flat.T @ flat / flat.numel()


def with_gradient(loss):
    at = feature.clone().requires_grad_()
    value = loss(at)
    value.backward()
    return {"value": rounded(value.item()), "gradient": [rounded(one) for one in at.grad.flatten().tolist()]}


def rounded(number):
    return float(f"{number:.9g}")


target = gram(style)
spread = content.reshape(-1, CHANNELS).var(dim=0, unbiased=False).mean()

print(
    json.dumps(
        {
            "madeBy": f"scripts/reference/relative_losses.py, PyTorch {torch.__version__.split('+')[0]}, float64",
            "shape": [HEIGHT, WIDTH, CHANNELS],
            "feature": feature.flatten().tolist(),
            "content": content.flatten().tolist(),
            "styleShape": list(style.shape),
            "style": style.flatten().tolist(),
            "styleLoss": with_gradient(lambda at: torch.linalg.norm(gram(at) - target) / torch.linalg.norm(target)),
            "squaredStyleLoss": with_gradient(lambda at: ((gram(at) - target) ** 2).mean() / (target**2).mean()),
            "contentLoss": with_gradient(lambda at: ((at - content) ** 2).mean() / spread),
        },
        separators=(",", ":"),
    )
)
