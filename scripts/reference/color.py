"""Numbers of colour transfer by NumPy, SciPy and scikit-image, for test/color/reference.test.ts.

    python -m venv venv && venv/bin/pip install numpy scipy scikit-image
    venv/bin/python scripts/reference/color.py

Writes test/reference/color.json. Every method is written from its paper, with
library functions where there are some: scipy.linalg.sqrtm, scipy.spatial.transform.Rotation, numpy.unique and interp.
Results are before clipping to [0,1].
"""
import json
from pathlib import Path

import numpy as np
from scipy.linalg import sqrtm
from scipy.spatial.transform import Rotation
from skimage import color, io

folder = Path(__file__).resolve().parents[2] / "test" / "reference"


def picture(name):
    # Rounded to float32, as the library's images are: a histogram's map has steps, so that last digits can be seen.
    return (io.imread(folder / name)[..., :3] / 255).astype(np.float32).astype(np.float64)


def linear(v):
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def encoded(v):
    return np.where(v <= 0.0031308, 12.92 * v, 1.055 * np.maximum(v, 0.0031308) ** (1 / 2.4) - 0.055)


def mean(image, reference):
    """Reinhard et al. 2001: mean and deviation in l-alpha-beta; log10 of the response plus the lowest 8-bit level."""
    lms = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
    decorrelate = np.diag(np.array([3.0, 6.0, 2.0]) ** -0.5) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])
    least = 1 / 255 / 12.92

    def to(rgb):
        return np.log10(linear(rgb) @ lms.T + least) @ decorrelate.T

    a, b = to(image), to(reference)
    moved = (a - a.mean((0, 1))) * b.std((0, 1)) / a.std((0, 1)) + b.mean((0, 1))
    return encoded((10 ** (moved @ np.linalg.inv(decorrelate).T) - least) @ np.linalg.inv(lms).T)


def covariance(image, reference):
    """Pitie & Kokaram 2007: the Monge-Kantorovich map of two Gaussians."""
    a, b = image.reshape(-1, 3), reference.reshape(-1, 3)
    s, r = np.cov(a.T, bias=True), np.cov(b.T, bias=True)
    root = sqrtm(s).real
    back = np.linalg.inv(root)
    return ((a - a.mean(0)) @ (back @ sqrtm(root @ r @ root).real @ back) + b.mean(0)).reshape(image.shape)


def histogram(image, reference):
    """Pitie, Kokaram, Dahyot 2005 in 32 frames by super-Fibonacci spirals (Alexa 2022) and RGB."""
    n, phi, psi = 32, np.sqrt(2), 1.533751168755204288118041
    s = np.arange(n) + 0.5
    r, q = np.sqrt(s / n), np.sqrt(1 - s / n)
    alpha, beta = 2 * np.pi * s / phi, 2 * np.pi * s / psi
    spiral = np.stack([r * np.sin(alpha), r * np.cos(alpha), q * np.sin(beta), q * np.cos(beta)], 1)
    points, target = image.reshape(-1, 3), reference.reshape(-1, 3)

    def levels(values):
        distinct, places, counts = np.unique(values, return_inverse=True, return_counts=True)
        return distinct, places, (np.cumsum(counts) - counts / 2) / values.size

    def rotate(colors, matrix):
        # Not @, whose blocks may give equal colours different last digits, which would end as different colours.
        return np.stack([sum(row[k] * colors[:, k] for k in range(3)) for row in matrix], 1)

    def match(x, y):
        _, places, own = levels(x)
        values, _, theirs = levels(y)
        return np.interp(own, theirs, values)[places]

    for frame in [*Rotation.from_quat(spiral).as_matrix(), np.eye(3)]:
        x, y = rotate(points, frame), rotate(target, frame)
        points = rotate(np.stack([match(x[:, k], y[:, k]) for k in range(3)], 1), frame.T)
    return points.reshape(image.shape)


def luminance(image, reference):
    """L of the image, a and b of the reference, by scikit-image; where sRGB has no such colour, nearer to grey."""
    lab = color.rgb2lab(reference)
    lab[..., 0] = color.rgb2lab(image)[..., 0]
    xyz = color.lab2xyz(lab)
    rgb = xyz @ np.linalg.inv(color.colorconv.xyz_from_rgb).T
    light = (linear(image) @ color.colorconv.xyz_from_rgb[1])[..., None]
    chroma = rgb - light
    room = np.where(chroma > 0, 1 - light, light) / np.maximum(np.abs(chroma), 1e-12)
    return encoded(light + chroma * np.minimum(1, room.min(-1, keepdims=True)))


pairs = {
    "style_to_content": ("style-80x72.png", "content-96x64.png", [mean, covariance, histogram]),
    "content_to_style": ("content-96x64.png", "style-80x72.png", [mean, covariance, histogram]),
    "image_with_chroma_of_content": ("image-96x64.png", "content-96x64.png", [luminance]),
    "content_with_chroma_of_image": ("content-96x64.png", "image-96x64.png", [luminance]),
}

results = {}
for name, (first, second, methods) in pairs.items():
    image, reference = picture(first), picture(second)
    at = np.arange(0, image.size, 149)
    values = {method.__name__: method(image, reference).ravel()[at].round(6).tolist() for method in methods}
    results[name] = {"image": first, "reference": second, "at": at.tolist(), **values}

(folder / "color.json").write_text(json.dumps(results) + "\n")
