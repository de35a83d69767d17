import type { Redis } from 'ioredis';

/** Milliseconds that connections have to say good-bye; without a server they would wait for one. */
const defaultLimitMs = 5_000;

/** Closes BullMQ's parts, in this order, and then the connection that they share. */
export async function closeServer(
  redis: Redis,
  parts: readonly { close(): Promise<void> }[],
  limitMs = defaultLimitMs,
): Promise<void> {
  const closing = (async () => {
    for (const part of parts) await part.close();
    await redis.quit();
  })().catch(() => {});
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([closing, limit]);
  clearTimeout(timer);
  redis.disconnect();
}
