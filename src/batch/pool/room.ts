/**
 * The memory that the workers of a pool share. WebAssembly's memory does not shrink, so a worker counts with the most
 * that it has ever taken.
 */
export class Room<Worker> {
  private readonly held = new Map<Worker, number>();
  private readonly running = new Set<Worker>();
  private readonly waiting: { readonly worker: Worker; readonly bytes: number; go(): void }[] = [];

  /** @param bytes of all workers together */
  constructor(private readonly bytes: number) {}

  /**
   * Resolves when a worker may take memory: once it fits beside what the others hold, or no other one works. Workers
   * get it in the order in which they asked.
   */
  take(worker: Worker, bytes: number): Promise<void> {
    return new Promise((go) => {
      this.waiting.push({ worker, bytes, go });
      this.grant();
    });
  }

  /** A worker has ended its job; or it does not need the memory any more that it asked for. */
  release(worker: Worker): void {
    this.running.delete(worker);
    const asked = this.waiting.findIndex((one) => one.worker === worker);
    if (asked >= 0) this.waiting.splice(asked, 1);
    this.grant();
  }

  /** A worker is gone, and with it all that it held. */
  forget(worker: Worker): void {
    this.held.delete(worker);
    this.release(worker);
  }

  private grant(): void {
    for (let next = this.waiting[0]; next && this.fits(next.worker, next.bytes); next = this.waiting[0]) {
      this.waiting.shift();
      this.running.add(next.worker);
      this.held.set(next.worker, Math.max(next.bytes, this.held.get(next.worker) ?? 0));
      next.go();
    }
  }

  private fits(worker: Worker, bytes: number): boolean {
    if (this.running.size === 0) return true;
    let others = 0;
    for (const [other, held] of this.held) if (other !== worker) others += held;
    return others + Math.max(bytes, this.held.get(worker) ?? 0) <= this.bytes;
  }
}
