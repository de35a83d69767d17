import { describe, expect, it } from 'vitest';
import { styleTransfer, type WorkerProgress } from '../../src/worker';

function canvas(colour: string): HTMLCanvasElement {
  const element = Object.assign(document.createElement('canvas'), { width: 40, height: 32 });
  const context = element.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = colour;
  context.fillRect(4, 4, 20, 20);
  return element;
}

describe('styleTransfer in a worker', () => {
  it('paints, with previews of every step', async () => {
    const events: WorkerProgress[] = [];
    const { image, bitmap, backend, loss, history } = await styleTransfer(
      canvas('red'),
      canvas('blue'),
      1,
      1e5,
      {
        weights: 'embedded',
        iterations: 3,
        previewInterval: 0,
        onProgress: (event) => void events.push(event),
      },
    );
    expect(events.map(({ type }) => type)).toEqual(['start', ...history.flatMap(() => ['step', 'preview'])]);
    expect(history.length).toBeGreaterThan(1);
    expect(loss).toBeLessThan(history[0].loss);
    expect(backend).toBe('wasm');
    expect([image.width, image.height, image.data.length]).toEqual([40, 32, 40 * 32 * 3]);
    expect([bitmap.width, bitmap.height]).toEqual([40, 32]);
  });
});
