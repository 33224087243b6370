/** Clock: wall time in ms since 1970, which may step, and monotonic time in ms, which never goes back. */
export interface Clock {
  now(): number;
  mono(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
};
