/** Numbers of an image [height][width][3] with edges, no two rows alike. */
export function generatorPicture(height: number, width: number): Float32Array {
  return Float32Array.from({ length: height * width * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    return 0.5 + 0.3 * Math.sin(0.7 * x + c) * Math.cos(0.4 * y - 0.1 * x) + (x > y ? 0.15 : -0.15);
  });
}
