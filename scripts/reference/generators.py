"""Reference numbers of the operations of generators and of a small network, by PyTorch in double precision.

    python -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python scripts/reference/generators.py > test/reference/generators.json

Each case is a network as data, as src/features/generator-network.ts describes it, with an image, parameters, the image that the
network makes of it, and the gradient of the inner product of that image with a cotangent with respect to every parameter. Inputs
come from a linear congruential generator and stand in the file. Networks have no noise steps, whose numbers are the library's own.
"""

import json

import torch
import torch.nn.functional as F

from tensors import tensors

torch.set_default_dtype(torch.float64)

MODES = {"zero": "constant", "replicate": "replicate", "reflect": "reflect"}

tensor = tensors(seed=1, decimals=3)


def conv(name, channels, size=3, padding="reflect", bias=False, **more):
    step = {"op": "conv", "name": name, "channelsIn": channels[0], "channelsOut": channels[1], "size": size, "padding": padding}
    return {**step, "kernel": f"{name}/kernel", **({"bias": f"{name}/bias"} if bias else {}), **more}


def transposed(name, channels, size, pad, bias=False):
    step = {"op": "transposedConv", "name": name, "channelsIn": channels[0], "channelsOut": channels[1], "size": size, "pad": pad}
    return {**step, "kernel": f"{name}/kernel", **({"bias": f"{name}/bias"} if bias else {})}


def norm(name, channels, **more):
    return {"op": "instanceNorm", "name": name, "channels": channels, "scale": f"{name}/scale", "shift": f"{name}/shift", **more}


def shapes(step):
    if step["op"] == "instanceNorm":
        return {step["scale"]: (step["channels"],), step["shift"]: (step["channels"],)}
    if "kernel" not in step:
        return {}
    kernel = (step["size"], step["size"], step["channelsIn"], step["channelsOut"])
    return {step["kernel"]: kernel, **({step["bias"]: (step["channelsOut"],)} if "bias" in step else {})}


def apply(step, x, outputs, weights):
    op = step["op"]
    if op == "conv":
        before, behind = step.get("pads", [(step["size"] - 1) // 2] * 2)
        if before or behind:
            x = F.pad(x, (before, behind, before, behind), mode=MODES[step["padding"]])
        bias = weights[step["bias"]] if "bias" in step else None
        return F.conv2d(x, weights[step["kernel"]].permute(3, 2, 0, 1), bias, stride=step.get("stride", 1))
    if op == "transposedConv":
        bias = weights[step["bias"]] if "bias" in step else None
        y = F.conv_transpose2d(x, weights[step["kernel"]].permute(2, 3, 0, 1), bias, stride=2)
        height, width, pad = 2 * x.shape[2], 2 * x.shape[3], step["pad"]
        return y[:, :, pad : pad + height, pad : pad + width]
    if op == "instanceNorm":
        return F.instance_norm(x, weight=weights[step["scale"]], bias=weights[step["shift"]], eps=step.get("epsilon", 1e-5))
    if op == "add":
        return x + outputs[step["with"]]
    if op == "concat":
        return torch.cat([x, outputs[step["with"]]], 1)
    if op == "upsample":
        return F.interpolate(x, scale_factor=2, mode="nearest")
    if op == "averagePool":
        return F.avg_pool2d(x, step["factor"])
    if op == "leakyRelu":
        return F.leaky_relu(x, step.get("slope", 0.01))
    return {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}[op](x)


def affine(scale, offset):
    return {"scale": scale, "offset": offset}


def case(name, steps, size=(8, 12), input=affine([2, 2, 2], [-1, -1, -1]), output=affine([1, 1, 1], [0, 0, 0])):
    weights = {}
    for step in steps:
        for tensor_name, shape in shapes(step).items():
            low = 0.5 if tensor_name.endswith("scale") else -0.4
            weights.setdefault(tensor_name, tensor(shape, low, low + 1).requires_grad_())
    image = tensor((*size, 3), 0.05, 0.95)
    cotangent = tensor((*size, 3), -1, 1)
    x = (image * torch.tensor(input["scale"]) + torch.tensor(input["offset"])).permute(2, 0, 1)[None]
    outputs = {"input": x}
    for step in steps:
        x = apply(step, outputs[step["from"]] if "from" in step else x, outputs, weights)
        outputs[step["name"]] = x
    made = (x[0].permute(1, 2, 0) * torch.tensor(output["scale"]) + torch.tensor(output["offset"])).clamp(0, 1)
    (made * cotangent).sum().backward()
    return {
        "network": {"name": name, "input": input, "steps": steps, "output": output},
        "weights": {key: {"shape": list(value.shape), "values": value.flatten().tolist()} for key, value in weights.items()},
        "size": list(size),
        "image": image.flatten().tolist(),
        "cotangent": cotangent.flatten().tolist(),
        "output": rounded(made.flatten().tolist()),
        "gradients": {
            key: rounded((torch.zeros_like(value) if value.grad is None else value.grad).flatten().tolist())
            for key, value in weights.items()
        },
    }


def rounded(numbers):
    return [float(f"{number:.7g}") for number in numbers]


SIGMOID = {"op": "sigmoid", "name": "end"}
UP = {"op": "upsample", "name": "up"}


def residual_network():
    """Johnson's, of width 2 with one block and skips."""
    steps = []

    def block(name, channels, size=3, relu=True, **more):
        steps.extend([conv(f"{name}/conv", channels, size, **more), norm(f"{name}/norm", channels[1])])
        steps.append({"op": "relu", "name": name}) if relu else steps[-1].update(name=name)

    block("enter", (3, 2), 9)
    block("down1", (2, 4), stride=2)
    block("down2", (4, 8), stride=2)
    block("a", (8, 8))
    block("b", (8, 8), relu=False)
    steps.append({"op": "add", "name": "residual", "with": "down2"})
    for name, channels, skip in [("up1", (8, 4), "down1"), ("up2", (4, 2), "enter")]:
        steps.append({"op": "upsample", "name": f"{name}/upsample"})
        block(name, channels)
        steps.append({"op": "add", "name": f"{name}/skip", "with": skip})
    return [*steps, conv("leave", (2, 3), 9, bias=True), SIGMOID]


def cases():
    for padding in MODES:
        yield case(f"3x3, {padding}", [conv("a", (3, 4), padding=padding, bias=True), conv("b", (4, 3)), SIGMOID])
        yield case(f"9x9, {padding}", [conv("a", (3, 3), 9, padding), SIGMOID])
        down = conv("a", (3, 5), padding=padding, stride=2)
        yield case(f"stride 2, {padding}", [down, UP, conv("b", (5, 3)), SIGMOID])
    yield case("stride 2, padded behind", [conv("a", (3, 4), padding="zero", stride=2, pads=[0, 1]), UP, conv("b", (4, 3)), SIGMOID])
    yield case("9x9, stride 1, padded more before", [conv("a", (3, 3), 9, "replicate", pads=[5, 3]), SIGMOID])
    yield case("1x1", [conv("a", (3, 6), 1, "zero", bias=True), conv("b", (6, 3), 1, "zero"), SIGMOID])
    for size, pad in [(3, 0), (3, 1), (4, 1), (2, 0)]:
        up = transposed("b", (4, 3), size, pad, bias=pad == 0)
        yield case(f"transposed {size}x{size}, pad {pad}", [conv("a", (3, 4), stride=2), up, SIGMOID])
    yield case("instance norm", [conv("a", (3, 4)), norm("n", 4), conv("b", (4, 3)), norm("m", 3, epsilon=1e-3), SIGMOID])
    for op in ["relu", "leakyRelu", "tanh", "sigmoid"]:
        yield case(op, [conv("a", (3, 4), bias=True), {"op": op, "name": "f"}, conv("b", (4, 3)), SIGMOID])
    slope = {"op": "leakyRelu", "name": "f", "slope": 0.2}
    yield case("leakyRelu of slope 0.2", [conv("a", (3, 3), bias=True), slope, SIGMOID])
    yield case(
        "sum and concatenation",
        [
            conv("a", (3, 4)),
            conv("b", (4, 4)),
            {"op": "add", "name": "sum", "with": "a"},
            conv("c", (3, 2), **{"from": "input"}),
            {"op": "concat", "name": "both", "with": "sum"},
            conv("d", (6, 3)),
            SIGMOID,
        ],
    )
    yield case("a step added to itself", [conv("a", (3, 3)), {"op": "add", "name": "twice", "with": "a"}, SIGMOID])
    yield case("one kernel for two steps", [conv("a", (3, 3)), conv("b", (3, 3), kernel="a/kernel"), SIGMOID])
    for ups in [1, 2]:
        pool = {"op": "averagePool", "name": "pool", "factor": 2**ups}
        up = [{"op": "upsample", "name": f"up{i}"} for i in range(ups)]
        yield case(f"mean of {2**ups}x{2**ups}", [conv("a", (3, 4)), pool, *up, conv("b", (4, 3)), SIGMOID])
    yield case("residual network", residual_network(), size=(12, 16))
    yield case(
        "clipped, with scales and offsets by channel",
        [conv("a", (3, 3), bias=True), {"op": "tanh", "name": "f"}],
        input=affine([2, 4, 1], [-1, -2, 0.5]),
        output=affine([0.7, 0.8, 0.6], [0.5, 0.4, 0.6]),
    )


print(
    json.dumps(
        {
            "madeBy": f"scripts/reference/generators.py, PyTorch {torch.__version__.split('+')[0]}, float64",
            "cases": list(cases()),
        },
        separators=(",", ":"),
    )
)
