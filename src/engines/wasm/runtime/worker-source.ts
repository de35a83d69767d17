/** Numbers that threads share, and what each means. */
export const controlSlots = {
  /** Grows by one for each run; workers sleep on it. */
  generation: 0,
  /** The next item that nobody has taken. */
  next: 1,
  /** Workers that have found no item left. */
  done: 2,
  /** Index of the kernel, or -1 to end. */
  kernel: 3,
  args: 4,
  items: 5,
  /** Workers that a kernel trapped in. */
  failed: 6,
  /** Scratch memory of thread t at `scratch + t`. */
  scratch: 8,
} as const;

const { generation, next, done, kernel, args, items, failed, scratch } = controlSlots;

/**
 * A worker's program, as text so that it needs no file of its own wherever this library is bundled. It waits for a run, takes items until
 * none is left, and says so. Before it sleeps it looks a few times, because the next run usually comes within microseconds.
 */
export const workerSource = `
const work = async ({ module, memory, control, names, thread }, ready) => {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const kernels = names.map((name) => exports[name]);
  ready();
  let seen = 0;
  for (;;) {
    for (let looks = 0; Atomics.load(control, ${generation}) === seen; looks++) {
      if (looks > 3000) Atomics.wait(control, ${generation}, seen);
    }
    seen++;
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
if (typeof self === 'object' && typeof self.postMessage === 'function') {
  self.onmessage = ({ data }) => work(data, () => self.postMessage('ready')).then(() => self.close());
} else {
  const { parentPort } = require('node:worker_threads');
  parentPort.once('message', (data) => work(data, () => parentPort.postMessage('ready')));
}
`;
