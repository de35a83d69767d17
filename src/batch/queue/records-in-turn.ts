/** Values that are pushed by events and taken by one loop, in the order in which they came. */
export interface InTurn<T> {
  push(value: T): void;
  /** No more values: the loop ends after those that are there. */
  end(): void;
  /** The loop throws `error` at once. */
  fail(error: unknown): void;
  values(): AsyncGenerator<T, void, undefined>;
}

/** Makes an empty row of values. */
export function recordsInTurn<T>(): InTurn<T> {
  const waiting: T[] = [];
  let failure: { readonly error: unknown } | undefined;
  let ended = false;
  let wake = () => {};
  const after = (change: () => void) => {
    change();
    wake();
  };
  return {
    push: (value) => after(() => void waiting.push(value)),
    end: () =>
      after(() => {
        ended = true;
      }),
    fail: (error) =>
      after(() => {
        failure ??= { error };
      }),
    async *values() {
      for (;;) {
        if (failure) throw failure.error;
        const [value] = waiting;
        if (waiting.length > 0) {
          waiting.shift();
          yield value;
        } else if (ended) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}
