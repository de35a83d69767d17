import { InvalidArgumentError } from '../../errors';
import { showUrl } from '../../options/show';

/** The place of a queue: a Redis server, and the prefix of the queue's keys on it. */
export interface QueueLocation {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Number of the database. */
  readonly db: number;
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
  /** Prefix of the queue's keys: queues of different prefixes know nothing of each other. */
  readonly prefix: string;
  /** The URL without its password, for messages. */
  readonly name: string;
}

/** Prefix of a queue whose URL has none. */
export const defaultPrefix = 'tfjs-style-transfer';

const accepted = 'redis://[user:password@]host[:port][/prefix][?db=number], or rediss: for TLS';

/**
 * Reads `redis://host:port/prefix`. The path is a prefix of keys; the number of a database, which other programs put
 * there, is `?db=`.
 *
 * @throws InvalidArgumentError `WRONG_TYPE` for anything else
 */
export function queueLocation(queue: unknown): QueueLocation {
  const url = typeof queue === 'string' && URL.canParse(queue) ? new URL(queue) : undefined;
  const prefix = decodeURIComponent(url?.pathname.replace(/^\//, '') ?? '') || defaultPrefix;
  const db = url?.searchParams.get('db') ?? '0';
  const known = [...(url?.searchParams.keys() ?? [])].every((key) => key === 'db');
  if (
    url === undefined ||
    !/^rediss?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !/^[\w.{}-]+$/.test(prefix) ||
    !/^\d{1,5}$/.test(db) ||
    !known
  )
    throw new InvalidArgumentError(
      'WRONG_TYPE',
      `queue is '${showUrl(String(queue))}'; accepted: ${accepted}.`,
      {
        option: 'queue',
        accepted,
      },
    );
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    username: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
    db: Number(db),
    tls: url.protocol === 'rediss:',
    prefix,
    name: showUrl(url),
  };
}
