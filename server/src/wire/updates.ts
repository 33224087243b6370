// Checks the updates of a push before any work begins: how many there are, the values and names that are kept whatever
// else is wrong, and the realms. The authority checks all else in each one, and an error is that update's own result.

import { isRealmName } from '../auth/user.ts';
import { isObject, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { isStorable } from '../db/database.ts';

export function tooMany(what: string): never {
  throw new Problem('limit', `A push may have ${what}.`);
}

function malformed(what: string): never {
  throw new Problem('bad_request', what);
}

/**
 * Refuses values that are nested too deeply, and numbers that only JSON can express. Goes level by level, for any
 * depth.
 */
export function checkValues(value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limits.jsonDepth)
      throw new Problem('limit', `JSON may be at most ${limits.jsonDepth} levels deep.`);
    const next: unknown[] = [];
    for (const parent of level as object[]) {
      for (const child of Array.isArray(parent) ? parent : Object.values(parent)) {
        if (typeof child === 'object' && child !== null) next.push(child);
        else if (typeof child === 'number' && !Number.isFinite(child)) {
          malformed('A number is too large to be kept.');
        }
      }
    }
    level = next;
  }
}

/** Whether SQL and locks can hold this text as an id. */
function isId(text: string): boolean {
  return isStorable(text) && Buffer.byteLength(text) <= limits.idBytes;
}

/** Checks the ids that are stored with a refusal, whatever else is wrong with the update. */
function checkNames({ id, after, actions }: JsonObject): void {
  if (typeof id !== 'string' || id === '' || !isId(id)) {
    malformed('The `id` of an update is invalid.');
  }
  if (!isObject(after)) malformed('An update has no `after`.');
  if (!Object.keys(after).every(isRealmName)) {
    malformed('`after` names a realm that cannot be.');
  }
  for (const action of Array.isArray(actions) ? actions : []) {
    if (isObject(action) && typeof action.id === 'string' && !isId(action.id)) {
      malformed('The `id` of an action is invalid.');
    }
  }
}

/** Whether an object has more than `most` members. */
function hasMoreThan(most: number, value: unknown): boolean {
  if (!isObject(value)) return false;
  let count = 0;
  for (const _ in value) if (++count > most) return true;
  return false;
}

/** The realms of an update. The authority refuses one with an op in another realm than these. */
export function realmsNamed({ after }: JsonObject): string[] {
  return isObject(after) ? Object.keys(after).filter(isRealmName) : [];
}

/** The updates of a push's body. */
export function updatesOf({ updates }: JsonObject): JsonObject[] {
  if (!Array.isArray(updates) || !updates.every(isObject))
    malformed('`updates` is not a list of objects.');
  if (updates.length > limits.updatesPerPush) tooMany(`${limits.updatesPerPush} updates`);
  // This is counted first, and only up to the limit: a far larger push is refused before the rest of it is checked.
  for (const { after } of updates) {
    if (hasMoreThan(limits.realmsPerUpdate, after)) {
      tooMany(`${limits.realmsPerUpdate} realms in an update`);
    }
  }
  // The body itself is the first level.
  checkValues([updates]);
  for (const update of updates) checkNames(update);
  return updates;
}
