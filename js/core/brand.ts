/**
 * What a value is, whichever realm made it. An `iframe`, a window that was opened, `node:vm` and jsdom each have a `Date`, an
 * `Uint8Array` and an `Object` of their own, so `instanceof` and a comparison of prototypes say no to values that are all right.
 * The engine knows them by what it keeps inside of them, which these functions ask for.
 */
const { getTime } = Date.prototype;
const { hasOwn, getPrototypeOf } = Object;

/** `[object Date]`, say. A class of the application's may claim any. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

export function isDate(value: unknown): value is Date {
  if (!(value instanceof Date) && tagOf(value) !== '[object Date]') return false;
  try {
    timeOf(value as Date);
    return true;
  } catch {
    return false; // It only claims to be one.
  }
}

/** In ms; NaN where it is not valid. A subclass cannot answer otherwise than the date that it holds. */
export function timeOf(date: Date): number {
  return getTime.call(date);
}

/** The getter of `Symbol.toStringTag` of all typed arrays, which answers by what the array is, and undefined for all else. */
function typedArrayName(value: unknown): string | undefined {
  const typedArray = getPrototypeOf(Uint8Array.prototype) as object;
  return Reflect.get(typedArray, Symbol.toStringTag, value) as string | undefined;
}

export function isBytes(value: unknown): value is Uint8Array {
  return (
    value instanceof Uint8Array ||
    (ArrayBuffer.isView(value) && typedArrayName(value) === 'Uint8Array')
  );
}

/** A copy, of this realm. Not `slice`: that of Node's `Buffer` copies nothing. */
export function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Whether it is the `Object.prototype` of some realm; not that of a class which extends null. */
export function isObjectPrototype(prototype: object): boolean {
  return (
    prototype === Object.prototype ||
    (getPrototypeOf(prototype) === null && hasOwn(prototype, 'isPrototypeOf'))
  );
}

/** An object as a literal makes it, or without a prototype. No array, and no instance of a class. */
export function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = getPrototypeOf(value);
  return prototype === null || isObjectPrototype(prototype as object);
}

/** `[object Blob]`, or a `File`, which is one. */
export function isBlob(value: unknown): value is Blob {
  const tag = tagOf(value);
  return (
    (tag === '[object Blob]' || tag === '[object File]') &&
    typeof (value as Partial<Blob>).size === 'number'
  );
}

/** A value, in a sentence for people: `a number`, `an object of Map`. */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (Array.isArray(value)) return 'a list';
  if (isPlainObject(value)) return 'an object';
  return `an object of ${value.constructor?.name || 'an unknown class'}`;
}

/** What people are shown of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  const { message } = thrown as { readonly message?: unknown };
  return typeof message === 'string' ? message : String(thrown);
}
