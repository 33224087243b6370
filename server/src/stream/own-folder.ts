// Folds in the server's own process, where the reducers are functions of the program that has started it: a process of
// their own could not have them. The state is bounded; time and memory are not.

import { setImmediate as otherWork } from 'node:timers/promises';
import { type FoldLimits, FoldWork } from './fold-work.ts';
import type { FoldBegin, FoldDone, FoldedAction, Folder, MadeState, PageDone } from './folder.ts';
import type { ReducerTable, ValueCodec } from './reducers.ts';

export class OwnFolder implements Folder {
  readonly #work: FoldWork;

  constructor(table: ReducerTable, values: ValueCodec, limits: FoldLimits) {
    this.#work = new FoldWork(table, values, limits, otherWork);
  }

  async begin(begin: FoldBegin): Promise<void> {
    this.#work.begin(begin);
  }

  page(actions: readonly FoldedAction[]): Promise<PageDone> {
    return this.#work.page(actions);
  }

  async finish(): Promise<FoldDone> {
    return this.#work.finish();
  }

  async kept(): Promise<MadeState | null> {
    return this.#work.kept();
  }

  async close(): Promise<void> {}
}
