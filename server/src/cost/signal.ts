// The end of a request's work: its caller has disconnected, or it has taken too long. All its waits end then.

import type { ServerResponse } from 'node:http';
import { Problem } from '../base/problem.ts';
import type { Within } from '../db/database.ts';

/** A request whose answer is wanted until the signal is aborted. */
export interface Wanted extends Within {
  readonly signal: AbortSignal;
  readonly finish: NonNullable<Within['finish']>;
}

const kAfterLateSeconds = 10;

/** Runs `work` with a signal that is aborted when the caller disconnects, or after so many milliseconds, if given. */
export async function whileWanted<Value>(
  outgoing: Pick<ServerResponse, 'once' | 'off' | 'destroyed'>,
  ms: number | null,
  work: (wanted: Wanted) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  let finishing = 0;
  let reason: Problem | null = null;
  const end = (problem: Problem) => {
    reason ??= problem;
    if (finishing === 0) controller.abort(reason);
  };
  const finish = async <Result>(task: () => Promise<Result>): Promise<Result> => {
    finishing++;
    try {
      return await task();
    } finally {
      finishing--;
      if (reason !== null) end(reason);
    }
  };
  // The answer is sent after this work: if the connection closes before, the caller has closed it.
  const gone = () => end(new Problem('bad_request', 'The caller has disconnected.'));
  const late = () =>
    end(
      new Problem('busy', 'The request took too long, and was cancelled.', {}, kAfterLateSeconds),
    );
  const timer = ms === null ? undefined : setTimeout(late, ms);
  outgoing.once('close', gone);
  // The connection may have closed while the body was read; the event comes only once.
  if (outgoing.destroyed) gone();
  try {
    return await work({ signal: controller.signal, finish });
  } finally {
    clearTimeout(timer);
    outgoing.off('close', gone);
  }
}
