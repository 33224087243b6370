/**
 * Dates and bytes that rows hold. They can be changed, unlike all else in a row, and all readers share the row. So the
 * application gets an object of its own, made when it first reads the member. It stays the same object as long as it
 * equals the row's value, so that a comparison by identity (React's dependencies, say) sees no change. Once the
 * application has changed it, the row returns another.
 */
import { copyBytes, isBytes, isDate, isPlainObject, timeOf } from './brand.ts';
import { setMember } from './data-codec.ts';

/** Returns the same object until the application changes it, and then a fresh one. */
interface MutableCopy {
  give(): unknown;
}

/** The property under which an object has its copies, by member name. Not enumerable: copies by spreading have plain values. */
const kept: unique symbol = Symbol('kept');
/** A number is a date that was not read yet: the dates of most rows never are. */
type RowWithCopies = Record<string, unknown> & { [kept]?: Record<string, MutableCopy | number> };

/**
 * What rows gave, so that a whole row that is given back (`{ ...row, text }`) is recognised, also after the row has changed: dates, with
 * the time that each had, and lists of included rows, which are frozen.
 */
const given = new WeakMap<object, number>();

/** Whether a row gave this very object, and it says the same still. */
export function wasGiven(value: unknown): boolean {
  const ms = given.get(value as object);
  return ms !== undefined && (!isDate(value) || timeOf(value) === ms);
}

/** Frozen: it cannot change. */
export function giving<T extends object>(value: T): T {
  given.set(value, 0);
  return value;
}

class DateCopy implements MutableCopy {
  readonly #ms: number;
  #shared: Date | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  give(): Date {
    if (this.#shared === undefined || timeOf(this.#shared) !== this.#ms) {
      this.#shared = new Date(this.#ms);
      given.set(this.#shared, this.#ms);
    }
    return this.#shared;
  }
}

class BytesCopy implements MutableCopy {
  readonly #bytes: Uint8Array;
  #shared: Uint8Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  give(): Uint8Array {
    if (this.#shared === undefined || !sameBytes(this.#shared, this.#bytes))
      this.#shared = copyBytes(this.#bytes);
    return this.#shared;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  // One whose buffer was transferred is empty.
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** By name: rows share their accessors, so that a row costs no closures. */
const accessors = new Map<string, PropertyDescriptor>();

function accessor(name: string): PropertyDescriptor {
  let found = accessors.get(name);
  if (!found) {
    found = {
      enumerable: true,
      configurable: true,
      get(this: RowWithCopies) {
        const all = this[kept];
        let value = all?.[name];
        if (all && typeof value === 'number') value = all[name] = new DateCopy(value);
        return (value as MutableCopy | undefined)?.give();
      },
    };
    accessors.set(name, found);
  }
  return found;
}

function keep(object: RowWithCopies, name: string, value: MutableCopy | number): void {
  let all = object[kept];
  if (!all) {
    all = {};
    Object.defineProperty(object, kept, { value: all });
  }
  all[name] = value;
  Object.defineProperty(object, name, accessor(name));
}

export function keepDate(object: object, name: string, ms: number): void {
  keep(object as RowWithCopies, name, ms);
}

/** Sets a member of an object that is made for the application. */
export function keepMember(object: object, name: string, value: unknown): void {
  if (isDate(value)) keepDate(object, name, timeOf(value));
  else if (isBytes(value)) keep(object as RowWithCopies, name, new BytesCopy(value));
  else setMember(object as Record<string, unknown>, name, value);
}

/** A row with more members, or others under some of the names. */
export function withMembers(row: object, more: Readonly<Record<string, unknown>>): object {
  const all = (row as RowWithCopies)[kept];
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(row)) {
    const value = all && Object.hasOwn(all, name) ? all[name] : undefined;
    if (value !== undefined) keep(copy, name, value);
    else copy[name] = (row as RowWithCopies)[name];
  }
  for (const name of Object.keys(more)) copy[name] = more[name];
  return Object.freeze(copy);
}

/** A copy that shares nothing with the application that it could change, but its own objects of classes. */
export function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isDate(value)) return new Date(timeOf(value));
  if (isBytes(value)) return copyBytes(value);
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copyOf(item)]));
}

/** Plain data, frozen all through. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
