"""Small ONNX files as PyTorch and TensorFlow write them, and what onnxruntime computes with them.

    python -m venv venv && venv/bin/pip install torch onnx onnxruntime numpy safetensors
    venv/bin/python scripts/reference/onnx_networks.py SHARED > test/reference/onnx-networks.json

Writes test/reference/onnx/*.onnx: the generators of pytorch/examples' fast neural style, CycleGAN and pix2pix with few channels
and random weights, exported by PyTorch; conditional networks with the arithmetic that tf2onnx and PyTorch write, and a predictor, made
node by node. SHARED is the folder with other people's networks; of these only numbers are kept, for small pictures. Their rounding of
feature maps to 8 bits is taken out first (`without_rounding`), because it is an approximation of the network. CartoonGAN,
which is no ONNX file, is written as one in memory, from its tensors.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

HERE = Path(__file__).resolve().parents[2] / "test/reference/onnx"
random = np.random.default_rng(18)
torch.manual_seed(18)


def picture(height, width):
    """[height, width, 3] in [0,1] with four decimals."""
    return np.round(random.uniform(0, 1, (height, width, 3)), 4).astype(np.float32)


def waves(size):
    """A picture by a formula, for sizes that would fill the file."""
    y, x, c = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    return (0.5 + 0.2 * np.sin(0.1 * x * (c + 1) + 0.05 * y) + 0.2 * np.sin(0.013 * x * y)).astype(np.float32)


def run(model, inputs):
    session = onnxruntime.InferenceSession(
        model if isinstance(model, str) else model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, inputs)[0]


def numbers(array):
    return [float(f"{value:.5f}") for value in np.asarray(array, dtype=np.float64).ravel()]


# --- As PyTorch writes them ---


class Convolution(nn.Sequential):
    """pytorch/examples: reflection, then a convolution."""

    def __init__(self, channels_in, channels_out, size, stride=1):
        super().__init__(nn.ReflectionPad2d(size // 2), nn.Conv2d(channels_in, channels_out, size, stride))


class Residual(nn.Module):
    def __init__(self, channels, affine=True):
        super().__init__()
        self.inner = nn.Sequential(
            Convolution(channels, channels, 3),
            nn.InstanceNorm2d(channels, affine=affine),
            nn.ReLU(),
            Convolution(channels, channels, 3),
            nn.InstanceNorm2d(channels, affine=affine),
        )

    def forward(self, x):
        return self.inner(x) + x


class Upsampled(nn.Module):
    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.convolution = Convolution(channels_in, channels_out, 3)

    def forward(self, x):
        return self.convolution(nn.functional.interpolate(x, mode="nearest", scale_factor=2))


def fast_neural_style(width=4):
    def block(convolution, channels):
        return [convolution, nn.InstanceNorm2d(channels, affine=True), nn.ReLU()]

    return nn.Sequential(
        *block(Convolution(3, width, 9), width),
        *block(Convolution(width, 2 * width, 3, 2), 2 * width),
        *block(Convolution(2 * width, 4 * width, 3, 2), 4 * width),
        Residual(4 * width),
        *block(Upsampled(4 * width, 2 * width), 2 * width),
        *block(Upsampled(2 * width, width), width),
        Convolution(width, 3, 9),
    )


def brightened(network):
    """The last convolution as if it were trained: values about the middle of 0 to 255."""
    last = network[-1][1]
    with torch.no_grad():
        last.weight.mul_(60)
        last.bias.fill_(128)
    return network


def cycle_gan(width=4):
    def block(convolution, channels):
        return [convolution, nn.InstanceNorm2d(channels), nn.ReLU()]

    return nn.Sequential(
        nn.ReflectionPad2d(3),
        *block(nn.Conv2d(3, width, 7), width),
        *block(nn.Conv2d(width, 2 * width, 3, 2, 1), 2 * width),
        *block(nn.Conv2d(2 * width, 4 * width, 3, 2, 1), 4 * width),
        Residual(4 * width, affine=False),
        *block(nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, output_padding=1), 2 * width),
        *block(nn.ConvTranspose2d(2 * width, width, 3, 2, 1, output_padding=1), width),
        nn.ReflectionPad2d(3),
        nn.Conv2d(width, 3, 7),
        nn.Tanh(),
    )


class UNet(nn.Module):
    """pix2pix: halvings by 4x4 kernels, and doublings that each also read the map of their size."""

    def __init__(self, width=4):
        super().__init__()
        self.down1 = nn.Conv2d(3, width, 4, 2, 1)
        self.down2 = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(width, 2 * width, 4, 2, 1), nn.BatchNorm2d(2 * width))
        self.down3 = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(2 * width, 4 * width, 4, 2, 1))
        self.up3 = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1), nn.BatchNorm2d(2 * width), nn.Dropout(0.5)
        )
        self.up2 = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(4 * width, width, 4, 2, 1), nn.BatchNorm2d(width))
        self.up1 = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * width, 3, 4, 2, 1), nn.Tanh())

    def forward(self, x):
        first = self.down1(x)
        second = self.down2(first)
        third = self.up3(self.down3(second))
        return self.up1(torch.cat([self.up2(torch.cat([third, second], 1)), first], 1))


def shake(network):
    """Norms that do something."""
    for module in network.modules():
        for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            if "running" in name or isinstance(module, (nn.InstanceNorm2d, nn.BatchNorm2d)) and tensor.ndim == 1:
                with torch.no_grad():
                    tensor.copy_(torch.rand_like(tensor) + 0.5)
    return network


def export(name, network, low, high, opset, sizes):
    file = HERE / f"{name}.onnx"
    shake(network).eval()
    example = torch.zeros(1, 3, 16, 16)
    axes = {2: "height", 3: "width"}
    torch.onnx.export(
        network,
        (example,),
        str(file),
        opset_version=opset,
        dynamo=False,
        input_names=["image"],
        output_names=["painted"],
        dynamic_axes={"image": axes, "painted": axes} if sizes == "any" else None,
    )
    image = picture(16, 16 if sizes == "fixed" else 20)
    given = (image * (high - low) + low).transpose(2, 0, 1)[None].astype(np.float32)
    output = run(str(file), {"image": given})[0].transpose(1, 2, 0)
    return {"image": numbers(image), "shape": image.shape, "output": numbers((output - low) / (high - low))}


# --- As tf2onnx writes them ---


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, array):
        array = np.asarray(array)
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array.astype(np.float32) if array.dtype == np.float64 else array, name))
        return name

    def op(self, kind, *inputs, **attributes):
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def quantised(self, array):
        """A kernel [out, ...] as 8-bit integers with a scale for each output channel."""
        scale = np.abs(array).reshape(len(array), -1).max(1) / 127
        stored = np.round(array / scale.reshape(-1, *[1] * (array.ndim - 1))).astype(np.int8)
        zeros = np.zeros(len(array), np.int8)
        return self.op("DequantizeLinear", self.constant(stored), self.constant(scale), self.constant(zeros), axis=0)

    def model(self, inputs, output, shape, opset=15):
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, extents) for name, extents in inputs.items()]
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "graph", values, [result], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def normal(*shape):
    return random.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape)


def conditional():
    """Of a picture [1, height, width, 3] and a vector of 5, with norms in TensorFlow's arithmetic."""
    graph = Graph()

    def convolution(x, channels_in, channels_out, stride=1):
        padded = graph.op("Pad", x, graph.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1])), mode="reflect")
        kernel = graph.quantised(normal(channels_out, channels_in, 3, 3))
        bias = graph.constant(normal(channels_out))
        return graph.op("Conv", padded, kernel, bias, strides=[stride, stride], kernel_shape=[3, 3])

    vector = graph.op("Reshape", "vector", graph.constant(np.array([1, 5, 1, 1])))

    def parameters(channels, about):
        bias = graph.constant(about + normal(channels))
        return graph.op("Conv", vector, graph.quantised(normal(channels, 5, 1, 1)), bias, kernel_shape=[1, 1])

    def norm(x, channels):
        shift, scale = parameters(channels, 0), parameters(channels, 1)
        mean = graph.op("GlobalAveragePool", x)
        difference = graph.op("Sub", x, graph.op("Reshape", mean, graph.constant(np.array([1, channels, 1, 1]))))
        variance = graph.op("GlobalAveragePool", graph.op("Mul", difference, difference))
        root = graph.op("Sqrt", graph.op("Add", variance, graph.constant(np.full((1, 1, 1, 1), 1e-3))))
        factor = graph.op("Mul", graph.op("Reciprocal", root), scale)
        return graph.op("Add", graph.op("Mul", x, factor), graph.op("Sub", shift, graph.op("Mul", mean, factor)))

    x = graph.op("Transpose", "image", perm=[0, 3, 1, 2])
    x = graph.op("Sub", graph.op("Mul", x, graph.constant(np.array(2.0))), graph.constant(np.full((1, 3, 1, 1), 0.9)))
    outer = graph.op("Relu", norm(convolution(x, 3, 4), 4))
    x = graph.op("Relu", norm(convolution(outer, 4, 6, 2), 6))
    x = graph.op("Add", norm(convolution(x, 6, 6), 6), x)
    scales = graph.constant(np.array([1, 1, 2, 2], np.float32))
    x = graph.op("Resize", x, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    x = graph.op("Concat", graph.op("Relu", norm(convolution(x, 6, 4), 4)), outer, axis=1)
    x = graph.op("Sigmoid", norm(convolution(x, 8, 3), 3))
    x = graph.op("Clip", x, graph.constant(np.float32(0)), graph.constant(np.float32(1)))
    output = graph.op("Transpose", x, perm=[0, 2, 3, 1])
    return graph.model({"image": [1, "height", "width", 3], "vector": [1, 1, 1, 5]}, output, [1, "height", "width", 3])


def blend():
    """Of a picture [1, 3, height, width] in 0 to 255 and the weights of 4 styles, as PyTorch writes modules of one's own."""
    graph = Graph()
    weights = graph.op("Unsqueeze", "weights", graph.constant(np.array([1])))

    def row(channels, about):
        rows = graph.op("Mul", weights, graph.constant(about + normal(4, channels)))
        total = graph.op("ReduceSum", rows, graph.constant(np.array([0])), keepdims=0)
        return graph.op("Reshape", total, graph.constant(np.array([1, -1, 1, 1])))

    def norm(x, channels):
        difference = graph.op("Sub", x, graph.op("ReduceMean", x, axes=[2, 3], keepdims=1))
        variance = graph.op("ReduceMean", graph.op("Pow", difference, graph.constant(2.0)), axes=[-2, -1], keepdims=1)
        root = graph.op("Sqrt", graph.op("Add", variance, graph.constant(1e-2)))
        return graph.op("Add", graph.op("Mul", graph.op("Div", difference, root), row(channels, 1)), row(channels, 0))

    def convolution(x, channels_in, channels_out, **attributes):
        kernel = graph.constant(normal(channels_out, channels_in, 3, 3))
        return graph.op("Conv", x, kernel, kernel_shape=[3, 3], **attributes)

    def doubled(x, of):
        shape = graph.op("Shape", of)
        sides = [graph.op("Gather", shape, graph.constant(np.array([axis])), axis=0) for axis in (0, 1)]
        twice = [
            graph.op("Mul", graph.op("Gather", graph.op("Shape", x), graph.constant(np.array([axis])), axis=0), graph.constant(np.array([2])))
            for axis in (2, 3)
        ]
        sizes = graph.op("Concat", sides[0], sides[1], *twice, axis=0)
        return graph.op("Resize", x, "", "", sizes, mode="nearest", coordinate_transformation_mode="half_pixel", nearest_mode="round_prefer_floor")

    x = graph.op("Div", graph.op("Sub", "image", graph.constant(np.array([123.0, 117, 104]).reshape(3, 1, 1))), graph.constant(58.0))
    around = graph.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1]))
    x = graph.op("LeakyRelu", norm(convolution(graph.op("Pad", x, around, mode="edge"), 3, 4), 4), alpha=0.1)
    outer = x
    half = convolution(x, 4, 4, strides=[2, 2], auto_pad="SAME_UPPER")
    pooled = graph.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = graph.op("Relu", graph.op("Add", norm(half, 4), pooled))
    x = graph.op("Concat", doubled(x, x), outer, axis=1)
    x = convolution(x, 8, 3, pads=[1, 1, 1, 1])
    x = graph.op("Add", graph.op("Mul", x, graph.constant(np.full((3, 1, 1), 25.0))), graph.constant(128.0))
    output = graph.op("Clip", x, graph.constant(np.float32(0)), graph.constant(np.float32(255)))
    return graph.model({"image": [1, 3, "height", "width"], "weights": [4]}, output, [1, 3, "height", "width"])


def predictor():
    """Of a picture [1, 16, 16, 3], to a vector of 5, as MobileNet is made."""
    graph = Graph()
    six = [graph.constant(np.float32(0)), graph.constant(np.float32(6))]

    def convolution(x, channels_in, channels_out, size, stride=1, group=1, gain=3):
        pads = [0, 0, 1, 1] if stride == 2 else [size // 2] * 4
        kernel = graph.quantised(gain * normal(channels_out, channels_in // group, size, size))
        return graph.op(
            "Conv", x, kernel, graph.constant(normal(channels_out)), strides=[stride] * 2, pads=pads, group=group, kernel_shape=[size] * 2
        )

    x = graph.op("Transpose", "image", perm=[0, 3, 1, 2])
    x = graph.op("Clip", convolution(x, 3, 6, 3, 2), *six)
    inner = graph.op("Clip", convolution(x, 6, 6, 3, 1, 6), *six)
    x = graph.op("Add", convolution(inner, 6, 6, 1), x)
    x = graph.op("Clip", convolution(x, 6, 6, 3, 2, 6), *six)
    x = graph.op("Reshape", graph.op("GlobalAveragePool", x), graph.constant(np.array([1, 6, 1, 1])))
    output = graph.op("Reshape", convolution(x, 6, 5, 1), graph.constant(np.array([1, 1, 1, 5])))
    return graph.model({"image": [1, 16, 16, 3]}, output, [1, 1, 1, 5])


def own_graphs():
    vector = np.round(random.normal(0, 1, 5), 4).astype(np.float32)
    image = picture(12, 16)
    style = picture(16, 16)
    weights = np.array([0.5, 0, 0.2, 0.3], np.float32)
    for name, model in [("conditional", conditional()), ("predictor", predictor()), ("blend", blend())]:
        onnx.checker.check_model(model)
        onnx.save(model, HERE / f"{name}.onnx")
    painted = run(str(HERE / "conditional.onnx"), {"image": image[None], "vector": vector.reshape(1, 1, 1, 5)})
    predicted = run(str(HERE / "predictor.onnx"), {"image": style[None]})
    blended = run(str(HERE / "blend.onnx"), {"image": 255 * image.transpose(2, 0, 1)[None], "weights": weights})
    return {
        "conditional": {"image": numbers(image), "shape": image.shape, "vector": numbers(vector), "output": numbers(painted)},
        "predictor": {"image": numbers(style), "shape": style.shape, "output": numbers(predicted)},
        "blend": {
            "image": numbers(image),
            "shape": image.shape,
            "weights": numbers(weights),
            "output": numbers(blended[0].transpose(1, 2, 0) / 255),
        },
    }


# --- Other people's ---


def without_rounding(model):
    """The graph with its feature maps as they are computed; 8-bit constants stay. Extents of pictures become free."""
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    same, kept = {}, []
    for node in graph.node:
        node.input[:] = [same.get(name, name) for name in node.input]
        rounds = node.op_type == "QuantizeLinear" or node.op_type == "DequantizeLinear" and node.input[0] not in constants
        if rounds:
            same[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    del graph.node[:], graph.value_info[:]
    graph.node.extend(kept)
    for output in graph.output:
        if output.name in same:
            kept.append(helper.make_node("Identity", [same[output.name]], [output.name]))
            graph.node.append(kept[-1])
    return model


def free_extents(model):
    for value in [*model.graph.input, *model.graph.output]:
        extents = value.type.tensor_type.shape.dim
        if extents[1].dim_value > 3:
            extents[1].dim_param, extents[2].dim_param = "height", "width"
    return model


def cartoon_gan(file):
    """The generator of Chen et al. 2018 from its tensors, as the layers of Yijunmaverick/CartoonGAN-Test-Pytorch-Torch."""
    from safetensors.numpy import load_file

    tensors = {name: array.astype(np.float32) for name, array in load_file(file).items()}
    graph = Graph()

    def convolution(x, name, size, stride=1, mirrored=False):
        pads = graph.constant(np.array([0, 0, size // 2, size // 2] * 2))
        if mirrored:
            x = graph.op("Pad", x, pads, mode="reflect")
        pads = [0 if mirrored else size // 2] * 4
        kernel, bias = (graph.constant(tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        return graph.op("Conv", x, kernel, bias, strides=[stride] * 2, pads=pads, kernel_shape=[size] * 2)

    def doubled(x, name):
        kernel, bias = (graph.constant(tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        return graph.op("ConvTranspose", x, kernel, bias, strides=[2, 2], pads=[1] * 4, output_padding=[1, 1], kernel_shape=[3, 3])

    def norm(x, name):
        scale, shift = (graph.constant(tensors[f"{name}.{part}"]) for part in ("scale", "shift"))
        return graph.op("InstanceNormalization", x, scale, shift, epsilon=1e-9)

    def relu(x):
        return graph.op("Relu", x)

    x = relu(norm(convolution("image", "conv01_1", 7, mirrored=True), "in01_1"))
    for name in ("02", "03"):
        x = relu(norm(convolution(convolution(x, f"conv{name}_1", 3, 2), f"conv{name}_2", 3), f"in{name}_1"))
    for i in range(4, 12):
        inner = relu(norm(convolution(x, f"conv{i:02}_1", 3, mirrored=True), f"in{i:02}_1"))
        x = graph.op("Add", norm(convolution(inner, f"conv{i:02}_2", 3, mirrored=True), f"in{i:02}_2"), x)
    for name, after in (("01", "in12_1"), ("02", "in13_1")):
        x = relu(norm(convolution(doubled(x, f"deconv{name}_1"), f"deconv{name}_2", 3), after))
    output = graph.op("Tanh", convolution(x, "deconv03_1", 7, mirrored=True))
    return graph.model({"image": [1, 3, "height", "width"]}, output, [1, 3, "height", "width"])


def others(shared):
    image = picture(20, 16)
    folder = shared / "magenta-arbitrary"
    predict, transform = (without_rounding(onnx.load(folder / f"arbitrary_{name}.onnx")) for name in ("predict", "transform"))
    predicted = run(predict, {"style_image": waves(256)[None]}).ravel()
    vector = {"mobilenet_conv/Conv/BiasAdd": predicted.reshape(1, 1, 1, 100)}
    painted = run(free_extents(transform), {"content_image": image[None], **vector})
    styles = np.zeros(26, np.float32)
    styles[3], styles[20] = 0.75, 0.25
    stylised = run(str(shared / "multistyle26/multistyle26.onnx"), {"image": image.transpose(2, 0, 1)[None], "style_weights": styles})
    # Blue first, black and white at -1 and 1.
    given = (2 * image[:, :, ::-1] - 1).transpose(2, 0, 1)[None]
    cartoon = run(cartoon_gan(str(shared / "cartoongan-hayao.safetensors")), {"image": given})[0].transpose(1, 2, 0)
    return {
        "image": numbers(image),
        "shape": image.shape,
        "cartoongan-hayao": {"output": numbers((cartoon[:, :, ::-1] + 1) / 2)},
        "magenta": {"vector": numbers(predicted), "output": numbers(painted)},
        "multistyle26": {"weights": numbers(styles), "output": numbers(stylised[0].transpose(1, 2, 0))},
    }


onnxruntime.set_default_logger_severity(3)
HERE.mkdir(exist_ok=True)
result = {
    "fast-neural-style": export("fast-neural-style", brightened(fast_neural_style()), 0, 255, 11, "any"),
    "cyclegan": export("cyclegan", cycle_gan(), -1, 1, 17, "any"),
    "pix2pix": export("pix2pix", UNet(), -1, 1, 14, "fixed"),
    **own_graphs(),
    "others": others(Path(sys.argv[1])),
}
print(json.dumps(result))
