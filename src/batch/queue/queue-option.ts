import { any } from '../../options/table';

/** The option `queue`. */
export const queueOption = any<string, { flag: string; help: string }>(
  'redis://host:port/prefix',
  (value) => typeof value === 'string' && value !== '',
  { flag: '--queue <url>', help: 'queue on a Redis server: redis://host:port/prefix' },
);
