/** Values that are pushed as they come, for one reader who takes them in order. */
export class Stream<T> implements AsyncIterable<T> {
  private readonly values: T[] = [];
  private over: { readonly error?: unknown } | undefined;
  private wake: () => void = () => {};

  push(value: T): void {
    this.values.push(value);
    this.wake();
  }

  end(): void {
    this.over = {};
    this.wake();
  }

  /** The reader gets what was pushed before, and then the error. */
  fail(error: unknown): void {
    this.over = { error };
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      while (this.values.length > 0) yield this.values.shift() as T;
      if (this.over && 'error' in this.over) throw this.over.error;
      if (this.over) return;
      await new Promise<void>((wake) => {
        this.wake = wake;
      });
    }
  }
}
