/**
 * CoreEffects: what the window's core asks of the rest of its database (docs/window.md, section 6). The effects that both
 * cores have in common are the runner's.
 */
import { errorFromCode, StorageError } from '../core/errors.ts';
import type { Message, WindowCore } from '../core/window-core.ts';
import type { EffectRunner, RunnerOwner } from '../host/effect-runner.ts';
import type { ImagePointer, ImageReader } from '../host/image-reader.ts';
import type { ConflictInbox } from './conflicts.ts';
import type { DatabaseState } from './database-state.ts';
import type { EventListeners } from './events.ts';
import { loadImage } from './load-image.ts';
import type { Mutations } from './mutations.ts';
import type { UpdateReason } from './options.ts';
import type { ServiceMode } from './service-mode.ts';
import type { Problem, SyncControl } from './sync-api.ts';
import type { WindowState } from './sync-status.ts';
import type { WorkerClient } from './worker-client.ts';

interface Parts {
  readonly state: DatabaseState;
  readonly core: WindowCore;
  readonly runner: EffectRunner;
  readonly images: ImageReader;
  readonly mutations: Mutations;
  readonly conflicts: ConflictInbox;
  readonly sync: SyncControl;
  readonly worker: WorkerClient | null;
  readonly service: ServiceMode;
  readonly events: EventListeners;
}

export class CoreEffects implements RunnerOwner {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  post(message: unknown): void {
    const { sync, service, worker } = this.#parts;
    // The service worker is notified directly, because a window may be closed at once.
    if ((message as Message).type === 'mutated' && !sync.paused) service.link?.changed();
    worker?.post(message);
  }

  special(effect: Message): void {
    const { state, mutations, sync, conflicts } = this.#parts;
    switch (effect.type) {
      case 'settle':
        mutations.settle(effect);
        break;
      case 'state':
        sync.update({ window: effect as unknown as WindowState });
        break;
      case 'conflicts':
        conflicts.replace(effect);
        break;
      case 'resolved':
        conflicts.resolved(effect);
        break;
      case 'loadImage':
        void this.#loadImage(effect as unknown as ImagePointer);
        break;
      case 'ready':
        state.ready();
        break;
      case 'openFailed': {
        const { name, message } = effect['error'] as { name: string; message: string };
        const code = name === 'storage_newer' ? name : 'storage_refused';
        state.refuse(new StorageError(code, `${name}: ${message}`));
        break;
      }
      case 'notify':
        this.#notify(effect);
        break;
      case 'problem':
        sync.problem(effect as unknown as Problem);
        break;
      default:
        // An effect of a newer core is shown, because nothing else handles it.
        sync.passing(errorFromCode('internal', effect.type, { retryable: true }));
    }
  }

  async #loadImage(pointer: ImagePointer): Promise<void> {
    const { images, core, runner } = this.#parts;
    const loaded = await loadImage(images, core, pointer);
    if (!core.closed) runner.dispatch(loaded);
  }

  #notify(effect: Message): void {
    const { state, events, sync } = this.#parts;
    switch (effect['kind']) {
      case 'dataLost':
        events.dataLost(String(effect['detail'] ?? ''));
        break;
      case 'updateNeeded':
        events.updateNeeded(effect['reason'] as UpdateReason);
        break;
      case 'storageFailed': {
        const { name, message } = effect['error'] as { name: string; message: string };
        const code = name === 'QuotaExceededError' ? 'quota' : 'storage';
        const error = errorFromCode(code, message, { retryable: true }, StorageError);
        sync.update({ storage: error });
        events.emit('storageFailed', { error });
        break;
      }
      case 'storageRecovered':
        state.recover();
        sync.update({ storage: null });
        break;
    }
  }
}
