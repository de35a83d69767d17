"""Reference numbers of a tiny convolutional network, by PyTorch in double precision.

    python -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python scripts/reference/tiny_network.py > test/reference/tiny-network.json

Two blocks with the names of VGG-19's first layers, weights and images from a linear congruential generator; features, Gram
matrices, and losses with their gradients with respect to the image. The file holds weights and images too, so that a test needs
nothing else. Nothing here is shared with the library: convolutions are PyTorch's, gradients its autograd's, SSIM is written from
Wang et al. 2004.
"""

import json

import torch
import torch.nn.functional as F

from tensors import tensors

torch.set_default_dtype(torch.float64)

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
HEIGHT, WIDTH = 13, 14
CONVOLUTIONS = {"conv1_1": (3, 8), "conv1_2": (8, 8), "conv2_1": (8, 16)}
LAYERS = ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1", "relu2_1"]

tensor = tensors(seed=1, decimals=4)


weights = {}
for name, (channels_in, channels_out) in CONVOLUTIONS.items():
    bound = (6 / (9 * channels_in)) ** 0.5
    weights[f"{name}/kernel"] = tensor((3, 3, channels_in, channels_out), -bound, bound)
    weights[f"{name}/bias"] = tensor((channels_out,), -0.2, 0.2)

# Images [height, width, 3]; the style image has another size.
image = tensor((HEIGHT, WIDTH, 3), 0.1, 0.9)
content = tensor((HEIGHT, WIDTH, 3), 0.1, 0.9)
style = tensor((10, 17, 3), 0.1, 0.9)
mask = tensor((HEIGHT, WIDTH), 0, 1)


def features(pixels):
    """All layers at an image, as [channels, height, width]."""
    x = (pixels - torch.tensor(MEAN)) / torch.tensor(STD)
    x = x.permute(2, 0, 1)[None]
    found = {"image": pixels.permute(2, 0, 1)}
    for layer in LAYERS:
        if layer.startswith("conv"):
            kernel = weights[f"{layer}/kernel"].permute(3, 2, 0, 1)
            x = F.conv2d(x, kernel, weights[f"{layer}/bias"], padding=1)
        elif layer.startswith("relu"):
            x = F.relu(x)
        else:
            x = F.max_pool2d(x, 2)
        found[layer] = x[0]
    return found


def gram(feature, by="elements"):
    channels, height, width = feature.shape
    flat = feature.reshape(channels, -1)
    divisor = {"elements": channels * height * width, "positions": height * width}[by]
    return flat @ flat.T / divisor


def guided_gram(feature, region):
    """Gatys et al. 2017: sum T F F / sum T, divided by the channels as by elements."""
    channels = feature.shape[0]
    flat, t = feature.reshape(channels, -1), region.reshape(-1)
    return (flat * t) @ flat.T / t.sum() / channels


def pooled(region, size):
    x = region[None, None]
    while x.shape[2] > size[0]:
        x = F.avg_pool2d(x, 2)
    return x[0, 0]


def ssim(a, b, window):
    """Planes [n, height, width]; the mean over planes and windows."""
    if window == "gaussian":
        one = torch.exp(-((torch.arange(11.0) - 5) ** 2) / 4.5)
        factor = 1
    else:
        one, factor = torch.ones(7), 49 / 48
    one = one / one.sum()
    kernel = (one[:, None] * one[None, :])[None, None]
    mean = lambda x: F.conv2d(x[:, None], kernel)[:, 0]
    mu_a, mu_b = mean(a), mean(b)
    var_a, var_b = factor * (mean(a * a) - mu_a**2), factor * (mean(b * b) - mu_b**2)
    cov = factor * (mean(a * b) - mu_a * mu_b)
    c1, c2 = 0.01**2, 0.03**2
    return (((2 * mu_a * mu_b + c1) * (2 * cov + c2)) / ((mu_a**2 + mu_b**2 + c1) * (var_a + var_b + c2))).mean()


def luma(planes):
    return (planes * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0, keepdim=True)


CONTENT, STYLE = features(content), features(style)
STROKES = ["conv1_1", "relu1_2", "conv2_1"]


def variation(pixels, power):
    across, down = pixels[:, 1:] - pixels[:, :-1], pixels[1:] - pixels[:-1]
    return (across.abs() ** power).mean() + (down.abs() ** power).mean()


def within_mask(x):
    total = 0
    for layer in ["conv1_1", "conv2_1"]:
        region = pooled(mask, x[layer].shape[1:])
        total = total + ((guided_gram(x[layer], region) - gram(STYLE[layer])) ** 2).mean()
    return total


def within_halves(x):
    """The left and the right half, of the same style: a sum of two losses, each as strong as that of a whole image."""
    columns = torch.arange(image.shape[1])
    halves = [(columns < image.shape[1] // 2), (columns >= image.shape[1] // 2)]
    total = 0
    for half in halves:
        for layer in STROKES:
            region = pooled(half.to(image.dtype).expand(image.shape[:2]), x[layer].shape[1:])
            total = total + ((guided_gram(x[layer], region) - gram(STYLE[layer])) ** 2).mean()
    return total


def masked_content(x):
    region = pooled(mask, x["conv2_1"].shape[1:])
    difference = (x["conv2_1"] - CONTENT["conv2_1"]) ** 2
    return (difference.mean(0) * region).sum() / region.sum()


def style_loss(x, by, distance):
    difference = {"mse": torch.square, "l1": torch.abs}[distance]
    return sum(difference(gram(x[layer], by) - gram(STYLE[layer], by)).mean() for layer in STROKES)


LOSSES = {
    "content": lambda x: ((x["conv2_1"] - CONTENT["conv2_1"]) ** 2).mean(),
    "contentL1": lambda x: (x["conv1_2"] - CONTENT["conv1_2"]).abs().mean(),
    "styleByElements": lambda x: style_loss(x, "elements", "mse"),
    "styleByPositionsL1": lambda x: style_loss(x, "positions", "l1"),
    "variation": lambda x: variation(x["image"].permute(1, 2, 0), 2),
    "variationL1": lambda x: variation(x["image"].permute(1, 2, 0), 1),
    "ssimOfRgb": lambda x: ssim(x["image"], CONTENT["image"], "gaussian"),
    "ssimOfLuma": lambda x: ssim(luma(x["image"]), luma(CONTENT["image"]), "gaussian"),
    "ssimByUniformWindows": lambda x: ssim(x["image"], CONTENT["image"], "uniform"),
    "styleWithinMask": within_mask,
    "contentWithinMask": masked_content,
    "styleWithinHalves": within_halves,
}


def listed(x):
    return [float(f"{value:.8g}") for value in x.detach().reshape(-1).tolist()]


def evaluated(loss):
    at = image.clone().requires_grad_(True)
    value = loss(features(at))
    value.backward()
    return {"value": float(f"{value.item():.12g}"), "gradient": listed(at.grad)}


pictures = {"image": image, "content": content, "style": style, "mask": mask}
print(
    json.dumps(
        {
            "madeBy": f"scripts/reference/tiny_network.py, PyTorch {torch.__version__.split('+')[0]}, float64",
            "mean": MEAN,
            "std": STD,
            "weights": {name: {"shape": list(x.shape), "values": listed(x)} for name, x in weights.items()},
            "images": {name: {"shape": list(x.shape), "values": listed(x)} for name, x in pictures.items()},
            # [height, width, channels]
            "features": {layer: listed(features(image)[layer].permute(1, 2, 0)) for layer in [*STROKES, "pool1"]},
            "grams": {layer: listed(gram(features(image)[layer])) for layer in STROKES},
            "losses": {name: evaluated(loss) for name, loss in LOSSES.items()},
        },
        separators=(",", ":"),
    )
)
