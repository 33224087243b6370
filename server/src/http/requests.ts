// The shapes of requests, checked on the way in. Updates are only checked to be objects: what is wrong with one is its own
// result, and the authority's to say.

import { isRealmName } from '../auth/auth.ts';
import { limits } from '../limits.ts';
import type { SchemaDescription } from '../sql/description.ts';
import { isObject, type JsonObject } from './body.ts';
import { Problem } from './problem.ts';

const kUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function clientOf(body: JsonObject): string {
  if (typeof body.client !== 'string' || !kUuid.test(body.client)) {
    throw new Problem('bad_request', '`client` is not a UUID in lower case.');
  }
  return body.client;
}

/** Refuses callers whose schema this server's cannot serve. */
export function checkSchemaVersion(body: JsonObject, schema: SchemaDescription): void {
  const version = body.schema;
  if (typeof version !== 'number' || !Number.isInteger(version)) {
    throw new Problem('bad_request', '`schema` is not a version.');
  }
  if (version === schema.version || schema.accepts?.includes(version)) return;
  const code = version > schema.version ? 'server-old' : 'client-old';
  throw new Problem(code, `The schema's version is ${schema.version} here, not ${version}.`, {
    schema: schema.version,
  });
}

export function updatesOf(body: JsonObject): JsonObject[] {
  const { updates } = body;
  if (!Array.isArray(updates) || !updates.every(isObject)) {
    throw new Problem('bad_request', '`updates` is not a list of objects.');
  }
  if (updates.length > limits.updatesPerPush) {
    throw new Problem('limit', `A push may have ${limits.updatesPerPush} updates.`);
  }
  return updates;
}

export function epochOf(body: JsonObject): number | null {
  const { epoch } = body;
  return typeof epoch === 'number' && Number.isSafeInteger(epoch) && epoch >= 0 ? epoch : null;
}

/** The ids in `have`; refuses a pull that is larger than any client's can be. */
export function checkPull(body: JsonObject): void {
  const { have = [], known = [], cursors = {}, scopes = [] } = body;
  if (!Array.isArray(have) || !isObject(cursors) || !Array.isArray(scopes)) {
    throw new Problem('bad_request', '`have`, `cursors` or `scopes` is not of its form.');
  }
  if (!Array.isArray(known) || !known.every(isRealmName)) {
    throw new Problem('bad_request', '`known` is not a list of ids of actions.');
  }
  const tooMany =
    have.length > limits.haveIds ||
    known.length > limits.haveIds ||
    Object.keys(cursors).length > limits.cursors ||
    scopes.length > limits.scopes;
  if (tooMany) throw new Problem('limit', 'The pull names too many updates, realms or scopes.');
}
