export { encodeStyle } from './encode-style';
export { type LoadStyleOptions, loadStyle, type StyleSource } from './load-style';
export type { StyleFacts, StyleFile } from './style-file';
