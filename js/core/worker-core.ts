/** WorkerCore: the owner of a sync worker's core, and the typed face of its calls (docs/sync-worker.md, section 1). */
import type { BrowserModule } from './browser-module.ts';
import type { WorkerConfig } from './core-types.ts';
import type { Times } from './effects.ts';
import { ClosedError } from './errors.ts';
import type { WorkerEffect, WorkerEvent } from './worker-effects.ts';

/** A core without limits of its own has the usual ones. */
export type WorkerCoreConfig = Omit<WorkerConfig, 'limits' | 'times' | 'user'> & {
  /** The user of the database; null: not known. */
  readonly user: string | null;
  readonly times?: Readonly<Record<string, number>> | undefined;
};

export class WorkerCore {
  readonly #module: BrowserModule;
  #handle: number;

  constructor(module: BrowserModule, config: WorkerCoreConfig) {
    this.#module = module;
    this.#handle = module.bound((bound) => bound.newWorker(module.encoded(config)));
  }

  handle(event: WorkerEvent & Times): readonly WorkerEffect[] {
    if (this.#handle === 0) throw new ClosedError('closed', 'The worker is closed.');
    this.#module.callWith('_sk_worker_handle', event, this.#handle);
    return this.#module.output() as WorkerEffect[];
  }

  close(): void {
    if (this.#handle !== 0 && !this.#module.broken)
      this.#module.bound((bound) => bound.freeWorker(this.#handle));
    this.#handle = 0;
  }
}
