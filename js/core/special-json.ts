/**
 * JSON with more than JSON in it: dates, bytes, enum instances and objects of the application's classes, as they stand
 * in json props, in classes' own json and in the arguments of actions (docs/design.md, "Objects and ops"):
 *
 *   {"$type":"date","v":<ms>}   {"$type":"bytes","v":<base64>}   {"$type":<enum>,"v":<name>}
 *   {"$type":<class>,"v":<json>,"version":<number>}
 *
 * A key of the application's own that begins with `$` gets one more in front. A value that cannot be decoded (an unknown type or
 * name, bytes that are no base64, an object that its class does not take) is kept, as an `UnknownValue`, and written back as it
 * came: a user who may write into a realm must not be able to make its rows unreadable.
 */
import { isBytes, isDate, isObjectPrototype, isPlainObject, nameOf, timeOf } from './brand.ts';
import { setMember } from './data-codec.ts';
import { LimitError, ValidationError } from './errors.ts';
import { deepFreeze, keepMember } from './mutable-copy.ts';
import type { ClassCodec, EnumDef } from './prop-def.ts';

const maxDepth = 64;

/** A value that this version of the application cannot read: untouched, and written back as it is. */
export class UnknownValue {
  readonly type: string;
  readonly envelope: Readonly<Record<string, unknown>>;
  /** The error that the class threw for it. */
  readonly cause: unknown;

  constructor(type: string, envelope: Readonly<Record<string, unknown>>, cause?: unknown) {
    this.type = type;
    this.cause = cause;
    this.envelope = deepFreeze(envelope);
    Object.freeze(this);
  }

  toJSON(): unknown {
    return this.envelope;
  }
}

/** A value for people, as JSON. */
export type Info =
  | string
  | number
  | boolean
  | null
  | readonly Info[]
  | { readonly [key: string]: Info };

/** The types that one schema registers. */
export class TypeRegistry {
  readonly #enums = new Map<string, EnumDef>();
  readonly #members = new Map<object, { type: string; name: string }>();
  readonly #classes = new Map<string, ClassCodec>();
  /** Instances are recognised by their prototype: declared by `class`, or seen in a prop of that class. */
  readonly #prototypes = new Map<object, ClassCodec>();

  addEnum(definition: EnumDef): void {
    if (definition.type === null || !definition.members) return;
    this.#enums.set(definition.type, definition);
    for (const [name, member] of definition.members)
      this.#members.set(member, { type: definition.type, name });
  }

  addClass(codec: ClassCodec): void {
    this.#classes.set(codec.type, codec);
    if (codec.instances) this.#prototypes.set(codec.instances.prototype as object, codec);
  }

  encodeClass(codec: ClassCodec, value: unknown, depth = 0): unknown {
    if (value instanceof UnknownValue) return value.envelope;
    this.#learn(codec, value);
    return {
      $type: codec.type,
      v: this.encode(codec.to(value), depth + 1),
      version: codec.version,
    };
  }

  decodeClass(codec: ClassCodec, envelope: Readonly<Record<string, unknown>>): unknown {
    const version = typeof envelope.version === 'number' ? envelope.version : 1;
    try {
      const value = codec.from(this.decode(envelope.v), version);
      this.#learn(codec, value);
      return value;
    } catch (error) {
      return new UnknownValue(codec.type, envelope, error);
    }
  }

  #learn(codec: ClassCodec, value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (!prototype || Array.isArray(value) || isObjectPrototype(prototype)) return;
    if (!this.#prototypes.has(prototype)) this.#prototypes.set(prototype, codec);
  }

  /** To plain JSON. Undefined members are left out, as JSON.stringify does; what JSON cannot hold is refused. */
  encode(value: unknown, depth = 0): unknown {
    if (depth > maxDepth)
      throw new LimitError('limit', `json is nested deeper than ${maxDepth} levels.`);
    switch (typeof value) {
      case 'string':
        return wellFormed(value);
      case 'boolean':
        return value;
      case 'number':
        if (!Number.isFinite(value))
          throw new ValidationError('wrong_type', `json cannot hold ${value}.`);
        return value;
      case 'object':
        return value === null ? null : this.#encodeObject(value, depth);
      default:
        throw new ValidationError('wrong_type', `json cannot hold a ${typeof value}.`);
    }
  }

  #encodeObject(value: object, depth: number): unknown {
    if (Array.isArray(value)) {
      return value.map((item: unknown) =>
        item === undefined ? null : this.encode(item, depth + 1),
      );
    }
    const member = this.#members.get(value);
    if (member) return { $type: member.type, v: member.name };
    if (isDate(value)) return { $type: 'date', v: dateToMs(value) };
    if (isBytes(value)) return { $type: 'bytes', v: toBase64(value) };
    if (value instanceof UnknownValue) return value.envelope;
    if (!isPlainObject(value)) return this.#encodeInstance(value, depth);
    const plain: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined)
        setMember(
          plain,
          wellFormed(key.startsWith('$') ? `$${key}` : key),
          this.encode(item, depth + 1),
        );
    }
    return plain;
  }

  #encodeInstance(value: object, depth: number): unknown {
    const codec = this.#prototypes.get(Object.getPrototypeOf(value) as object);
    if (codec) return this.encodeClass(codec, value, depth);
    throw new ValidationError(
      'wrong_type',
      `json holds ${nameOf(value)}: register it with t.class(…, { class: … }).`,
    );
  }

  /**
   * What people are shown of a value: an enum instance is its name, an object of a class what the class says of it (`info`, or else
   * what it stores), a date its ISO text, bytes their number. The rest is as it is.
   */
  info(value: unknown, depth = 0): Info {
    if (depth > maxDepth)
      throw new LimitError('limit', `A value is nested deeper than ${maxDepth} levels.`);
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'boolean' || value === null) return value;
      return typeof value === 'number' && Number.isFinite(value) ? value : String(value ?? '');
    }
    if (Array.isArray(value)) return value.map((item: unknown) => this.info(item, depth + 1));
    const member = this.#members.get(value);
    if (member) return member.name;
    if (isDate(value)) return isTime(timeOf(value)) ? new Date(timeOf(value)).toISOString() : '';
    if (isBytes(value)) return `${value.length} bytes`;
    if (value instanceof UnknownValue) return value.type;
    const prototype: unknown = Object.getPrototypeOf(value);
    const codec = prototype ? this.#prototypes.get(prototype) : undefined;
    if (codec) return codec.info?.(value) ?? this.info(codec.to(value), depth + 1);
    const items = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(items.map(([key, item]) => [key, this.info(item, depth + 1)]));
  }

  /** From plain JSON; plain objects and arrays come out frozen, because rows share them. */
  decode(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const [i, item] of value.entries()) keepMember(items, String(i), this.decode(item));
      return Object.freeze(items);
    }
    const object = value as Record<string, unknown>;
    const type = object.$type;
    if (typeof type === 'string') return this.#decodeEnvelope(type, object);
    if (type !== undefined) return new UnknownValue(String(type), object);
    const plain: Record<string, unknown> = {};
    for (const key of Object.keys(object)) {
      keepMember(plain, key.startsWith('$$') ? key.slice(1) : key, this.decode(object[key]));
    }
    return Object.freeze(plain);
  }

  #decodeEnvelope(type: string, envelope: Record<string, unknown>): unknown {
    const { v } = envelope;
    if (type === 'date' && typeof v === 'number' && isTime(v)) return new Date(v);
    const bytes = type === 'bytes' && typeof v === 'string' ? fromBase64(v) : null;
    if (bytes) return bytes;
    const member = typeof v === 'string' ? this.#enums.get(type)?.members?.get(v) : undefined;
    if (member) return member;
    const codec = this.#classes.get(type);
    if (codec) return this.decodeClass(codec, envelope);
    return new UnknownValue(type, envelope);
  }
}

function wellFormed(text: string): string {
  if (text.isWellFormed?.() !== false) return text;
  throw new ValidationError(
    'wrong_type',
    'json holds half of a surrogate pair: text that no database can hold.',
  );
}

export function dateToMs(value: Date): number {
  const ms = timeOf(value);
  if (Number.isNaN(ms)) throw new ValidationError('wrong_type', 'the date is not valid.');
  return ms;
}

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(binary);
}

function isTime(ms: number): boolean {
  return !Number.isNaN(new Date(ms).getTime());
}

/** Null where the text is not base64. */
export function fromBase64(text: string): Uint8Array | null {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
