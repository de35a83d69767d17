/**
 * Calls back once the program has been running for a time. A timer alone would count time in which the program is
 * suspended (Ctrl-Z, a debugger, a laptop that sleeps); here a suspension counts as one tick, however long it is.
 *
 * @returns a function that cancels it
 */
export function afterRunningFor(ms: number, then: () => void): () => void {
  const tickMs = Math.min(250, ms);
  let left = Math.ceil(ms / tickMs);
  const timer = setInterval(() => {
    left--;
    if (left <= 0) then();
  }, tickMs);
  return () => clearInterval(timer);
}
