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

/** The module's instance trapped in a call of another request; a fresh one takes its place. */
export class TrappedElsewhere extends Error {
  constructor() {
    super('The authority has trapped in another request.');
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

/** One instance of the module. */
interface Instance {
  readonly module: AuthorityModule;
  readonly handle: AuthorityHandle;
  /** A broken invariant, or no memory was left: nothing of its memory can be trusted any more. */
  trapped: boolean;
}

async function instantiate(schemaText: string): Promise<Instance> {
  const { default: create } = (await import('skerry/authority')) as unknown as {
    default: () => Promise<AuthorityModule>;
  };
  const module = await create();
  const handle = new module.Authority(schemaText);
  const error = handle.error();
  if (error !== '') {
    const { detail, code } = JSON.parse(error) as { code: string; detail: string };
    throw new SchemaError(`The schema is refused: ${detail || code}`);
  }
  return { module, handle, trapped: false };
}

/** Calls into an instance, which has trapped where WebAssembly says so. */
function call<Value>(instance: Instance, work: () => Value): Value {
  if (instance.trapped) throw new TrappedElsewhere();
  try {
    return work();
  } catch (error) {
    instance.trapped = error instanceof WebAssembly.RuntimeError;
    throw error;
  }
}

export class Authority {
  readonly schemaText: string;
  #instance: Instance;
  #renewing: Promise<void> | null = null;

  private constructor(instance: Instance, schemaText: string) {
    this.schemaText = schemaText;
    this.#instance = instance;
  }

  static async load(schema: SchemaDescription): Promise<Authority> {
    const schemaText = JSON.stringify(schema);
    return new Authority(await instantiate(schemaText), schemaText);
  }

  /** `schema`: the version of whoever wants them; where it is another, tables that are unknown here are left out. */
  checkScopes(scopes: unknown, schema?: unknown): readonly ScopeTables[] {
    const instance = this.#instance;
    const text = call(instance, () =>
      checked(instance.handle.checkScopes(JSON.stringify({ scopes, schema }))),
    );
    return (JSON.parse(text) as { scopes: ScopeTables[] }).scopes;
  }

  /** Runs one admission; `step` of it throws AuthorityError. */
  async admission<Value>(work: (step: (text: string) => string) => Promise<Value>): Promise<Value> {
    return this.#with(
      ({ module, handle }) => new module.Admission(handle),
      (handle, use) => work((text) => use(() => checked(handle.step(utf8(text))))),
    );
  }

  async pull<Value>(work: (step: (text: string) => string) => Promise<Value>): Promise<Value> {
    return this.#with(
      ({ module, handle }) => new module.Pull(handle),
      (handle, use) => work((text) => use(() => checked(handle.step(utf8(text))))),
    );
  }

  /** Makes an image from chunks of rows, each the text of `{"rows":[…]}`. */
  async image(
    realm: string,
    revision: number,
    at: number,
    chunks: AsyncIterable<string>,
  ): Promise<MadeImage> {
    return this.#with(
      ({ module, handle }) => new module.ImageMaker(handle, realm, revision, at),
      async (handle, use) => {
        for await (const chunk of chunks) use(() => checked(handle.rows(utf8(chunk))));
        const { hash } = JSON.parse(use(() => checked(handle.finish()))) as { hash: string };
        return { bytes: use(() => handle.bytes().slice()), hash };
      },
    );
  }

  close(): void {
    if (!this.#instance.trapped) this.#instance.handle.delete();
  }

  /** Makes a handle, and deletes it after `work`, which calls into it through `use` only. */
  async #with<H extends Handle, Value>(
    make: (instance: Instance) => H,
    work: (handle: H, use: <Result>(step: () => Result) => Result) => Promise<Value>,
  ): Promise<Value> {
    const instance = await this.#sound();
    const handle = call(instance, () => make(instance));
    try {
      return await work(handle, (step) => call(instance, step));
    } finally {
      if (!instance.trapped) call(instance, () => handle.delete());
    }
  }

  /** The instance; a fresh one after a trap, whose requests have failed and may be sent again. */
  async #sound(): Promise<Instance> {
    while (this.#instance.trapped) {
      this.#renewing ??= instantiate(this.schemaText)
        .then((instance) => {
          this.#instance = instance;
        })
        .finally(() => {
          this.#renewing = null;
        });
      await this.#renewing;
    }
    return this.#instance;
  }
}

/** A parsed member of an answer that must be a list. */
export function list(value: unknown, name: string): unknown[] {
  const found = isObject(value) ? value[name] : undefined;
  return Array.isArray(found) ? found : [];
}
