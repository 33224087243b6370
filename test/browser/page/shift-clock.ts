// A machine whose clock is wrong, for this window or Worker. Engines without DevTools have no other way to one.
export function shiftClock(ms: number): void {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given: unknown[]) {
      if (given.length > 0) super(...(given as [number]));
      else super(Real.now() + ms);
    }
    static override now(): number {
      return Real.now() + ms;
    }
  } as DateConstructor;
}
