/**
 * An HTTP server that hands pictures to workers on any machine:
 *
 *   npx tfjs-style-transfer work --queue redis://localhost/server     (as many as there are machines)
 *   QUEUE=redis://localhost/server FOLDER=/shared/pictures npx tsx examples/server/main.ts
 *
 *   curl -F content=@photo.jpg -F style=@painting.jpg localhost:8080/pictures
 *   curl -N localhost:8080/pictures/ID/events
 *   curl -o painted.png localhost:8080/pictures/ID/picture
 */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openQueue } from 'tfjs-style-transfer/batch';
import { createApp } from './app';

// Addresses behind a proxy are the proxy's: there, set Fastify's trustProxy, or leave the rate to the proxy.
const limits = process.env.REQUESTS_A_MINUTE
  ? { requestsAMinute: Number(process.env.REQUESTS_A_MINUTE) }
  : {};
const {
  QUEUE = 'redis://localhost/server',
  FOLDER = 'pictures',
  PORT = '8080',
  HOST = '127.0.0.1',
} = process.env;
const folder = resolve(FOLDER);
await mkdir(folder, { recursive: true });
const queue = await openQueue(QUEUE);
const app = await createApp({ queue, folder, limits, weights: process.env.TFJS_STYLE_TRANSFER_WEIGHTS });
console.log(`listening at ${await app.listen({ port: Number(PORT), host: HOST })}`);

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    await app.close();
    await queue.close();
  });
