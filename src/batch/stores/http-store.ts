import { StyleTransferError } from '../../errors';
import { showUrl } from '../../options/show';
import { type Download, download } from '../../storage/download';
import { retrying } from '../../storage/retry';
import { contentTypeOf } from './content-type';
import { type Store, type StoreOptions, stallTimeoutMs } from './store';
import { type Attempt, requireBytes, storeError } from './store-error';

/** `fetch` does not tell how much it has sent, so this many bytes a second are allowed for. */
const slowestUpload = 50_000;

/** Repetitions of a request that failed for a reason that may pass; a queue repeats the job after that. */
const retries = 2;
const retryDelayMs = 500;

/** Files on a server: GET reads, PUT writes. User name and password of a URL are sent as Basic authentication. */
export const httpStore: Store = {
  async read(option, location, options) {
    const attempt: Attempt = { doing: 'read', option, location };
    const name = showUrl(location);
    return request(attempt, {}, options, async ({ total, chunks }) => {
      if (total !== undefined) requireBytes(attempt, name, total);
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of chunks) {
        length += chunk.length;
        parts.push(chunk);
        requireBytes(attempt, name, length);
      }
      requireBytes(attempt, name, length);
      return Buffer.concat(parts);
    });
  },
  async write(option, location, bytes, options) {
    const init: RequestInit = {
      method: 'PUT',
      body: bytes as Uint8Array<ArrayBuffer>,
      headers: { 'content-type': contentTypeOf(location) },
    };
    const sendingMs = (bytes.length / slowestUpload) * 1000;
    await request({ doing: 'written', option, location }, init, options, async () => {}, sendingMs);
  },
};

/** @param sendingMs milliseconds that the body of the request may take */
async function request<T>(
  attempt: Attempt,
  init: RequestInit,
  { signal }: StoreOptions = {},
  receive: (download: Download) => Promise<T>,
  sendingMs = 0,
): Promise<T> {
  const { url, authorization } = withoutUser(attempt.location);
  let status = 0;
  const send: typeof fetch = async (address, { headers, signal } = {}) => {
    const response = await fetch(address, {
      ...init,
      headers: { ...authorization, ...(init.headers as object), ...(headers as object) },
      signal,
    });
    ({ status } = response);
    return response;
  };
  const transport = { fetch: send, stallTimeoutMs: stallTimeoutMs + sendingMs, signal };
  try {
    return await retrying(() => download(url, undefined, transport, receive), {
      retries,
      retryDelayMs,
      signal,
    });
  } catch (error) {
    if (signal?.aborted || !(error instanceof StyleTransferError) || error.code !== 'DOWNLOAD_FAILED')
      throw error;
    // Without a cause it is a response with a status that another attempt does not change.
    const mayPass = error.cause !== undefined;
    const missing = attempt.doing === 'read' && (status === 404 || status === 410);
    const code = mayPass ? 'STORE_UNAVAILABLE' : missing ? 'FILE_NOT_FOUND' : 'STORE_REFUSED';
    throw storeError(code, attempt, error.message, error);
  }
}

/** A URL without user name and password, which `fetch` refuses, and the header that stands for them. */
function withoutUser(location: string): { url: string; authorization: Readonly<Record<string, string>> } {
  const url = new URL(location);
  const { username, password } = url;
  if (username === '' && password === '') return { url: url.href, authorization: {} };
  [url.username, url.password] = ['', ''];
  const user = decodeURIComponent(`${username}:${password}`);
  return {
    url: url.href,
    authorization: { authorization: `Basic ${Buffer.from(user).toString('base64')}` },
  };
}
