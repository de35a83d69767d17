import { pngWithSettings, type SettingsRecord } from 'tfjs-style-transfer';

/** Saves a picture as PNG, with the settings that repeat it where there are any. */
export async function download(bitmap: ImageBitmap, record: SettingsRecord | undefined): Promise<void> {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  const plain = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!plain) throw new Error('The browser could not encode the picture.');
  const bytes = new Uint8Array(await plain.arrayBuffer());
  const file = new Blob([record ? new Uint8Array(pngWithSettings(bytes, record)) : bytes], {
    type: 'image/png',
  });
  const url = URL.createObjectURL(file);
  Object.assign(document.createElement('a'), { href: url, download: 'style-transfer.png' }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
