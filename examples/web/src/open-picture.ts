/** A picture that the browser can decode. */
export interface Picture {
  /** The file as it came, so that a record of settings identifies it by its hash. */
  readonly file: Blob;
  /** For an `img`. */
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

const largest = { bytes: 100e6, pixels: 100e6 };

/**
 * Opens a file as a picture.
 *
 * @throws Error with a message for the visitor
 */
export async function openPicture(file: Blob): Promise<Picture> {
  const name = file instanceof File && file.name ? `“${file.name}”` : 'This';
  if (file.size > largest.bytes)
    throw new Error(`${name} has more than 100 MB, the most that can be opened.`);
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    // Its size is known before it is decoded.
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = () => reject(new Error());
    }).catch(() => {
      throw new Error(`${name} ${problemOf(file)}`);
    });
    const { naturalWidth: width, naturalHeight: height } = image;
    if (width * height > largest.pixels)
      throw new Error(`${name} has ${width} × ${height} pixels; at most 100 million can be opened.`);
    if (Math.min(width, height) < 16)
      throw new Error(`${name} has ${width} × ${height} pixels, too few to paint: at least 16 × 16.`);
    // An img also shows drawings, which have no pixels to read.
    const small = await createImageBitmap(file, { resizeWidth: 16, resizeHeight: 16 }).catch(() => {
      throw new Error(`${name} ${problemOf(file)}`);
    });
    small.close();
    return { file, url, width, height };
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
}

function problemOf({ type }: Blob): string {
  const accepted = 'Save it as JPEG, PNG, WebP or AVIF.';
  if (type !== '' && !type.startsWith('image/'))
    return `is no picture. Choose one in JPEG, PNG, WebP or AVIF.`;
  if (/hei[cf]/.test(type)) return `is in Apple's format HEIC, which this browser cannot open. ${accepted}`;
  if (type === 'image/svg+xml') return `is a drawing without pixels (SVG). ${accepted}`;
  return `is damaged, or no picture that this browser can open. ${accepted}`;
}
