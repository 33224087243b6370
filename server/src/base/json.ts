// JSON from outside, before it is checked.

export type JsonObject = Record<string, unknown>;

/**
 * Of the application: an object with names of its own, and no Map or Set, whose entries would be overlooked. Also one that
 * was made in another context of Node.
 */
export function isRecord(value: unknown): value is JsonObject {
  return isObject(value) && Object.prototype.toString.call(value) === '[object Object]';
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
