"""The peer of the benchmarks of generators: the same network in ONNX Runtime on the processor.

bench/onnx-peer.ts starts it with a folder that holds network.json (a GeneratorNetwork, the places of its parameters, threads) and
parameters.f32, and writes one line a command to its input. Every answer is one line of JSON.

    run SIZE        seconds of one image SIZE x SIZE, read from image.f32 of the folder and written to painted.f32
"""
import json
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

folder = Path(sys.argv[1])
description = json.loads((folder / "network.json").read_text())
network, threads = description["network"], description["threads"]
values = np.fromfile(folder / "parameters.f32", dtype=np.float32)
parameters = {p["name"]: values[p["offset"]:p["offset"] + int(np.prod(p["shape"]))].reshape(p["shape"]) for p in description["parameters"]}


def model():
    nodes, constants = [], []

    def constant(name, array):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def convert(read, conversion, prefix):
        scale, offset = (constant(f"{prefix}.{key}", np.float32(conversion[key]).reshape(1, 3, 1, 1)) for key in ("scale", "offset"))
        return node("Add", [node("Mul", [read, scale], f"{prefix}.scaled"), offset], f"{prefix}.shifted")

    last = convert("image", network["input"], "convert-input")
    outputs = {"input": last}
    for step in network["steps"]:
        name, op = step["name"], step["op"]
        read = outputs[step["from"]] if "from" in step else last
        if op == "conv":
            before, behind = step.get("pads", [(step["size"] - 1) // 2] * 2)
            if step["padding"] != "zero" and before + behind > 0:
                mode = {"reflect": "reflect", "replicate": "edge"}[step["padding"]]
                pads = constant(name + ".pads", np.int64([0, 0, before, before, 0, 0, behind, behind]))
                read, before, behind = node("Pad", [read, pads], name + ".padded", mode=mode), 0, 0
            inputs = [read, constant(name + ".kernel", parameters[step["kernel"]].transpose(3, 2, 0, 1))]
            if "bias" in step:
                inputs.append(constant(name + ".bias", parameters[step["bias"]]))
            stride = step.get("stride", 1)
            last = node("Conv", inputs, name, pads=[before, before, behind, behind], strides=[stride, stride])
        elif op == "instanceNorm":
            tensors = [constant(f"{name}.{key}", parameters[step[key]]) for key in ("scale", "shift")]
            last = node("InstanceNormalization", [read, *tensors], name, epsilon=step.get("epsilon", 1e-5))
        elif op in ("relu", "sigmoid", "tanh"):
            last = node(op.capitalize(), [read], name)
        elif op == "add":
            last = node("Add", [read, outputs[step["with"]]], name)
        elif op == "upsample":
            scales = constant(name + ".scales", np.float32([1, 1, 2, 2]))
            last = node("Resize", [read, "", scales], name, mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")
        else:
            raise ValueError(f"no {op} here")
        outputs[name] = last
    shown = convert(last, network["output"], "convert-output")
    bounds = [constant("least", np.float32(0)), constant("most", np.float32(1))]
    node("Clip", [shown, *bounds], "painted")
    shape = [1, 3, "height", "width"]
    graph = helper.make_graph(
        nodes,
        "generator",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("painted", TensorProto.FLOAT, shape)],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(model(), options, providers=["CPUExecutionProvider"])
print(json.dumps({"version": onnxruntime.__version__}), flush=True)

for line in sys.stdin:
    size = int(line.split()[1])
    image = np.fromfile(folder / "image.f32", dtype=np.float32).reshape(1, size, size, 3).transpose(0, 3, 1, 2)
    image = np.ascontiguousarray(image)
    start = time.perf_counter()
    painted = session.run(None, {"image": image})[0]
    answer = {"seconds": time.perf_counter() - start}
    painted[0].transpose(1, 2, 0).astype(np.float32).tofile(folder / "painted.f32")
    print(json.dumps(answer), flush=True)
