/** The text of a UUID as ids and realms have it: in lower case. The pattern is also one of PostgreSQL's. */
export const kUuidPattern = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

const kUuid = new RegExp(kUuidPattern);

export function isUuid(text: unknown): text is string {
  return typeof text === 'string' && kUuid.test(text);
}
