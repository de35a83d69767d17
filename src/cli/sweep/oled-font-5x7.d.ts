declare module 'oled-font-5x7' {
  /** Glyphs of 5 x 7 pixels: for each character of `lookup` five columns, whose lowest bit is the top row. */
  const font: {
    readonly width: number;
    readonly height: number;
    readonly fontData: readonly number[];
    readonly lookup: readonly string[];
  };
  export default font;
}
