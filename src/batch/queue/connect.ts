import type { Redis } from 'ioredis';
import { EnvironmentError } from '../../errors';
import { loadOptional } from '../../node/load-optional';
import { showText } from '../../options/show';
import { untilAborted } from '../../until-aborted';
import type { QueueLocation } from './queue-url';

/** BullMQ, and connections to a queue's server. */
export interface Connected {
  readonly bullmq: typeof import('bullmq');
  /** A connection that restores itself, with growing pauses, for as long as it is not closed. */
  readonly redis: Redis;
}

/** Milliseconds that a server has for its first answer. */
const startLimitMs = 10_000;
const longestPauseMs = 5_000;

/**
 * Loads BullMQ and connects to the server of a queue.
 *
 * @throws EnvironmentError `NO_PACKAGE` if bullmq or ioredis is not installed, `QUEUE_UNAVAILABLE` if the server does
 *   not answer within ten seconds, or is none of Redis; the signal's reason
 */
export async function connect(location: QueueLocation, signal?: AbortSignal): Promise<Connected> {
  const [bullmq, { Redis }] = await loadOptional(
    () => Promise.all([import('bullmq'), import('ioredis')]),
    'A queue',
    ['bullmq', 'ioredis'],
  );
  const { host, port, username, password, db, tls } = location;
  const redis = new Redis({
    host,
    port,
    username,
    password,
    db,
    ...(tls ? { tls: {} } : {}),
    lazyConnect: true,
    connectTimeout: startLimitMs,
    // BullMQ requires it: commands wait for a connection that is restored.
    maxRetriesPerRequest: null,
    retryStrategy: (attempts) =>
      Math.min(longestPauseMs, 100 * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random() / 2),
  });
  let reason = `no answer within ${startLimitMs / 1000} s`;
  redis.on('error', (error: Error & { readonly code?: string }) => {
    // Several addresses of a host fail together, with an error without a message.
    reason = error.message || (error.code ?? error.name);
  });
  const limit = AbortSignal.timeout(startLimitMs);
  try {
    const stop = signal ? AbortSignal.any([signal, limit]) : limit;
    await untilAborted(
      stop,
      redis.connect().then(() => redis.ping()),
    );
    // BullMQ makes further connections as copies of this one, and leaves it to them to connect.
    redis.options.lazyConnect = false;
    return { bullmq, redis };
  } catch (cause) {
    redis.disconnect();
    signal?.throwIfAborted();
    throw new EnvironmentError(
      'QUEUE_UNAVAILABLE',
      `The Redis server of the queue ${location.name} cannot be used: ${showText(reason, 160)}.`,
      { option: 'queue', value: location.name, accepted: 'the URL of a Redis server that answers', cause },
    );
  }
}
