"""Reference numbers of statistics of style other than Gram matrices, by PyTorch in double precision.

    python -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python scripts/reference/statistics.py > test/reference/statistics.json

Feature maps [height, width, channels] from a linear congruential generator; values, and gradients with respect to the map by
PyTorch's autograd. Roots of matrices are taken by eigenvalues, patches are laid out one by one: nothing here is shared with the
library. The file holds the maps too.
"""

import json

import torch

from tensors import tensors

torch.set_default_dtype(torch.float64)

tensor = tensors(seed=7, decimals=4)


def feature(height, width, channels, low=-1.0, high=2.0, relu=True):
    x = tensor((height, width, channels), low, high)
    return x.clamp(min=0) if relu else x


def moments(x):
    flat = x.reshape(-1, x.shape[-1])
    mean = flat.mean(0)
    rest = flat - mean
    return mean, rest, rest.T @ rest / len(flat)


def mean_variance(x, target):
    (m, r, _), (mt, rt, _) = moments(x), moments(target)
    s, st = ((r**2).mean(0) + 1e-5).sqrt(), ((rt**2).mean(0) + 1e-5).sqrt()
    return ((m - mt) ** 2 + (s - st) ** 2).mean()


def root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def wasserstein(x, target):
    (m, _, s), (mt, _, st) = moments(x), moments(target)
    c = len(m)
    added = max(1e-4, 1e-6 * st.trace().item())
    s, st = s + added * torch.eye(c), st + added * torch.eye(c)
    half = root(st)
    return (((m - mt) ** 2).sum() + s.trace() + st.trace() - 2 * root(half @ s @ half).trace()) / c


def quantile(sorted_values, p):
    """The quantile function through (i + 1/2) / n, linear between and constant beyond."""
    n = len(sorted_values)
    at = (p * n - 0.5).clamp(0, n - 1)
    below = at.floor().long().clamp(max=max(n - 2, 0))
    share = at - below
    return sorted_values[below] * (1 - share) + sorted_values[(below + 1).clamp(max=n - 1)] * share


def histogram(x, target):
    flat, style = x.reshape(-1, x.shape[-1]), target.reshape(-1, x.shape[-1])
    kept = min(1024, len(style))
    grid = (torch.arange(kept) + 0.5) / kept
    total = 0
    for channel in range(flat.shape[1]):
        values, _ = flat[:, channel].sort()
        bins = quantile(style[:, channel].sort().values, grid)
        matched = quantile(bins, (torch.arange(len(values)) + 0.5) / len(values))
        total = total + ((values - matched.detach()) ** 2).sum()
    return total / flat.numel()


def patches(x):
    height, width, _ = x.shape
    return torch.stack([x[i : i + 3, j : j + 3].reshape(-1) for i in range(height - 2) for j in range(width - 2)])


def mrf(x, target):
    of_image, of_style = patches(x), patches(target)
    scores = of_image @ of_style.T / of_style.norm(dim=1)
    return ((of_image - of_style[scores.argmax(1)]) ** 2).mean()


def edge(x, target, pooling):
    def laplacian(image, side):
        height, width, _ = image.shape
        rows, columns = height // side, width // side
        grey = torch.zeros(rows, columns)
        for i in range(rows):
            for j in range(columns):
                window = image[i * side : (i + 1) * side, j * side : (j + 1) * side]
                grey[i, j] = window.mean((0, 1)).sum()
        middle = grey[1:-1, 1:-1]
        return 4 * middle - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]

    return sum(((laplacian(x, side) - laplacian(target, side)) ** 2).mean() for side in pooling)


def case(function, x, target, **options):
    x = x.clone().requires_grad_(True)
    value = function(x, target, **options)
    value.backward()
    return {
        "x": x.tolist(),
        "target": target.tolist(),
        "value": value.item(),
        "gradient": x.grad.tolist(),
        **options,
    }


cases = {
    "mean-variance": case(mean_variance, feature(5, 4, 6), feature(7, 3, 6)),
    "wasserstein": case(wasserstein, feature(5, 6, 6), feature(7, 5, 6)),
    # Fewer positions than channels: covariances of rank 5 and 8.
    "wasserstein of deficient rank": case(wasserstein, feature(2, 3, 12), feature(3, 3, 12)),
    "wasserstein at another scale": case(wasserstein, 30 * feature(5, 6, 6), 40 * feature(7, 5, 6)),
    # Without ReLU, so that no values are equal and the order is one.
    "histogram": case(histogram, feature(5, 4, 6, relu=False), feature(7, 3, 6, relu=False)),
    "mrf": case(mrf, feature(6, 5, 4), feature(5, 7, 4)),
    "edge": case(edge, feature(17, 14, 3, 0, 1), feature(17, 14, 3, 0, 1), pooling=[1, 4]),
}

print(json.dumps(cases))
