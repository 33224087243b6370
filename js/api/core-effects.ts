/**
 * CoreEffects: what the window's core asks of the rest of its database (docs/window.md, section 6). The effects that both
 * cores have in common are the runner's.
 */

import type { HostError } from '../core/core-types.ts';
import { errorFromCode, StorageError } from '../core/errors.ts';
import type { Message, WindowCoreMessage } from '../core/messages.ts';
import type { WindowCore } from '../core/window-core.ts';
import type { ImagePlace, WindowOnlyEffect } from '../core/window-effects.ts';
import type { Clock } from '../host/clock.ts';
import type { RunnerOwner, WindowRunner } from '../host/effect-runner.ts';
import type { ImageReader } from '../host/image-reader.ts';
import type { ConflictInbox } from './conflicts.ts';
import type { DatabaseState } from './database-state.ts';
import type { EventListeners } from './events.ts';
import { GivingBack } from './giving-back.ts';
import type { KeptUndo } from './kept-undo.ts';
import { loadImage } from './load-image.ts';
import type { Mutations } from './mutations.ts';
import type { RealmsApi } from './realms.ts';
import type { ServiceMode } from './service-mode.ts';
import type { Streams } from './streams.ts';
import type { SyncControl } from './sync-api.ts';
import type { Undo } from './undo.ts';
import type { Validation } from './validation.ts';
import type { WorkerClient } from './worker-client.ts';

interface CoreEffectsParts {
  readonly host: { readonly clock: Clock };
  readonly state: DatabaseState;
  readonly core: WindowCore;
  readonly runner: WindowRunner;
  readonly images: ImageReader;
  readonly mutations: Mutations;
  readonly conflicts: ConflictInbox;
  readonly validation: Validation;
  readonly undo: Undo;
  readonly keptUndo: KeptUndo;
  readonly streams: Streams;
  readonly realms: RealmsApi;
  readonly sync: SyncControl;
  readonly worker: WorkerClient | null;
  readonly service: ServiceMode;
  readonly events: EventListeners;
}

export class CoreEffects implements RunnerOwner<WindowOnlyEffect> {
  readonly #parts: CoreEffectsParts;
  readonly #givingBack: GivingBack;

  constructor(parts: CoreEffectsParts) {
    this.#parts = parts;
    const { host, streams, sync, runner } = parts;
    this.#givingBack = new GivingBack({
      clock: host.clock,
      timers: streams.parts.timers,
      ask: (path, body) => streams.history(path, body),
      dispatch: (event) => runner.dispatch(event),
      restored: (rows) => sync.update({ restored: sync.input.restored + rows }),
    });
  }

  special(effect: WindowOnlyEffect): void {
    const { state, mutations, sync, conflicts, streams, realms, events } = this.#parts;
    switch (effect.type) {
      case 'post':
        this.#post(effect.message);
        break;
      case 'settle':
        mutations.settle(effect);
        break;
      case 'state':
        sync.update({ window: effect });
        realms.follow(effect);
        break;
      case 'conflicts':
        conflicts.replace(effect);
        break;
      case 'resolved':
        conflicts.resolved(effect);
        break;
      case 'validate':
        this.#parts.validation.take(effect);
        break;
      case 'undo':
        this.#parts.undo.take(effect);
        break;
      case 'keepUndo':
        this.#parts.keptUndo.keep(effect);
        break;
      case 'loadImage':
        void this.#loadImage(effect);
        break;
      case 'ready':
        state.ready();
        break;
      case 'openFailed': {
        const { name, message } = effect.error;
        const code = name === 'storage_newer' ? name : 'storage_refused';
        state.refuse(new StorageError(code, `${name}: ${message}`));
        break;
      }
      case 'storageFailed':
        this.#storageFailed(effect.error);
        break;
      case 'storageRecovered':
        state.recover();
        sync.update({ storage: null });
        break;
      case 'dataLost':
        events.dataLost(effect.detail);
        break;
      case 'updateNeeded':
        events.updateNeeded('newer-tab');
        break;
      case 'streamPage':
        streams.paged(effect);
        break;
      case 'compared':
        sync.comparing.compared(effect);
        break;
      case 'offer':
        this.#givingBack.offer(effect);
        break;
      case 'mended':
        events.emit('mended', { rows: sync.mended(effect) });
        break;
      case 'problem':
        sync.problem(effect);
        break;
      default:
        effect satisfies never;
        // An effect of a newer core is shown, because nothing else handles it.
        sync.passing(errorFromCode('internal', (effect as Message).type, { retryable: true }));
    }
  }

  #post(message: WindowCoreMessage): void {
    const { sync, service, worker } = this.#parts;
    if (message.type === 'streams') {
      // Posted again when a worker starts.
      this.#parts.streams.want(message.add);
      return;
    }
    // The service worker is notified directly, because a window may be closed at once.
    if (message.type === 'mutated' && !sync.paused) service.link?.changed();
    worker?.post(message);
  }

  async #loadImage(pointer: ImagePlace): Promise<void> {
    const { images, core, runner } = this.#parts;
    const loaded = await loadImage(images, core, pointer);
    if (!core.closed) runner.dispatch(loaded);
  }

  #storageFailed({ name, message }: HostError): void {
    const { events, sync } = this.#parts;
    const code = name === 'QuotaExceededError' ? 'quota' : 'storage';
    const error = errorFromCode(code, message, { retryable: true }, StorageError);
    sync.update({ storage: error });
    events.emit('storageFailed', { error });
  }
}
