// The process of the schema module: it imports the module again, and folds streams by its reducers (module-link.ts is the other
// side).

import { setImmediate as otherWork } from 'node:timers/promises';
import { thrownText } from '../base/thrown.ts';
import { serveParent } from '../process/serve-parent.ts';
import { FoldWork } from './fold-work.ts';
import { Unfoldable } from './folder.ts';
import type { FolderAnswer, FolderRequest, ModuleOptions } from './module-link.ts';
import { ReducerTable, valuesOf } from './reducers.ts';

async function load({ module: href, limits }: ModuleOptions): Promise<FoldWork> {
  const module = (await import(href)) as Record<string, unknown>;
  const values = valuesOf(module.default ?? module.app);
  return new FoldWork(new ReducerTable(module.reducers), values, limits, otherWork);
}

async function answerTo(work: FoldWork, ask: FolderRequest): Promise<FolderAnswer> {
  try {
    if ('begin' in ask) return { value: work.begin(ask.begin) };
    if ('page' in ask) return { value: await work.page(ask.page) };
    return { value: ask.what === 'finish' ? work.finish() : work.kept() };
  } catch (error) {
    if (error instanceof Unfoldable)
      return { unfoldable: { reason: error.reason, detail: error.message } };
    return { away: thrownText(error) };
  }
}

serveParent(import.meta.url, async (options: ModuleOptions) => {
  const work = await load(options);
  return (ask: FolderRequest) => answerTo(work, ask);
});
