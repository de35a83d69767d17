/** Indices of the numbers that threads share. */
export const controlSlots = {
  /** Grows by one for each run, modulo 2^32; workers sleep on it. */
  generation: 0,
  /** The next item that no thread has taken. */
  next: 1,
  /** Workers that have found no item left. */
  done: 2,
  /** Index of the kernel, or -1 to end. */
  kernel: 3,
  args: 4,
  items: 5,
  /** Threads that a kernel trapped in. */
  failed: 6,
  /** Scratch memory of thread t at `scratch + t`. */
  scratch: 8,
} as const;

const { generation, next, done, kernel, args, items, failed, scratch } = controlSlots;

/**
 * A worker's program, as text so that it needs no file of its own wherever this library is bundled. It waits for a run,
 * takes items until none is left, and counts itself as done. Before it sleeps it polls a few times, because the next
 * run usually comes within microseconds.
 *
 * In Node, and in Bun and Deno, which have `self` as well, messages arrive at `parentPort`; in pages there is `self`
 * alone.
 */
export const workerSource = `
const work = async ({ module, memory, control, names, thread, generation }, post) => {
  let kernels;
  try {
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    kernels = names.map((name) => exports[name]);
  } catch (error) {
    post(String(error));
    return;
  }
  post('ready');
  // An Int32Array wraps from 2^31 - 1 to -2^31; so must the number compared with it.
  for (let seen = generation; ; ) {
    for (let looks = 0; Atomics.load(control, ${generation}) === seen; looks++) {
      if (looks > 3000) Atomics.wait(control, ${generation}, seen);
    }
    seen = (seen + 1) | 0;
    const run = kernels[control[${kernel}]];
    if (!run) return;
    try {
      for (let item; (item = Atomics.add(control, ${next}, 1)) < control[${items}]; ) {
        run(control[${args}], item, control[${scratch} + thread]);
      }
    } catch {
      Atomics.add(control, ${failed}, 1);
    }
    Atomics.add(control, ${done}, 1);
    Atomics.notify(control, ${done});
  }
};
const threads =
  globalThis.process?.getBuiltinModule?.('node:worker_threads') ??
  (typeof require === 'function' ? require('node:worker_threads') : undefined);
const port = threads?.parentPort;
if (port) port.once('message', (data) => work(data, (answer) => port.postMessage(answer)));
else self.onmessage = ({ data }) => work(data, (answer) => self.postMessage(answer)).then(() => self.close());
`;
