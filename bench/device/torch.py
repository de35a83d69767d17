"""The peer of `npm run bench:device`: the same loss and gradient in PyTorch, on its GPU if it has one.

    torch.py FOLDER SIZES

FOLDER holds a file of floats for each layer (kernel [3][3][in][out], then bias) and content-SIZE.f32 and style-SIZE.f32 ([size][size][3] in [0,1]).
Prints a line of JSON for each size, precision and layout: milliseconds of an evaluation among ten, and the loss.
"""
import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

folder, sizes = Path(sys.argv[1]), [int(size) for size in sys.argv[2].split(",")]
device = "cuda" if torch.cuda.is_available() else "cpu"
name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
mean = torch.tensor([103.939, 116.779, 123.68], device=device).view(1, 3, 1, 1)
channels = [("conv1_1", 3, 64), ("conv1_2", 64, 64), ("conv2_1", 64, 128), ("conv2_2", 128, 128), ("conv3_1", 128, 256)]


def floats(file):
    return torch.frombuffer(bytearray((folder / file).read_bytes()), dtype=torch.float32)


def picture(file, size):
    return floats(file).view(1, size, size, 3).permute(0, 3, 1, 2).contiguous().to(device)


def convolution(layer, inputs, outputs):
    values, count = floats(layer + ".f32"), 9 * inputs * outputs
    kernel = values[:count].view(3, 3, inputs, outputs).permute(3, 2, 0, 1).contiguous()
    return kernel.to(device), (values[count:] / 57.63).to(device)


layers = [convolution(*layer) for layer in channels]


def features(x):
    x, found = (x[:, [2, 1, 0]] * 255 - mean) / 57.63, []
    for i, (kernel, bias) in enumerate(layers):
        if i in (2, 4):
            x = F.max_pool2d(x, 2)
        x = F.conv2d(x, kernel, bias, padding=1)
        found.append(x)
        x = F.relu(x)
    return found


def gram(feature):
    matrix = feature.flatten(2)[0]
    return matrix @ matrix.t() / matrix.numel()


def wait():
    if device == "cuda":
        torch.cuda.synchronize()


torch.backends.cudnn.benchmark = True
ways = [(False, False), (False, True), (True, True)] if device == "cuda" else [(False, False)]
for size in sizes:
    for tf32, last in ways:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        content, style = picture(f"content-{size}.f32", size), picture(f"style-{size}.f32", size)
        if last:
            content, style = [one.contiguous(memory_format=torch.channels_last) for one in (content, style)]
        with torch.no_grad():
            target, grams = features(content)[3], [gram(feature) for feature in features(style)]
        x = content.clone().requires_grad_()

        def evaluate():
            x.grad = None
            found = features(x)
            loss = F.mse_loss(found[3], target) + 1e6 * sum(F.mse_loss(gram(f), g) for f, g in zip(found, grams))
            loss.backward()
            return loss

        for _ in range(3 if device == "cuda" else 1):
            loss = evaluate().item()
        best, count = float("inf"), 10 if device == "cuda" else 1
        for _ in range(5 if device == "cuda" else 1):
            wait()
            start = time.perf_counter()
            for _ in range(count):
                evaluate()
            wait()
            best = min(best, (time.perf_counter() - start) / count)
        how = f"{'TF32' if tf32 else '32 bits'}, {'channels last' if last else 'channels first'}"
        print(json.dumps({"size": size, "device": name, "how": how, "ms": round(1000 * best, 3), "loss": loss}), flush=True)
