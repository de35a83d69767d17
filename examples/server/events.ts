import type { BatchProgress, BatchRecord, JobQueue } from 'tfjs-style-transfer/batch';

/** Milliseconds without news after which a comment is sent, so that proxies keep the connection. */
const heartbeatMs = 15_000;

const reconnectMs = 2_000;

/**
 * The server-sent events of a job, until its picture is there or it has failed. A client that reads slowly gets the
 * newest step only: nothing is collected for it.
 */
export async function* eventsOf(queue: JobQueue, id: string, signal: AbortSignal): AsyncGenerator<string> {
  let news: string | undefined;
  let record: BatchRecord | undefined;
  let over = false;
  let wake = () => {};
  const onEvent = (event: BatchProgress) => {
    news = textOf(event) ?? news;
    wake();
  };
  // The first bytes, with which the answer begins: how soon a client may come back whose connection is lost.
  yield `retry: ${reconnectMs}\n\n`;
  const status = await queue.get(id);
  if (status?.progress && !status.record)
    news = textOf({ type: 'step', job: status.queued.job, ...status.progress });
  const leaving = new AbortController();
  // The server may have begun to close since the first bytes: `any` sees that, a listener would wait for ever.
  const ended = AbortSignal.any([signal, leaving.signal]);
  const following = (async () => {
    for await (const one of queue.follow({ job: id }, { signal: ended, onEvent })) record = one;
  })()
    .catch(() => {})
    .finally(() => {
      over = true;
      wake();
    });
  try {
    for (;;) {
      if (news !== undefined) {
        const text = news;
        news = undefined;
        yield text;
      } else if (over) break;
      else if (!(await within(heartbeatMs, new Promise<void>((resolve) => (wake = resolve))))) yield ':\n\n';
    }
    if (record?.state === 'failed') yield message('failed', { code: record.error.code ?? 'UNEXPECTED' });
    else if (record) yield message('done', { picture: `/pictures/${id}/picture` });
  } finally {
    leaving.abort();
    await following;
  }
}

function textOf(event: BatchProgress): string | undefined {
  if (event.type === 'started') return message('started', {});
  if (event.type === 'waiting') return message('waiting', {});
  if (event.type !== 'step') return undefined;
  const { done, loss, secondsLeft } = event;
  return message('step', { done, loss, secondsLeft });
}

const message = (event: string, data: object) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

async function within(ms: number, wait: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([wait.then(() => true), limit]);
  } finally {
    clearTimeout(timer);
  }
}
