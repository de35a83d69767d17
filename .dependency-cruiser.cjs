/**
 * The arrows of docs/architecture.md: a folder of src/ imports from those below it in this list and from nothing above.
 * `npm run check:arrows` fails on any other import, on circles, and on Node in what pages load.
 */
const layers = [
  ['page', '^src/page/'],
  ['cli', '^src/cli/'],
  ['batch', '^src/batch/'],
  ['node', '^src/node/'],
  ['testing', '^src/testing/'],
  ['worker', '^src/worker/'],
  ['video', '^src/video/'],
  ['generators', '^src/generators/'],
  ['transfer', '^src/transfer/'],
  ['metrics', '^src/metrics/'],
  ['engines', '^src/engines/'],
  ['platform', '^src/platform\\.ts$'],
  ['backends', '^src/backends/'],
  ['styles', '^src/styles/'],
  ['objective', '^src/objective\\.ts$'],
  ['losses', '^src/losses/'],
  ['features', '^src/features/'],
  ['weights', '^src/weights/'],
  ['storage', '^src/storage/'],
  ['optim', '^src/optim/'],
  ['color', '^src/color/'],
  ['image', '^src/image/'],
  [
    'base',
    '^src/(options/|errors\\.ts$|error-codes\\.ts$|gradients\\.ts$|owning\\.ts$|allocation\\.ts$|sums\\.ts$|tensor-rows\\.ts$|random\\.ts$|until-aborted\\.ts$|running-time\\.ts$|compile-wasm\\.ts$|wasm-simd\\.ts$)',
  ],
];

const upward = layers.slice(1).map(([name, path], i) => ({
  name: `${name}-imports-from-above`,
  comment: `src: ${name} must not know ${layers
    .slice(0, i + 1)
    .map(([above]) => above)
    .join(', ')} or the public surface`,
  severity: 'error',
  from: { path },
  to: { path: ['^src/index\\.ts$', ...layers.slice(0, i + 1).map(([, above]) => above)] },
}));

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'no-circles',
      comment: 'neither files nor types in a circle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'storage-knows-no-tensor',
      comment: 'bytes only: no tensor, no network, no layer',
      severity: 'error',
      from: { path: '^src/storage/' },
      to: { path: ['^src/(optim|image|weights|features)/', '@tensorflow/'] },
    },
    {
      name: 'node-only-in-node-batch-and-cli',
      comment: 'what pages load imports nothing of Node',
      severity: 'error',
      // These two name types of Node only; the modules come from the running process.
      from: {
        path: '^src/',
        pathNot: '^src/((node|cli|batch)/|engines/wasm/runtime/(node-module|start-worker))',
      },
      to: { dependencyTypes: ['core'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'worker-page-without-tfjs',
      comment: 'the page side of the worker is small: tfjs, and what needs it, is in the program',
      severity: 'error',
      from: { path: '^src/worker/', pathNot: '^src/worker/program(/|-text)' },
      to: {
        path: ['@tensorflow/', '^src/worker/program/', '^src/(engines|losses|features|weights|optim)/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'engines-apart',
      comment:
        'an engine is one folder: engines know each other only through the list; webgpu takes the extractor of tfjs, on whose device it computes',
      severity: 'error',
      from: {
        path: '^src/engines/(tfjs|wasm|webgpu)/',
        pathNot: '^src/engines/webgpu/webgpu-extractor\\.ts$',
      },
      to: { path: '^src/engines/(tfjs|wasm|webgpu)/', pathNot: '^src/engines/$1/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/assembly/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
