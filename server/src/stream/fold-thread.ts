// The thread of the reducers: it imports the application's module, and folds what it is given (folder.ts is the other side).

import { parentPort, workerData } from 'node:worker_threads';
import {
  type Failed,
  type FaultKind,
  type FoldedAction,
  FoldFault,
  FoldState,
} from './fold-state.ts';
import { ReducerTable, valuesOf } from './reducers.ts';
import type { StoredState } from './snapshot-rows.ts';

export type ToFoldThread =
  | { readonly begin: string; readonly stored: StoredState | null }
  | { readonly fold: readonly FoldedAction[] }
  | { readonly finish: true };

export interface FromFoldThread {
  readonly fault?: { readonly kind: FaultKind; readonly message: string };
  readonly failed?: Failed;
  readonly text?: string;
}

if (parentPort === null) throw new Error('This file is the entry of a thread.');
const port = parentPort;
const { module, stateBytes } = workerData as {
  readonly module: string;
  readonly stateBytes: number;
};

const exports = (await import(module)) as Record<string, unknown>;
const state = new FoldState(
  new ReducerTable(exports.reducers),
  valuesOf(exports.default ?? exports.app),
  stateBytes,
);

function answer(message: ToFoldThread): FromFoldThread {
  if ('begin' in message) {
    state.begin(message.begin, message.stored);
    return {};
  }
  if ('finish' in message) {
    const text = state.text();
    state.end();
    return { text };
  }
  let count = 0;
  let first: Failed['first'] = null;
  for (const action of message.fold) {
    const failed = state.fold(action);
    if (failed !== null) count++;
    first ??= failed;
  }
  return { failed: { count, first } };
}

port.on('message', (message: ToFoldThread) => {
  let said: FromFoldThread;
  try {
    said = answer(message);
  } catch (error) {
    state.end();
    const kind = error instanceof FoldFault ? error.kind : 'failed';
    said = { fault: { kind, message: error instanceof Error ? error.message : String(error) } };
  }
  port.postMessage(said);
});
port.postMessage({} satisfies FromFoldThread);
