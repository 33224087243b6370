// The authority: the core's rules as a wasm module (docs/authority.md). It decides; this server does SQL. Everything that
// crosses is JSON text. A handle belongs to one transaction and is deleted with it.

import { isObject } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import type { SchemaDescription } from '../sql/description.ts';
import { SchemaError } from '../sql/description.ts';

interface Handle {
  delete(): void;
}
interface StepHandle extends Handle {
  step(text: Uint8Array): string;
}
interface ImageHandle extends Handle {
  rows(text: Uint8Array): string;
  finish(): string;
  bytes(): Uint8Array;
}
interface AuthorityHandle extends Handle {
  error(): string;
  checkScopes(text: string): string;
}
interface AuthorityModule {
  Authority: new (schema: string) => AuthorityHandle;
  Admission: new (authority: AuthorityHandle) => StepHandle;
  Pull: new (authority: AuthorityHandle) => StepHandle;
  ImageMaker: new (
    authority: AuthorityHandle,
    realm: string,
    revision: number,
    at: number,
  ) => ImageHandle;
}

/** The authority said that a call was wrong. */
export class AuthorityError extends Error {
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

const kOfRequest = new Set([
  'invalid',
  'limit',
  'unsupported',
  'parse',
  'unknown_table',
  'unknown_prop',
  'wrong_type',
  'missing_prop',
  'invalid_id',
]);

/** What a client is told when the authority refused its request as a whole; all else is an error of the server's own. */
export function requestProblem(error: unknown): Problem | null {
  if (!(error instanceof AuthorityError) || !kOfRequest.has(error.code)) return null;
  return new Problem('invalid', error.message, { reason: error.code });
}

/** Throws AuthorityError where an answer is `{"error":…}`, without parsing the long ones that are not. */
function checked(text: string): string {
  if (text.startsWith('{"error"')) {
    const { error } = JSON.parse(text) as { error: { code?: unknown; detail?: unknown } };
    throw new AuthorityError(String(error.code), String(error.detail ?? error.code));
  }
  return text;
}

/** Text as the module takes it. A string would be copied into its memory character by character, in JavaScript. */
function utf8(text: string): Uint8Array {
  return Buffer.from(text);
}

/** The text of a JSON object of which some members are JSON text already. */
export function rawObject(members: Readonly<Record<string, string>>): string {
  const parts = Object.entries(members).map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  return `{${parts.join(',')}}`;
}

export interface ScopeTables {
  readonly table: string;
  readonly tables: readonly string[];
}

export interface MadeImage {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

export class Authority {
  readonly schemaText: string;
  readonly #module: AuthorityModule;
  readonly #handle: AuthorityHandle;

  private constructor(module: AuthorityModule, schemaText: string) {
    this.schemaText = schemaText;
    this.#module = module;
    this.#handle = new module.Authority(schemaText);
    const error = this.#handle.error();
    if (error !== '') {
      const { detail, code } = JSON.parse(error) as { code: string; detail: string };
      throw new SchemaError(`The schema is refused: ${detail || code}`);
    }
  }

  static async load(schema: SchemaDescription): Promise<Authority> {
    const { default: create } = (await import('skerry/authority')) as unknown as {
      default: () => Promise<AuthorityModule>;
    };
    return new Authority(await create(), JSON.stringify(schema));
  }

  checkScopes(scopes: unknown): readonly ScopeTables[] {
    const text = checked(this.#handle.checkScopes(JSON.stringify({ scopes })));
    return (JSON.parse(text) as { scopes: ScopeTables[] }).scopes;
  }

  /** Runs one admission; `step` of it throws AuthorityError. */
  async admission<Value>(work: (step: (text: string) => string) => Promise<Value>): Promise<Value> {
    const handle = new this.#module.Admission(this.#handle);
    try {
      return await work((text) => checked(handle.step(utf8(text))));
    } finally {
      handle.delete();
    }
  }

  async pull<Value>(work: (step: (text: string) => string) => Promise<Value>): Promise<Value> {
    const handle = new this.#module.Pull(this.#handle);
    try {
      return await work((text) => checked(handle.step(utf8(text))));
    } finally {
      handle.delete();
    }
  }

  /** Makes an image from chunks of rows, each the text of `{"rows":[…]}`. */
  async image(
    realm: string,
    revision: number,
    at: number,
    chunks: AsyncIterable<string>,
  ): Promise<MadeImage> {
    const handle = new this.#module.ImageMaker(this.#handle, realm, revision, at);
    try {
      for await (const chunk of chunks) checked(handle.rows(utf8(chunk)));
      const { hash } = JSON.parse(checked(handle.finish())) as { hash: string };
      return { bytes: handle.bytes().slice(), hash };
    } finally {
      handle.delete();
    }
  }

  close(): void {
    this.#handle.delete();
  }
}

/** A parsed member of an answer that must be a list. */
export function list(value: unknown, name: string): unknown[] {
  const found = isObject(value) ? value[name] : undefined;
  return Array.isArray(found) ? found : [];
}
