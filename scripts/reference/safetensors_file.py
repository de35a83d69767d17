"""A small .safetensors file, written by the Python package of the format's authors, with the numbers that are in it.

    python -m venv venv && venv/bin/pip install safetensors==0.8.0 numpy
    venv/bin/python scripts/reference/safetensors_file.py test/reference

Writes safetensors.safetensors with its numbers in safetensors.json, and safetensors-of-one.safetensors. With a second
argument, a file of this library, prints that file's metadata and tensors as the Python package reads them:

    venv/bin/python scripts/reference/safetensors_file.py test/reference my.safetensors
"""

import json
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

folder = sys.argv[1]
# Halves of whole numbers, exact in every type; a name that is not ASCII, an empty tensor, a scalar.
tensors = {
    "gram.conv1_1": (np.arange(9, dtype=np.float32).reshape(3, 3) - 4) / 2,
    "mean.conv1_1": np.array([0.5, -1.5, 65504], dtype=np.float16),
    "größe": np.array(2.5, dtype=np.float32),
    "empty": np.zeros((0, 4), dtype=np.float32),
}
metadata = {"format": "np", "note": 'quotes " and \\ and ü'}

if len(sys.argv) == 2:
    save_file(tensors, f"{folder}/safetensors.safetensors", metadata)
    one = {"mean.conv1_1": np.array([1, -2, 0.5], dtype=np.float32)}
    save_file(one, f"{folder}/safetensors-of-one.safetensors", {"a": "b"})
    numbers = {
        name: {"shape": list(value.shape), "values": value.astype(float).ravel().tolist()}
        for name, value in tensors.items()
    }
    with open(f"{folder}/safetensors.json", "w") as file:
        json.dump({"metadata": metadata, "tensors": numbers}, file, indent=1, ensure_ascii=False)
        file.write("\n")
else:
    with safe_open(sys.argv[2], framework="np") as file:
        numbers = {name: file.get_tensor(name).tolist() for name in file.keys()}
        print(json.dumps({"metadata": file.metadata(), "tensors": numbers}))
