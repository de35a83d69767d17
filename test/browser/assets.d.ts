/** Vite gives the address of a file for an import that ends in `?url`. */
declare module '*?url' {
  const url: string;
  export default url;
}
