/** A server that speaks the protocol of S3, for tests; the package has no types. */
declare module 's3rver' {
  export default class S3rver {
    constructor(options: {
      readonly address?: string;
      readonly port?: number;
      readonly silent?: boolean;
      readonly directory: string;
      readonly configureBuckets?: readonly { readonly name: string; readonly configs: readonly unknown[] }[];
    });
    run(): Promise<{ readonly address: string; readonly port: number }>;
    close(): Promise<void>;
  }
}
