const isolation = [
  { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
  { key: 'Cross-Origin-Embedder-Policy', value: 'require-corp' },
];
const root = new URL('../../../', import.meta.url).pathname;

export default {
  // These load files of their own folder, which a bundle would not have beside it.
  serverExternalPackages: [
    'tfjs-style-transfer',
    '@tensorflow/tfjs-core',
    '@tensorflow/tfjs-backend-wasm',
    'sharp',
  ],
  headers: async () => [{ source: '/isolated', headers: isolation }],
  // Where the packages are installed.
  turbopack: { root },
  outputFileTracingRoot: root,
};
