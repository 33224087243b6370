// How long tests wait. Their limits are those of a machine that has nothing else to do; on one that is slower, or busy beside
// the tests, they are longer by as much as a fixed computation takes longer there. So nothing waits without a limit, and
// no test fails because of an IDE and a video call.

import { availableParallelism, loadavg } from 'node:os';

/** Processes of a run have the factor of its start by it. */
const VARIABLE = 'SKERRY_TEST_PATIENCE';
/** What the computation takes on a machine with nothing else to do: two cores of a cloud. */
const REFERENCE_MS = 20;
const ROUNDS = 10_000_000;
/** A test that hangs must still end. */
const MOST = 8;

/** Wall time: what other processes take of the processor counts. */
function computationMs(): number {
  const begin = performance.now();
  let state = 1;
  for (let i = 0; i < ROUNDS; i++) state = (Math.imul(state ^ i, 0x9e3779b1) >>> 1) | 1;
  // The result is used, so that the loop is not left out.
  return state === 0 ? 0 : performance.now() - begin;
}

/**
 * The mean of some computations, because other processes come and go; or how many processes have wanted each processor in the
 * last minute, where the system counts them: a short computation may be served before those that have run for long.
 */
function measured(times: number): number {
  const all = Array.from({ length: times }, computationMs);
  const slower = all.reduce((sum, ms) => sum + ms, 0) / times / REFERENCE_MS;
  return Math.max(slower, (loadavg()[0] ?? 0) / availableParallelism());
}

const atStart = Number(process.env[VARIABLE] ?? 0);

/** From 1 to 8: measured at the start of the run, and shortly again where a file of tests begins. */
export const slowness = Math.min(MOST, Math.max(1, atStart, measured(atStart === 0 ? 6 : 1)));

/** Processes that this one starts wait at least as long. vitest.config.ts calls it, before any test. */
export function rememberSlowness(): void {
  process.env[VARIABLE] = String(slowness);
}

/** A limit in ms, as long as this machine needs. */
export function patience(ms: number): number {
  return Math.round(ms * slowness);
}
