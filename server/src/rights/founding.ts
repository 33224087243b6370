// Which realms begin with a push: their rows must be there to be locked. The authority decides whether they do.

import type { JsonObject } from '../base/json.ts';
import { type Caller, isFoundable } from './rights.ts';

interface Pushed {
  readonly user: Caller;
  readonly names: { readonly founds: readonly string[] };
}

/** The realms of `realms` that may begin: founded by one of the updates, or granted by configuration. */
export function beginning(units: readonly Pushed[], realms: ReadonlySet<string>): string[] {
  const founded = new Set(units.flatMap(({ names }) => names.founds));
  const writers = new Set(units.map(({ user }) => user));
  const isGranted = (realm: string) =>
    [...writers].some(({ grants }) => /^(write|own)$/.test(grants.get(realm) ?? ''));
  return [...realms].filter((realm) =>
    isFoundable(realm) ? founded.has(realm) : isGranted(realm),
  );
}

/** What a caller's request grants, as the authority has it. */
export function grantsOf({ grants }: Caller): JsonObject {
  return Object.fromEntries(grants);
}
