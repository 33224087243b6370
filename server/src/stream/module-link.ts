// The server's side of the process that folds streams by the reducers of the schema module (module-process.ts). If the process
// ends over a stream, that stream is at fault.

import { ChildLink, type ChildOptions, type EndReason } from '../process/child-link.ts';
import type { FoldLimits } from './fold-work.ts';
import {
  type ApartReason,
  type FoldBegin,
  type FoldDone,
  type FoldedAction,
  type Folder,
  FolderAway,
  FolderGone,
  type MadeState,
  type PageDone,
  Unfoldable,
} from './folder.ts';

export interface ModuleOptions extends ChildOptions {
  readonly limits: FoldLimits;
}

export type FolderRequest =
  | { readonly begin: FoldBegin }
  | { readonly page: readonly FoldedAction[] }
  | { readonly what: 'finish' | 'kept' };

export type FolderAnswer =
  | { readonly value: unknown }
  | { readonly unfoldable: { readonly reason: ApartReason; readonly detail: string } }
  | { readonly away: string };

export interface ModuleLinkOptions {
  readonly module: URL;
  readonly limits: FoldLimits;
  /** MB of the heap. */
  readonly memory: number;
  /** The time for each answer. */
  readonly seconds: number;
  /** A process that has nothing to do for so long ends. */
  readonly idleMs?: number;
}

export class ModuleLink implements Folder {
  readonly #link: ChildLink<FolderRequest, FolderAnswer>;

  constructor({ limits, ...options }: ModuleLinkOptions) {
    this.#link = new ChildLink({
      ...options,
      file: 'module-process',
      own: { limits },
      gone: (reason: EndReason, detail) =>
        new FolderGone(reason, `Its reducer cannot go on: ${detail}.`),
      away: (message, cause) => new FolderAway(message, cause),
    });
  }

  async begin(begin: FoldBegin): Promise<void> {
    await this.#link.start();
    try {
      await this.#ask({ begin });
    } catch (error) {
      // It would fail again at once, for any stream.
      if (error instanceof FolderAway) this.#link.failed(error);
      throw error;
    }
  }

  page(actions: readonly FoldedAction[]): Promise<PageDone> {
    return this.#ask({ page: actions }) as Promise<PageDone>;
  }

  finish(): Promise<FoldDone> {
    return this.#ask({ what: 'finish' }) as Promise<FoldDone>;
  }

  kept(): Promise<MadeState | null> {
    return this.#ask({ what: 'kept' }) as Promise<MadeState | null>;
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  async #ask(ask: FolderRequest): Promise<unknown> {
    const answer = await this.#link.ask(ask);
    if ('value' in answer) return answer.value;
    if ('away' in answer) throw new FolderAway(answer.away);
    throw new Unfoldable(answer.unfoldable.reason, answer.unfoldable.detail);
  }
}
