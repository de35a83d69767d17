const events = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Runs `work` and removes the process-wide listeners that it adds: tfjs' wasm module installs listeners that rethrow
 * every error and rejection, which would end programs that handle them. In pages, which have no process, it only runs
 * `work`.
 */
export async function withoutProcessListeners<T>(work: () => Promise<T>): Promise<T> {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  const listeners = (event: (typeof events)[number]) => process?.rawListeners?.(event) ?? [];
  const before = events.map(listeners);
  try {
    return await work();
  } finally {
    events.forEach((event, i) => {
      for (const listener of listeners(event)) {
        if (!before[i].includes(listener)) process?.off?.(event, listener as () => void);
      }
    });
  }
}
