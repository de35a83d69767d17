const events = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Runs `work` and removes the process-wide listeners that it adds: tfjs' wasm module installs listeners that rethrow
 * every error and rejection, which would end programs that handle them.
 */
export async function withoutProcessListeners<T>(work: () => Promise<T>): Promise<T> {
  const before = events.map((event) => process.rawListeners(event));
  try {
    return await work();
  } finally {
    events.forEach((event, i) => {
      for (const listener of process.rawListeners(event)) {
        if (!before[i].includes(listener)) process.off(event, listener as () => void);
      }
    });
  }
}
