// Errors of the wire: problem+json (RFC 9457) with a stable `code`. docs/protocol.md has the table of codes; a code
// is never renamed. An internal error is logged, and answered without its details.

import type { ContentfulStatusCode } from 'hono/utils/http-status';

const statuses = {
  bad_request: 400,
  bad_json: 400,
  'client-old': 409,
  'server-old': 409,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  client_bound: 403,
  gone: 410,
  too_large: 413,
  unsupported_encoding: 415,
  invalid: 422,
  limit: 422,
  slow_body: 408,
  rate_limited: 429,
  busy: 503,
  rights_unavailable: 503,
  stopping: 503,
  internal: 500,
} as const satisfies Record<string, ContentfulStatusCode>;

export type ProblemCode = keyof typeof statuses;

export class Problem extends Error {
  readonly code: ProblemCode;
  readonly extra: Readonly<Record<string, unknown>>;
  /** Sent to callers that may try again. */
  readonly retryAfterSeconds: number;

  constructor(
    code: ProblemCode,
    detail: string,
    extra: Record<string, unknown> = {},
    retryAfterSeconds = 1,
  ) {
    super(detail);
    this.code = code;
    this.extra = extra;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get status(): ContentfulStatusCode {
    return statuses[this.code];
  }

  /** The parts of the answer. */
  parts(): { status: ContentfulStatusCode; headers: Record<string, string>; body: string } {
    const headers: Record<string, string> = {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
    };
    if (this.code === 'unauthenticated') headers['www-authenticate'] = 'Bearer';
    if (this.status === 503 || this.status === 429) {
      headers['retry-after'] = String(this.retryAfterSeconds);
    }
    const body = JSON.stringify({
      type: 'about:blank',
      title: this.code.replaceAll('_', ' '),
      status: this.status,
      code: this.code,
      detail: this.message,
      ...this.extra,
    });
    return { status: this.status, headers, body };
  }

  toResponse(): Response {
    const { body, ...init } = this.parts();
    return new Response(body, init);
  }
}
