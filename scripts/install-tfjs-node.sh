#!/usr/bin/env bash
# Puts the optional @tensorflow/tfjs-node into a project's node_modules without its own installer, which downloads
# TensorFlow's C library from where many machines do not get to: the same library comes out of the wheel tensorflow-cpu
# of the Python package index, and the two source files of the addon are compiled here. package.json and lock file stay
# as they are, so run this again after `npm ci`.
#
#   bash scripts/install-tfjs-node.sh [project folder]      Linux on x64 with glibc; needs npm, python3 with pip, g++;
#   30 s, 190 MB to download
set -euo pipefail
project=$(cd "${1:-.}" && pwd)
tfjs=4.22.0
# The smallest wheel whose C library stands apart from Python's.
tensorflow=2.13.1
wheel_sha256=bfedeee206ccf8130d14d8990dbe991946324df92458ee1bdbeed1c21497beb3
[ "$(uname -sm)" = 'Linux x86_64' ] || { echo 'install-tfjs-node: needs Linux on x64' >&2; exit 1; }

# -D, because npm leaves out what package.json names as an optional peer.
npm install --prefix "$project" -D --no-save --ignore-scripts --no-audit --no-fund "@tensorflow/tfjs-node@$tfjs"
package=$project/node_modules/@tensorflow/tfjs-node

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "tensorflow-cpu==$tensorflow --hash=sha256:$wheel_sha256" > "$work/requirements.txt"
python3 -m pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes --only-binary=:all: \
  --implementation cp --python-version 3.10 --abi cp310 --platform manylinux2014_x86_64 --dest "$work" --requirement "$work/requirements.txt"
rm -rf "$package/deps"
mkdir -p "$package/deps/lib" "$package/lib/napi-v8"
python3 - "$work"/*.whl "$package/deps" <<'PY'
import pathlib, re, sys, zipfile
wheel, deps = sys.argv[1], pathlib.Path(sys.argv[2])
library = re.compile(r"tensorflow/(libtensorflow_(?:cc|framework)\.so\.2)$")
header = re.compile(r"tensorflow/include/((?:tensorflow/(?:c|core/platform|tsl/c|tsl/platform)|(?:xla/)?tsl/(?:c|platform))/.*\.h)$")
with zipfile.ZipFile(wheel) as files:
    for name in files.namelist():
        for pattern, folder in ((library, "lib"), (header, "include")):
            if found := pattern.match(name):
                target = deps / folder / found[1]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(files.read(name))
PY

include=$(node -p 'require("node:path").resolve(require("node:fs").realpathSync(process.execPath), "../../include/node")')
if [ ! -f "$include/node_api.h" ]; then
  npm install --prefix "$work" --no-save --no-audit --no-fund node-api-headers > /dev/null
  include=$work/node_modules/node-api-headers/include
fi
cd "$package"
g++ -std=c++17 -O2 -fPIC -shared -DNAPI_VERSION=8 -DNODE_GYP_MODULE_NAME=tfjs_binding "-I$include" -Ideps/include \
  binding/tfjs_backend.cc binding/tfjs_binding.cc -o lib/napi-v8/tfjs_binding.node \
  -Ldeps/lib -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 '-Wl,-rpath,$ORIGIN/../../deps/lib'
echo "@tensorflow/tfjs-node $tfjs on TensorFlow $tensorflow is in $project/node_modules"
