/** Transport on fetch. */
import { messageOf } from '../core/brand.ts';
import { LimitError, NetworkError, SkerryError, ValidationError } from '../core/errors.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

/** Below this a body is sent as it is: compressing it costs more than it saves. */
const worthCompressingBytes = 1024;

export const fetchTransport: Transport = {
  async request(request) {
    const stop = new AbortController();
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      stop.abort();
    }, request.timeoutMs);
    const onAbort = () => stop.abort();
    request.signal?.addEventListener('abort', onAbort);
    if (request.signal?.aborted) stop.abort();
    try {
      return await Promise.race([exchange(request, stop.signal), aborted(stop.signal)]);
    } catch (error) {
      if (error instanceof SkerryError) throw error;
      const message = timedOut
        ? `No answer within ${request.timeoutMs} ms.`
        : 'The server could not be reached.';
      throw new NetworkError(timedOut ? 'timeout' : 'network', message, {
        cause: error,
        retryable: true,
      });
    } finally {
      clearTimeout(limit);
      request.signal?.removeEventListener('abort', onAbort);
      stop.abort();
    }
  },
};

/** Rejects at an abort. WebKit's service worker goes on waiting for a body that has stopped coming. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}

async function exchange(
  request: TransportRequest,
  signal: AbortSignal,
): Promise<TransportResponse> {
  const headers = building(() => new Headers(request.headers));
  const body = await encodeBody(request, headers);
  const built = building(
    () =>
      new Request(request.url, {
        method: request.method,
        headers,
        body,
        signal,
        credentials: request.credentials ?? 'same-origin',
        cache: 'no-store',
        redirect: 'follow',
      }),
  );
  const response = await fetch(built);
  const bytes = await readBody(response, request);
  return { status: response.status, headers: Object.fromEntries(response.headers), body: bytes };
}

/** What cannot be built will not be sent at the next try either. */
function building<T>(build: () => T): T {
  try {
    return build();
  } catch (cause) {
    throw new ValidationError(
      'invalid_request',
      `The request cannot be built: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

async function encodeBody(request: TransportRequest, headers: Headers): Promise<BodyInit | null> {
  if (request.body === undefined || request.body === null) return null;
  const bytes =
    typeof request.body === 'string' ? new TextEncoder().encode(request.body) : request.body;
  if (
    !request.gzip ||
    bytes.length < worthCompressingBytes ||
    typeof CompressionStream === 'undefined'
  ) {
    return bytes as BodyInit;
  }
  headers.set('content-encoding', 'gzip');
  const stream = new Blob([bytes as BlobPart]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

async function readBody(response: Response, request: TransportRequest): Promise<Uint8Array> {
  const { maxBytes, onProgress } = request;
  if (!response.body) return new Uint8Array(0);
  const declared = Number(response.headers.get('content-length')) || null;
  // With a content encoding the declared length is not that of what is read.
  const total = response.headers.has('content-encoding') ? null : declared;
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    received += value.length;
    if (received > maxBytes)
      throw new LimitError('too_large', `The answer is longer than ${maxBytes} bytes.`);
    chunks.push(value);
    onProgress?.(received, total);
  }
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const whole = new Uint8Array(received);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
