/** A module with all that it imports, as the text of a script: see `scripts/bundled-text.ts`. */
declare module '*?bundle' {
  const text: string;
  export default text;
}
