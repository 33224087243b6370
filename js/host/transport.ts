import type { HostError } from '../core/core-types.ts';
import { LimitError, NetworkError, ValidationError } from '../core/errors.ts';

/**
 * Transport: one HTTP exchange. Guarantee: resolves with the whole answer, whatever its status, or rejects with a
 * NetworkError (code `network` or `timeout`: whether the server acted is unknown), a LimitError (`too_large`: the answer was
 * longer than `maxBytes`) or a ValidationError (`invalid_request`: no engine sends such a request, so nothing was sent). It ends within `timeoutMs`, and follows no redirect to another origin silently.
 */
export interface Transport {
  request(request: TransportRequest): Promise<TransportResponse>;
}

export interface TransportRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | null;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Compress the body, where the engine can and it is worth it. */
  readonly gzip?: boolean;
  readonly credentials?: 'omit' | 'same-origin' | 'include';
  readonly signal?: AbortSignal;
  readonly onProgress?: (receivedBytes: number, totalBytes: number | null) => void;
}

export interface TransportResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A failure by the name that the core knows: `network`, `timeout`, `too-large` or `invalid-request`. */
export function transportFailure(error: unknown): HostError {
  const { message } = error as Error;
  if (error instanceof LimitError) return { name: 'too-large', message };
  if (error instanceof ValidationError) return { name: 'invalid-request', message };
  const timedOut = error instanceof NetworkError && error.code === 'timeout';
  return { name: timedOut ? 'timeout' : 'network', message };
}
