const types: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  avif: 'image/avif',
  tif: 'image/tiff',
  tiff: 'image/tiff',
};

/** The media type that a URL's extension names. */
export function contentTypeOf(url: string): string {
  const [, extension = ''] = /\.(\w+)$/.exec(new URL(url).pathname) ?? [];
  return types[extension.toLowerCase()] ?? 'application/octet-stream';
}
