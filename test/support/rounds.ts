// How often tests repeat what chance decides: a part by day, all of it by night (tools/nightly.mjs), as test/core/rounds.h.

/** `all` where SKERRY_ROUNDS is "all", else `byDay`. */
export function rounds(all: number, byDay: number): number {
  return process.env['SKERRY_ROUNDS'] === 'all' ? all : byDay;
}
