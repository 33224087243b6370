// What every request says of its client (docs/protocol.md).

import { isObject, type JsonObject } from '../base/json.ts';
import { Problem } from '../base/problem.ts';
import { isUuid } from '../base/uuid.ts';
import type { SchemaDescription } from '../sql/description.ts';

export function clientOf(body: JsonObject): string {
  if (!isUuid(body.client)) {
    throw new Problem('bad_request', '`client` is not a UUID in lower case.');
  }
  return body.client;
}

/** Whether a caller that checkSchemaVersion lets pass is of an earlier release. */
export function isOlder(body: JsonObject, schema: SchemaDescription): boolean {
  return (body.schema as number) < schema.version;
}

/** Rejects callers whose schema this server cannot serve. */
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

/** What the client says of the realms of its updates: the seq up to which it knows their outcomes. What is none is left out. */
export function seenOf(
  { seen }: JsonObject,
  updates: readonly JsonObject[],
): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  if (!isObject(seen)) return known;
  for (const { after } of updates) {
    for (const realm of isObject(after) ? Object.keys(after) : []) {
      const seq = Object.hasOwn(seen, realm) ? seen[realm] : null;
      if (typeof seq === 'number' && Number.isSafeInteger(seq) && seq > 0) known.set(realm, seq);
    }
  }
  return known;
}

/** The identity that the client had when it made some of these mutations; null: it had this one. */
export function followsOf({ follows }: JsonObject): string | null {
  if (follows === undefined || follows === null) return null;
  const client = isObject(follows) ? follows.client : null;
  if (!isUuid(client)) {
    throw new Problem('bad_request', '`follows` names no client.');
  }
  return client;
}

/** Of updates that may have been sent before: a time of the server's clock that the client knew already then, ms. What is none is 0. */
export function sentOf(
  { sent }: JsonObject,
  updates: readonly JsonObject[],
): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  if (!isObject(sent)) return known;
  for (const { id } of updates) {
    if (typeof id !== 'string' || !Object.hasOwn(sent, id)) continue;
    const at = sent[id];
    known.set(id, typeof at === 'number' && Number.isFinite(at) ? at : 0);
  }
  return known;
}

export function epochOf(body: JsonObject): number | null {
  const { epoch } = body;
  return typeof epoch === 'number' && Number.isSafeInteger(epoch) && epoch >= 0 ? epoch : null;
}
