// The end of a request's work: its caller has gone, or it has taken too long. Whatever it waits for is given up then.

import type { ServerResponse } from 'node:http';
import { Problem } from '../http/problem.ts';

/** Runs `work` with a signal that is aborted when the caller goes, or after so many milliseconds, if any. */
export async function whileWanted<Value>(
  outgoing: Pick<ServerResponse, 'once' | 'off' | 'destroyed'>,
  ms: number | null,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  // The answer is sent after this work: a connection that closes before has been closed by the caller.
  const gone = () => controller.abort(new Problem('bad_request', 'The caller has gone.'));
  const late = () =>
    controller.abort(
      new Problem('busy', 'The request took too long, and was given up.', {}, kAfterLateSeconds),
    );
  const timer = ms === null ? undefined : setTimeout(late, ms);
  outgoing.once('close', gone);
  // It may have closed while the body was read; it says so only once.
  if (outgoing.destroyed) gone();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    outgoing.off('close', gone);
  }
}

const kAfterLateSeconds = 10;
