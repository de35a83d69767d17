import type { S3Client } from '@aws-sdk/client-s3';
import { StyleTransferError } from '../../errors';
import { loadOptional } from '../../node/load-optional';
import { showText } from '../../options/show';
import { contentTypeOf } from './content-type';
import { mostBytes, type Store, stallTimeoutMs } from './store';
import { type Attempt, requireBytes, storeError } from './store-error';

/**
 * Objects of Amazon S3 or of a server that speaks its protocol, `s3://bucket/key`, through the optional package
 * `@aws-sdk/client-s3`. Region, credentials and endpoint come from that package's own sources: `AWS_REGION`,
 * `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL_S3`, its files, the machine's role.
 */
export const s3Store: Store = {
  async read(option, location, { signal } = {}) {
    const attempt: Attempt = { doing: 'read', option, location };
    const { GetObjectCommand } = await sdk();
    return explaining(attempt, signal, async () => {
      const command = new GetObjectCommand(objectOf(location));
      const { Body, ContentLength } = await (await client()).send(command, { abortSignal: signal });
      requireBytes(attempt, showText(location), ContentLength ?? mostBytes + 1);
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    });
  },
  async write(option, location, bytes, { signal } = {}) {
    const attempt: Attempt = { doing: 'written', option, location };
    const { PutObjectCommand } = await sdk();
    await explaining(attempt, signal, async () => {
      const command = new PutObjectCommand({
        ...objectOf(location),
        Body: bytes,
        ContentType: contentTypeOf(location),
      });
      await (await client()).send(command, { abortSignal: signal });
    });
  },
};

/** Bucket and key of `s3://bucket/key`; undefined if it is none. */
export function s3ObjectOf(location: string): { Bucket: string; Key: string } | undefined {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]*)\/(.+)$/i.exec(location) ?? [];
  return bucket && key ? { Bucket: bucket, Key: key } : undefined;
}

function objectOf(location: string): { Bucket: string; Key: string } {
  const object = s3ObjectOf(location);
  if (object === undefined) throw new TypeError(`not an object of S3: ${showText(location)}`);
  return object;
}

const sdk = () =>
  loadOptional(() => import('@aws-sdk/client-s3'), 'Reading and writing s3: URLs', ['@aws-sdk/client-s3']);

/** Milliseconds that a server has to accept a connection. */
const connectTimeoutMs = 10_000;

let shared: Promise<S3Client> | undefined;

/** One client, and so one pool of connections, for the process. */
function client(): Promise<S3Client> {
  shared ??= sdk().then(({ S3Client }) => {
    const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
    return new S3Client({
      // Only Amazon has a host name for each bucket.
      forcePathStyle: Boolean(AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL),
      // Servers older than 2025 do not know the checksums that newer clients send with each request.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // Without these, the client waits for a server that is silent.
      requestHandler: { connectionTimeout: connectTimeoutMs, socketTimeout: stallTimeoutMs },
    });
  });
  return shared;
}

const missing = ['NoSuchKey', 'NotFound'];

/** Throws errors of the SDK as errors that say whether another attempt may help. */
async function explaining<T>(
  attempt: Attempt,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof StyleTransferError) throw error;
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    const reason = `${showText(attempt.location)}: ${name} (${message})`;
    const status = $metadata?.httpStatusCode;
    const refused =
      name === 'CredentialsProviderError' || (status !== undefined && status < 500 && status !== 429);
    const code = missing.includes(name) ? 'FILE_NOT_FOUND' : refused ? 'STORE_REFUSED' : 'STORE_UNAVAILABLE';
    throw storeError(code, attempt, reason, error);
  }
}
