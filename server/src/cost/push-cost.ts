// Computes the cost of a push before it is queued and before any lock is taken. A push beyond a limit is a mistake of the
// request: a 4xx, and nothing is done. The core has the limits that only it can check (src/base/limits.h).

import type { JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { realmsNamed, tooMany } from '../wire/updates.ts';

export interface PushCost {
  /** Keys that are looked up and decided one by one: rows, links and actions of every realm. */
  readonly keys: number;
  /** An estimate of the log's growth: the entry in each realm's log holds the update's actions. */
  readonly written: number;
}

function length(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** The cost of a push of `bytes`; throws if it is above the limit. */
export function pushCost(updates: readonly JsonObject[], bytes: number): PushCost {
  const realms = new Set<string>();
  let count = 0;
  let links = 0;
  let known = 0;
  let written = bytes;
  for (const update of updates) {
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
