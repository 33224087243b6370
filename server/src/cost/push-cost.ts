// Computes the cost of a push from its parsed body, before it is queued and before any lock is taken. A push beyond a
// limit is a mistake of the request: a 4xx, and nothing is done. The core has the limits that only it can check
// (src/base/limits.h); an error in one update is that update's result.

import { isRealmName } from '../auth/user.ts';
import { isObject, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { isStorable } from '../db/database.ts';

export interface PushCost {
  /** Keys that are looked up and decided one by one: rows, links and actions of every realm. */
  readonly keys: number;
  /** An estimate of the log's growth: the entry in each realm's log holds the update's actions. */
  readonly written: number;
}

function tooMany(what: string): never {
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
    malformed('The `id` of an update is not one that can be kept.');
  }
  if (!isObject(after)) malformed('An update has no `after`.');
  if (!Object.keys(after).every(isRealmName)) {
    malformed('`after` names a realm that cannot be.');
  }
  for (const action of Array.isArray(actions) ? actions : []) {
    if (isObject(action) && typeof action.id === 'string' && !isId(action.id)) {
      malformed('The `id` of an action is not one that can be kept.');
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

function length(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** The realms of an update. The authority refuses one with an op in another realm than these. */
export function realmsNamed({ after }: JsonObject): string[] {
  return isObject(after) ? Object.keys(after).filter(isRealmName) : [];
}

/** The cost of a push of `bytes`; throws if it is above the limit. */
export function pushCost(updates: readonly JsonObject[], bytes: number): PushCost {
  if (updates.length > limits.updatesPerPush) tooMany(`${limits.updatesPerPush} updates`);
  // This is counted first, and only up to the limit: a far larger push is refused before the rest of it is checked.
  for (const { after } of updates) {
    if (hasMoreThan(limits.realmsPerUpdate, after)) {
      tooMany(`${limits.realmsPerUpdate} realms in an update`);
    }
  }
  // The body itself is the first level.
  checkValues([updates]);
  const realms = new Set<string>();
  let count = 0;
  let links = 0;
  let known = 0;
  let written = bytes;
  for (const update of updates) {
    checkNames(update);
    const named = realmsNamed(update);
    const actions = length(update.actions);
    if (actions > limits.actionsPerUpdate) {
      tooMany(`${limits.actionsPerUpdate} actions in an update`);
    }
    for (const realm of named) realms.add(realm);
    links += named.length;
    known += named.length * actions;
    count += length(update.ops);
    if (named.length > 1)
      written += (named.length - 1) * JSON.stringify(update.actions ?? 0).length;
  }
  if (realms.size > limits.realmsPerPush) tooMany(`${limits.realmsPerPush} realms`);
  if (count > limits.opsPerPush) tooMany(`${limits.opsPerPush} ops`);
  if (known > limits.actionKeysPerPush) {
    tooMany(`${limits.actionKeysPerPush} actions, each counted in every realm of its update`);
  }
  if (written > limits.writtenPerPush) {
    tooMany(`${limits.writtenPerPush} bytes, actions counted in every realm of their update`);
  }
  return { keys: updates.length + links + known + count, written };
}
