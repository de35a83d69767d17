import sharp from 'sharp';

/** A picture with the name of what painted it. */
interface Painted {
  readonly name: string;
  readonly file: string;
}

/** Pixels between two pictures. */
const gap = 8;

/**
 * Writes rows of pictures, each row in an order of its own.
 *
 * @returns the names in the order of each row
 */
export async function contactSheet(rows: readonly (readonly Painted[])[], to: string): Promise<string[][]> {
  const shuffled = rows.map((row) => shuffle(row));
  const sizes = await Promise.all(shuffled.flat().map(async ({ file }) => sharp(file).metadata()));
  const [width, height] = [
    Math.max(...sizes.map((one) => one.width)),
    Math.max(...sizes.map((one) => one.height)),
  ];
  const columns = Math.max(...rows.map((row) => row.length));
  await sharp({
    create: {
      width: columns * (width + gap) - gap,
      height: rows.length * (height + gap) - gap,
      channels: 3,
      background: '#ffffff',
    },
  })
    .composite(
      shuffled.flatMap((row, y) =>
        row.map(({ file }, x) => ({ input: file, left: x * (width + gap), top: y * (height + gap) })),
      ),
    )
    .png()
    .toFile(to);
  return shuffled.map((row) => row.map(({ name }) => name));
}

function shuffle<T>(items: readonly T[]): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0]);
}
