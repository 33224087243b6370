// Where reducers come from, where they run, and the snapshots that are made by them.

import { limits } from './base/limits.ts';
import { SetupError } from './base/setup-error.ts';
import type { Database } from './db/database.ts';
import type { ServerOptions } from './options.ts';
import { loadSchemaModule } from './schema-module.ts';
import { retryApart } from './stream/apart.ts';
import type { Folder } from './stream/folder.ts';
import { ModuleLink } from './stream/module-link.ts';
import { OwnFolder } from './stream/own-folder.ts';
import { ReducerTable, valuesOf } from './stream/reducers.ts';
import { checkReducersFit, StreamSnapshots } from './stream/snapshots.ts';

export function retentionOf({ retention = limits.retention }: ServerOptions): number {
  return retention * 1000;
}

const foldLimits = { stateBytes: limits.stateBytes, measureBytes: limits.bytesPerMeasure };

/** Functions run in this process, and what a module exports in one of its own. */
async function openFolder(
  options: ServerOptions,
): Promise<{ readonly reducers: ReducerTable; readonly folder: Folder }> {
  const { schema, schemaModule, reducers: functions } = options;
  const { reducerMemory: memory = limits.reducerMemory } = options;
  const { reducerSeconds: seconds = limits.reducerSeconds } = options;
  if (schemaModule === undefined) {
    const reducers = new ReducerTable(functions);
    return { reducers, folder: new OwnFolder(reducers, valuesOf(schema), foldLimits) };
  }
  if (functions !== undefined)
    throw new SetupError('`reducers` and `schemaModule` are both given: leave one of them out.');
  const { url, module } = await loadSchemaModule(schemaModule);
  const folder = new ModuleLink({ module: url, memory, seconds, limits: foldLimits });
  return { reducers: new ReducerTable(module.reducers), folder };
}

/** Makes snapshots of the streams that have reducers. Throws SetupError where a reducer cannot go on. */
export async function openSnapshots(
  options: ServerOptions,
  database: Database,
  log: (message: string, error: unknown) => void,
): Promise<StreamSnapshots> {
  const { reducers, folder } = await openFolder(options);
  await checkReducersFit(database, reducers);
  if (options.retryStreams) await retryApart(database);
  const { actionsPerSnapshot: every = limits.actionsPerSnapshot } = options;
  const retentionMs = retentionOf(options);
  return new StreamSnapshots({ database, reducers, folder, every, retentionMs, log });
}
