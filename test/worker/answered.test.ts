import { expect, it } from 'vitest';
import { answered, type RunHost } from '../../src/worker/style-run';

it('a task that was aborted before it reached the worker is not sent, and rejects with the reason', async () => {
  const sent: unknown[] = [];
  const host: RunHost = {
    run: 1,
    turn: Promise.resolve(),
    post: (message) => sent.push(message),
    listen() {},
  };
  const reason = new Error('enough');
  const task = answered(host, { signal: AbortSignal.abort(reason) }, () => sent.push('task'));
  await expect(task).rejects.toBe(reason);
  expect(sent).toEqual([]);
});
