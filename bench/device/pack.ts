import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Libraries that Vulkan's drivers need and a machine for computing may lack. */
const libraries = [
  'libvulkan.so.1',
  'libX11.so.6',
  'libxcb.so.1',
  'libXext.so.6',
  'libXau.so.6',
  'libXdmcp.so.6',
];

/** Bytes of a pack that is carried to a machine without a network. */
const mostBytes = 64 * 2 ** 20;

/**
 * Makes a folder that measures on a Linux machine without Node, this project or a network: `pack.tar.gz`, with this
 * Node, the program in one file, Dawn for x64 and Vulkan's loader, and `run.sh`, which unpacks it beside the machine's
 * temporary files, looks for the GPU's driver and passes its arguments on.
 */
export async function packDevice(target: string): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'pack-'));
  mkdirSync(join(folder, 'lib'));
  // Not at the top: the pack's own program has no esbuild.
  const { build } = await import('esbuild');
  await build({
    entryPoints: [resolve('bench/device.ts')],
    outfile: join(folder, 'bench.mjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['webgpu', 'sharp', 'esbuild'],
    loader: { '.bin': 'binary', '.wasm': 'binary' },
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  copyFileSync(resolve('bench/device/torch.py'), join(folder, 'torch.py'));
  copyFileSync(process.execPath, join(folder, 'node'));
  const from = resolve('node_modules/webgpu');
  cpSync(from, join(folder, 'node_modules/webgpu'), {
    recursive: true,
    dereference: true,
    filter: (path) => !/\.node$|\.dll$|\.dylib$/.test(path) || /linux-x64/.test(path),
  });
  const known = execFileSync('ldconfig', ['-p'], { encoding: 'utf8' });
  for (const name of libraries) {
    const [, path] = new RegExp(`${name.replaceAll('.', '\\.')} .*x86-64.* => (.*)`).exec(known) ?? [];
    if (path && existsSync(path)) copyFileSync(path, join(folder, 'lib', name));
  }
  const archive = join(target, 'pack.tar.gz');
  execFileSync('tar', ['czf', archive, '-C', folder, '.']);
  rmSync(folder, { recursive: true });
  writeFileSync(join(target, 'run.sh'), script, { mode: 0o755 });
  const { size } = statSync(archive);
  const mebibytes = (size / 2 ** 20).toFixed(0);
  if (size > mostBytes) throw new Error(`The pack has ${mebibytes} MiB, more than 64.`);
  console.log(`OUT=. ${target}/run.sh, ${mebibytes} MiB`);
}

const script = `#!/bin/bash
# Measures the engine webgpu on this machine's GPU; arguments are those of npm run bench:device.
# OUT: the folder of its results.
pack=$(cd "$(dirname "$0")" && pwd); mkdir -p "\${OUT:-$pack}"; out=$(cd "\${OUT:-$pack}" && pwd)
here=$(mktemp -d); trap 'rm -rf "$here"' EXIT
tar xzf "$pack/pack.tar.gz" -C "$here" || exit 1
export LD_LIBRARY_PATH="$here/lib:$LD_LIBRARY_PATH:/usr/local/nvidia/lib:/usr/local/nvidia/lib64" XDG_RUNTIME_DIR="\${TMPDIR:-/tmp}"
# The driver as it is, by the places where NVIDIA describes it, or by its library that needs no X.
egl=$(mktemp -d)/egl.json
echo '{"file_format_version":"1.0.1","ICD":{"library_path":"libEGL_nvidia.so.0","api_version":"1.4.0"}}' >"$egl"
if [ -z "$VK_ICD_FILENAMES" ]; then
  for icd in "" /usr/share/vulkan/icd.d/nvidia_icd.json /etc/vulkan/icd.d/nvidia_icd.json /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json "$egl"; do
    if [ "$icd" ]; then [ -e "$icd" ] || continue; export VK_ICD_FILENAMES=$icd; fi
    if "$here/node" -e "
      import('$here/node_modules/webgpu/index.js').then(async ({ create, globals }) => {
        Object.assign(globalThis, globals); globalThis.kept = create([]);
        const adapter = await kept.requestAdapter({ powerPreference: 'high-performance' });
        process.exit(adapter && !adapter.info.isFallbackAdapter ? 0 : 1);
      })" 2>/dev/null; then found=1; break; fi
    unset VK_ICD_FILENAMES
  done
  [ "$found" ] || { echo 'WebGPU finds no GPU here.'; exit 1; }
fi
cd "$here" && ./node bench.mjs --out "$out/device.json" "$@"
`;
