"""The peer of the benchmarks: the same loss in PyTorch, as people write it.

bench/pytorch.ts starts it with a folder that holds scene.json (size, layers with their channels, content layer), content.f32 and style.f32
([size][size][3] in [0,1]) and a file of floats for each layer (kernel [3][3][in][out], then bias), and writes commands to its input, one a
line. Every answer is one line of JSON.

    evaluate contiguous|channels_last   seconds of one evaluation of loss and gradient, and the loss
    tutorial EVALUATIONS                seconds and last loss of the loop of PyTorch's tutorial on style transfer: L-BFGS without line search
"""
import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

folder = Path(sys.argv[1])
scene = json.loads((folder / "scene.json").read_text())
torch.set_num_threads(scene["threads"])
size = scene["size"]
mean = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)


def floats(name):
    return torch.frombuffer(bytearray((folder / name).read_bytes()), dtype=torch.float32)


def image(name):
    return floats(name).view(1, size, size, 3).permute(0, 3, 1, 2).contiguous()


def convolution(layer):
    values, count = floats(layer["name"] + ".f32"), 9 * layer["in"] * layer["out"]
    kernel = values[:count].view(3, 3, layer["in"], layer["out"]).permute(3, 2, 0, 1).contiguous()
    return kernel, values[count:].clone()


def gram(feature):
    _, c, h, w = feature.shape
    matrix = feature.reshape(c, h * w)
    return matrix @ matrix.t() / (c * h * w)


class Network:
    """The loss of the benchmark in one memory format: content MSE and Gram style before ReLUs, on the torchvision scale."""

    def __init__(self, memory_format):
        self.format = memory_format
        self.layers = [convolution(layer) for layer in scene["layers"]]
        self.layers = [(k.to(memory_format=memory_format), b / 57.63) for k, b in self.layers]
        with torch.no_grad():
            self.target = self.features(image("content.f32"))[scene["content"]]
            self.grams = {n: gram(f) for n, f in self.features(image("style.f32")).items() if n in scene["style"]}

    def features(self, x):
        x = ((x[:, [2, 1, 0]] * 255 - mean) / 57.63).to(memory_format=self.format)
        found = {}
        for layer, (kernel, bias) in zip(scene["layers"], self.layers):
            if layer["afterPool"]:
                x = F.max_pool2d(x, 2)
            x = F.conv2d(x, kernel, bias, padding=1)
            found[layer["name"]] = x
            x = F.relu(x)
        return found

    def loss(self, x):
        found = self.features(x)
        style = sum(F.mse_loss(gram(found[name]), wanted) for name, wanted in self.grams.items())
        return F.mse_loss(found[scene["content"]], self.target) + 1e6 * style


formats = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
networks = {}


def network(name):
    if name not in networks:
        networks[name] = Network(formats[name])
    return networks[name]


def evaluate(name):
    net, x = network(name), image("content.f32").requires_grad_(True)
    start = time.perf_counter()
    loss = net.loss(x)
    loss.backward()
    return {"seconds": time.perf_counter() - start, "loss": loss.item()}


def tutorial(evaluations):
    net, x = network("contiguous"), image("content.f32").requires_grad_(True)
    optimizer = torch.optim.LBFGS([x])
    count, last, start = 0, 0.0, time.perf_counter()

    def closure():
        nonlocal count, last
        with torch.no_grad():
            x.clamp_(0, 1)
        optimizer.zero_grad()
        loss = net.loss(x)
        loss.backward()
        count, last = count + 1, loss.item()
        return loss

    while count < evaluations:
        optimizer.step(closure)
    return {"seconds": time.perf_counter() - start, "loss": last, "evaluations": count}


commands = {"evaluate": evaluate, "tutorial": lambda count: tutorial(int(count))}
print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    command, argument = line.split()
    print(json.dumps(commands[command](argument)), flush=True)
