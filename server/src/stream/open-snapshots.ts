// What a server needs to fold streams: the reducers of its options, and where they run.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { limits } from '../base/limits.ts';
import { OwnFolder, ThreadFolder } from './folder.ts';
import { ReducerTable, valuesOf } from './reducers.ts';
import { checkReducersFit, type SnapshotParts, StreamSnapshots } from './snapshots.ts';

interface Options extends Pick<SnapshotParts, 'database' | 'retentionMs' | 'log'> {
  readonly schema: unknown;
  readonly reducers?: unknown;
  /** The file or address of the module that exports both. */
  readonly module?: string | URL | undefined;
  readonly actionsPerSnapshot?: number | undefined;
}

/** A file's path is resolved from the current directory. */
function addressOf(module: string | URL): string {
  const isAddress = module instanceof URL || /^(file|data|https?):/.test(module);
  return isAddress ? String(module) : pathToFileURL(resolve(module)).href;
}

/** Throws SetupError where a reducer cannot go on. */
export async function openSnapshots({
  schema,
  module,
  actionsPerSnapshot: every = limits.actionsPerSnapshot,
  ...options
}: Options): Promise<StreamSnapshots> {
  const { database, retentionMs, log } = options;
  const reducers = new ReducerTable(options.reducers);
  await checkReducersFit(database, reducers);
  const folder =
    module === undefined
      ? new OwnFolder(reducers, valuesOf(schema))
      : new ThreadFolder(addressOf(module));
  return new StreamSnapshots({ database, reducers, folder, every, retentionMs, log });
}
