/**
 * For an application's own service worker. It listens to messages, and to `sync` events where they exist; caching,
 * `fetch` and `skipWaiting` stay the application's own:
 *
 *   import { http, syncWorker } from 'skerry/service-worker';
 *   import { app } from './schema.js';
 *   syncWorker({ name: 'demo', schema: app, remote: http('/v1') });
 */
import { databaseName } from './api/options.ts';
import type { Remote } from './api/remote.ts';
import { makeStop } from './api/stop.ts';
import type { Schema, Stop } from './api/types.ts';
import { SchemaError } from './core/errors.ts';
import { serve } from './worker/service/serve.ts';

export { type HttpOptions, http, type Remote, type TokenReason } from './api/remote.ts';

export interface SyncWorkerOptions {
  /** As in `open`, for any user. */
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: any schema.
  readonly schema: Schema<any>;
  /** Its `token`, if it has one, is asked here; else the windows are. */
  readonly remote: Remote;
}

export function syncWorker(options: SyncWorkerOptions): Stop {
  const { name, remote } = options;
  databaseName(name, undefined);
  // Not by its class: it may be made by another copy of the package, in the same bundle.
  const made = options.schema as { toJSON?(): { readonly version: number } };
  const schema = made.toJSON?.();
  if (!schema) throw new SchemaError('schema', 'Make the schema with schema(tables, { version }).');
  const url = new URL(remote.url, location.href).href;
  const stop = serve(
    { name, schema, remote: { ...remote, url } },
    // Written out, because bundlers look for exactly this expression.
    () => new URL('./skerry.wasm', import.meta.url),
  );
  return makeStop(stop);
}
