// The authority: the core's rules as a wasm module (docs/authority.md). It decides; this server runs the SQL. All
// values between the two are JSON text. A handle belongs to one transaction and is deleted with it. There are two
// threads, one that admits pushes and one for all reads: a step over thousands of rows delays neither answers nor
// pushes.

import { isObject } from '../base/json.ts';
import { Problem } from '../base/problem.ts';
import type {
  DiffResult,
  ForgottenLog,
  OldLog,
  ScopeTables,
  Surveys,
  TablesOfScope,
} from '../base/wire-types.ts';
import type { Spent } from '../db/database.ts';
import type { SchemaDescription } from '../sql/description.ts';
import {
  AuthorityLink,
  type AuthorityLinkOptions,
  type LinkHandle,
  type Make,
} from './authority-link.ts';
import type { SubmittedUpdate, Survey } from './survey.ts';

/** The authority reported a wrong call. */
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

/** The client's answer if the authority rejected the whole request; null for an error of the server's own. */
export function requestProblem(error: unknown): Problem | null {
  if (!(error instanceof AuthorityError) || !kOfRequest.has(error.code)) return null;
  return new Problem('invalid', error.message, { reason: error.code });
}

/** Throws AuthorityError for an answer `{"error":…}`, without parsing long answers of another kind. */
function checked(text: string): string {
  if (text.startsWith('{"error"')) {
    const { error } = JSON.parse(text) as { error: { code?: unknown; detail?: unknown } };
    throw new AuthorityError(String(error.code), String(error.detail ?? error.code));
  }
  return text;
}

/** The text of a JSON object. The given members are JSON text already. */
export function rawObject(members: Readonly<Record<string, string>>): string {
  const parts = Object.entries(members).map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  return `{${parts.join(',')}}`;
}

export interface MadeImage {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

export type StepCall = (text: string) => Promise<string>;

export class Authority {
  readonly schemaText: string;
  readonly #writes: AuthorityLink;
  readonly #reads: AuthorityLink;

  private constructor(schemaText: string, writes: AuthorityLink, reads: AuthorityLink) {
    this.schemaText = schemaText;
    this.#writes = writes;
    this.#reads = reads;
  }

  static async load(
    schema: SchemaDescription,
    options: AuthorityLinkOptions = {},
  ): Promise<Authority> {
    const schemaText = JSON.stringify(schema);
    const open = () => AuthorityLink.open({ schemaText }, options);
    const [writes, reads] = await Promise.all([open(), open()]);
    return new Authority(schemaText, writes, reads);
  }

  /**
   * `schema` is the caller's version: if it is another one, tables unknown here are left out. `spent`, here and
   * below, gets the milliseconds that each step has taken.
   */
  async checkScopes(
    scopes: unknown,
    schema?: unknown,
    spent?: Spent,
  ): Promise<readonly TablesOfScope[]> {
    const answer = await this.#reads.ask('checkScopes', JSON.stringify({ scopes, schema }));
    spent?.(answer.ms);
    return (JSON.parse(checked(answer.text)) as ScopeTables).scopes;
  }

  /** Which entries of a log are forgotten. */
  async forgetLog(old: OldLog): Promise<ForgottenLog> {
    const answer = await this.#reads.ask('forgetLog', JSON.stringify(old));
    return JSON.parse(checked(answer.text)) as ForgottenLog;
  }

  /** What the updates of a commit name, in their order. */
  async survey(asked: readonly SubmittedUpdate[], spent?: Spent): Promise<readonly Survey[]> {
    const updates = asked.map(({ user, older = false, text }) =>
      rawObject({ user: JSON.stringify(user.id), older: String(older), update: text }),
    );
    const answer = await this.#writes.ask('survey', rawObject({ updates: `[${updates}]` }));
    spent?.(answer.ms);
    return (JSON.parse(checked(answer.text)) as Surveys).surveys;
  }

  /** Compares parts of tables, from the JSON text of each member of ReadDiff. */
  async compare(
    read: Readonly<Record<string, string>>,
    spent?: Spent,
  ): Promise<readonly DiffResult[]> {
    const answer = await this.#reads.ask('compare', rawObject(read));
    spent?.(answer.ms);
    return (JSON.parse(checked(answer.text)) as { readonly tables: DiffResult[] }).tables;
  }

  /** Runs one admission; its `step` rejects with AuthorityError. */
  admission<Value>(work: (step: StepCall) => Promise<Value>, spent?: Spent): Promise<Value> {
    const make: Make = { kind: 'admission' };
    return withHandle(this.#writes, make, (handle) => work(stepOf(handle, spent)));
  }

  pull<Value>(work: (step: StepCall) => Promise<Value>, spent?: Spent): Promise<Value> {
    return withHandle(this.#reads, { kind: 'pull' }, (handle) => work(stepOf(handle, spent)));
  }

  /** Makes an image from chunks of rows, each the text of `{"rows":[…]}`. */
  image(
    realm: string,
    revision: number,
    at: number,
    chunks: AsyncIterable<string>,
  ): Promise<MadeImage> {
    return withHandle(this.#reads, { kind: 'image', realm, revision, at }, async (handle) => {
      for await (const chunk of chunks) checked((await handle.call('rows', chunk)).text);
      const { text, bytes } = await handle.call('finish', '');
      const { hash } = JSON.parse(checked(text)) as { hash: string };
      if (bytes === undefined) throw new Error('The authority returned no image.');
      return { bytes, hash };
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#writes.close(), this.#reads.close()]);
  }
}

function stepOf(handle: LinkHandle, spent?: Spent): StepCall {
  return async (text) => {
    const answer = await handle.call('step', text);
    spent?.(answer.ms);
    return checked(answer.text);
  };
}

/** Opens a handle, and deletes it after `work`. */
async function withHandle<Value>(
  link: AuthorityLink,
  make: Make,
  work: (handle: LinkHandle) => Promise<Value>,
): Promise<Value> {
  const handle = await link.handle(make);
  try {
    return await work(handle);
  } finally {
    handle.end();
  }
}

/** A parsed member of an answer that must be a list. */
export function list(value: unknown, name: string): unknown[] {
  const found = isObject(value) ? value[name] : undefined;
  return Array.isArray(found) ? found : [];
}
