/** WorkerMessages: what the sync worker reports to its window (docs/sync-worker.md, section 7). */

import type { StatusRecord } from '../core/core-types.ts';
import { errorFromCode, type SkerryError } from '../core/errors.ts';
import type { WindowRunner } from '../host/effect-runner.ts';
import type { EventListeners } from './events.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { ServiceMode } from './service-mode.ts';
import type { Streams } from './streams.ts';
import type { SyncControl } from './sync-api.ts';
import { workerError } from './sync-status.ts';
import type { WorkerOwner, WorkerReport } from './worker-client.ts';

/** Why these streams do not come. */
function leftOut(streams: readonly { readonly stream: string }[]): SkerryError | null {
  if (streams.length === 0) return null;
  const names = streams.map(({ stream }) => stream).join(', ');
  return errorFromCode('limit', `Too many streams are wanted: ${names} find no room.`);
}

interface WorkerMessagesParts {
  readonly options: { readonly remote?: unknown };
  readonly runner: WindowRunner;
  readonly lifecycle: Lifecycle;
  readonly sync: SyncControl;
  readonly streams: Streams;
  readonly service: ServiceMode;
  readonly events: EventListeners;
}

export class WorkerMessages implements WorkerOwner {
  readonly #parts: WorkerMessagesParts;

  constructor(parts: WorkerMessagesParts) {
    this.#parts = parts;
  }

  onMessage(message: WorkerReport): void {
    const { runner, sync, service, streams } = this.#parts;
    switch (message.type) {
      case 'status':
        this.#onStatus(message.status);
        break;
      case 'imageFailed':
        sync.update({ image: workerError(message) });
        return;
      case 'wakeService':
        service.link?.wake(message.message);
        return;
      case 'historyAnswer':
        streams.answered(message);
        return;
      case 'streamsFailed':
        sync.update({ streams: leftOut(message.leftOut) });
        return;
      case 'scopesFailed':
        sync.scopesFailed(message);
        return;
      case 'synced':
        sync.answered(message);
        return;
    }
    runner.dispatch({ type: 'post', message });
  }

  #onStatus(status: StatusRecord): void {
    const { options, lifecycle, sync, events } = this.#parts;
    lifecycle.workerSpoke();
    // Without a remote the worker is always offline, and its status says nothing.
    if (!options.remote) return;
    const before = sync.status.error?.code;
    sync.update({ worker: status });
    const code = sync.status.error?.code;
    const reason = code?.replaceAll('_', '-');
    if (code !== before && (reason === 'client-old' || reason === 'server-old'))
      events.updateNeeded(reason);
  }

  onFailed(error: SkerryError): void {
    this.#parts.sync.failed(error);
  }

  onEnded(): void {
    this.#parts.sync.workerEnded();
    this.#parts.lifecycle.workerEnded();
  }

  onToken(): void {
    this.#parts.sync.tokenGiven();
  }
}
