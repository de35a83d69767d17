import { describe, expect, test } from 'vitest';
import { runCommand } from '../support/command-line-folder';
import { fakeTerminal } from '../support/fake-terminal';
import { hasRedis, RedisServer } from '../support/redis-server';

describe('work', () => {
  test('needs a queue', async () => {
    const { code, stderr } = await runCommand(['work']);
    expect(code).toBe(2);
    expect(stderr).toContain("required option '--queue <url>' not specified");
  });

  test.each([
    [['--queue', 'localhost'], "--queue is 'localhost'; accepted: redis://"],
    [['--queue', 'redis://localhost', '--jobs', '0'], '--jobs is 0'],
    [['--queue', 'redis://localhost', '--lost-after', '0.5'], '--lost-after is 0.5'],
  ])('refuses %j before it connects', async (args, message) => {
    const { code, stderr } = await runCommand(['work', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test('ends with 1 if there is no server, and says so', async () => {
    const { code, stderr } = await runCommand(['work', '--queue', 'redis://127.0.0.1:1/p']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /The Redis server of the queue redis:\/\/127.0.0.1:1\/p cannot be used: .*ECONNREFUSED/,
    );
  });

  test.skipIf(!hasRedis)('takes jobs until it is asked to stop', async () => {
    const redis = await RedisServer.start();
    const fake = fakeTerminal();
    const { write } = fake.terminal.stderr;
    fake.terminal.stderr.write = (line) => {
      write(line);
      if (line.startsWith('ready')) fake.stop();
    };
    const { code, stderr } = await runCommand(
      ['work', '--queue', redis.url(), '--jobs', '2', '--threads', '1'],
      fake,
    );
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /^ready: 2 pictures at once, 1 thread each\nstopping: pictures in progress go back/,
    );
    await redis.stop();
  });
});
