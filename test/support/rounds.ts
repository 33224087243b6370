// How often tests repeat what chance decides: a part by day, all of it by night (tools/nightly.mjs), as test/core/rounds.h.

export const byNight = process.env['SKERRY_ROUNDS'] === 'all';

/** `all` by night, else `byDay`. */
export function rounds(all: number, byDay: number): number {
  return byNight ? all : byDay;
}
