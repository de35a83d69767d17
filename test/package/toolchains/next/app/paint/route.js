import { encodeImage, styleTransfer, useWasm } from 'tfjs-style-transfer/node';

export async function POST(request) {
  await useWasm();
  const photo = new Uint8Array(await request.arrayBuffer());
  const { image, dispose } = await styleTransfer(photo, photo, 1, 1e6, {
    weights: 'embedded',
    size: 32,
    iterations: 3,
    signal: request.signal,
  });
  try {
    return new Response(await encodeImage(image, { format: 'png' }), {
      headers: { 'content-type': 'image/png' },
    });
  } finally {
    dispose();
  }
}
