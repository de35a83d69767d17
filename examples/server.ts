/**
 * An HTTP server: `npx tsx examples/server.ts [port]`, then
 * `curl --data-binary @photo.jpg 'http://localhost:8080/?size=256' -o painted.png` paints photo.jpg in the style of
 * examples/images/style.jpg.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { StyleTransferError } from 'tfjs-style-transfer';
import { encodeImage, loadVgg19, readImage, styleTransfer, useWasm } from 'tfjs-style-transfer/node';

const port = Number(process.argv[2] ?? 8080);
const mostBytes = 20e6;

await useWasm();
// Loaded once: requests share the network and the painting.
const extractor = await loadVgg19();
const style = await readImage(fileURLToPath(new URL('images/style.jpg', import.meta.url)), { size: 384 });

/** A run keeps every core busy, so pictures are painted one after the other. */
let last: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work);
  last = result.catch(() => undefined);
  return result;
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBytes) throw new RangeError(`more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    const photo = await body(request);
    const png = await inTurn(async () => {
      const { image, dispose } = await styleTransfer(photo, style, {
        extractor,
        size: Number(searchParams.get('size') ?? 256),
        iterations: Number(searchParams.get('iterations') ?? 50),
        signal: gone.signal,
      });
      try {
        return await encodeImage(image, { format: 'png' });
      } finally {
        dispose();
      }
    });
    response.writeHead(200, { 'content-type': 'image/png' }).end(png);
  } catch (error) {
    if (gone.signal.aborted) return;
    const known = error instanceof StyleTransferError || error instanceof RangeError;
    response
      .writeHead(known ? 400 : 500)
      .end(known ? `${error.message}\n` : 'The picture could not be painted.\n');
  }
});
server.listen(port, () => {
  const address = server.address();
  console.log(`listening on port ${typeof address === 'object' && address ? address.port : port}`);
});
