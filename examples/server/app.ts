import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance } from 'fastify';
import type { JobQueue } from 'tfjs-style-transfer/batch';
import { eventsOf } from './events';
import { defaultLimits, type Limits } from './limits';
import { BadRequest, receive, type Upload } from './upload';

/** Options of {@link createApp}. */
export interface AppOptions {
  /** Where jobs go; remains the caller's. */
  readonly queue: JobQueue;
  /** Folder of uploads and pictures, which the workers see under the same path. */
  readonly folder: string;
  readonly limits?: Partial<Limits>;
  /** Network of the pictures, see `loadVgg19`. */
  readonly weights?: string | undefined;
}

/** The HTTP service: two pictures in, a job's id out, then its events and its picture. It paints nothing itself. */
export async function createApp({
  queue,
  folder,
  limits: given,
  weights,
}: AppOptions): Promise<FastifyInstance> {
  const limits = { ...defaultLimits, ...given };
  const app = Fastify({
    // Without a byte for so long, a connection is closed; events have a heartbeat.
    connectionTimeout: 60_000,
    requestTimeout: limits.uploadMs + 10_000,
    bodyLimit: 2 * limits.fileBytes + 1e6,
  });
  const closing = new AbortController();
  // One listener for each client that reads events.
  setMaxListeners(0, closing.signal);
  app.addHook('preClose', async () => closing.abort());
  await app.register(rateLimit, { max: limits.requestsAMinute, timeWindow: '1 minute' });
  await app.register(multipart, {
    limits: { fileSize: limits.fileBytes, files: 2, fields: 2, fieldSize: 100, parts: 4, headerPairs: 20 },
  });
  app.setErrorHandler((error: Error & { readonly statusCode?: number }, request, reply) => {
    const { statusCode = 500, message } = error;
    request.log.error(error);
    return reply.code(statusCode).send({ error: statusCode < 500 ? message : 'That went wrong here.' });
  });

  let uploads = 0;
  app.post('/pictures', async (request, reply) => {
    const busy = () =>
      reply.code(503).header('retry-after', '10').send({ error: 'Too much to do; try again later.' });
    if (uploads >= limits.uploadsAtOnce) return busy();
    // Nobody can guess it, and so it is the right to see the picture.
    const id = randomBytes(16).toString('hex');
    const place = join(folder, id);
    // In the same tick as the question, so that requests that come together do not all find room.
    uploads++;
    try {
      if ((await queue.counts()).waiting >= limits.waitingJobs) return busy();
      await mkdir(place);
      const upload = await receive(request, place, limits);
      await queue.add([{ job: jobOf(id, place, upload, weights), batch: 'server' }]);
    } catch (error) {
      // What still arrives may add a file meanwhile.
      await rm(place, { recursive: true, force: true, maxRetries: 3 });
      throw error;
    } finally {
      uploads--;
    }
    const own = `/pictures/${id}`;
    return reply
      .code(202)
      .header('location', own)
      .send({ id, events: `${own}/events`, picture: `${own}/picture` });
  });

  app.get<{ Params: { id: string } }>('/pictures/:id', async ({ params: { id } }) => {
    const { record, progress } = await statusOf(queue, id);
    if (record?.state === 'failed') return { state: 'failed', code: record.error.code ?? 'UNEXPECTED' };
    if (record) return { state: 'done', picture: `/pictures/${id}/picture` };
    return { state: 'open', done: progress?.done ?? 0 };
  });

  app.get<{ Params: { id: string } }>('/pictures/:id/events', async ({ params: { id } }, reply) => {
    await statusOf(queue, id);
    const events = Readable.from(eventsOf(queue, id, closing.signal), { highWaterMark: 1 });
    return (
      reply
        .type('text/event-stream')
        .header('cache-control', 'no-store')
        // A connection that was kept for the next request would hold up the end of the server.
        .header('connection', 'close')
        .send(events)
    );
  });

  app.get<{ Params: { id: string } }>('/pictures/:id/picture', async ({ params: { id } }, reply) => {
    const { queued, record } = await statusOf(queue, id);
    if (record === undefined || record.state === 'failed')
      throw new BadRequest(404, 'There is no picture yet.');
    // The path is the server's own, from the job that it made.
    const { output } = queued.job;
    const found = await stat(output).catch(() => undefined);
    if (!found) throw new BadRequest(410, 'The picture is not kept any more.');
    return reply.type('image/png').header('content-length', found.size).send(createReadStream(output));
  });

  const clean = () => void removeOld(queue, folder, limits.keepMs).catch((error) => app.log.error(error));
  const cleaning = setInterval(clean, limits.keepMs / 24);
  cleaning.unref();
  app.addHook('onClose', async () => clearInterval(cleaning));
  return app;
}

const jobOf = (id: string, place: string, upload: Upload, weights: string | undefined) => ({
  id,
  content: upload.content,
  style: upload.style,
  output: join(place, 'picture.png'),
  inputs: upload.hashes,
  settings: { ...upload.settings, weights },
});

async function statusOf(queue: JobQueue, id: string) {
  const status = /^[0-9a-f]{32}$/.test(id) ? await queue.get(id) : undefined;
  if (status === undefined) throw new BadRequest(404, 'There is no such job.');
  return status;
}

/** Removes what is older than it may be, job by job, except what a job that has not ended still needs. */
async function removeOld(queue: JobQueue, folder: string, keepMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const place = join(folder, name);
    const { mtimeMs } = await stat(place).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs <= keepMs) continue;
    const job = await queue.get(name);
    if (job && !job.record) continue;
    await rm(place, { recursive: true, force: true }).catch(() => {});
  }
}
