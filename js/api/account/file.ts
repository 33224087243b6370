/**
 * The file of an export (docs/accounts.md): JSON that people can read, with a version of its form and a checksum.
 *
 *   {"format":"skerry-export","version":1,"checksum":"crc32:<8 hex digits>","content":{
 *     "name","user","schema","at","rows":{<table>:{<realm>:[{"id","createdAt","modifiedAt","props"}]}}|null,
 *     "streams"?:{<realm>:{<stream>:[{"id","name","arg","at","madeAt","author","place"}]}},"mutations":[…],
 *     "inbox"?:[{"table","key","reason","code","detail","at","mine","mutation":{"id","name","at","body"}}]}}
 *
 * The checksum is that of `content` written by JSON.stringify, in UTF-8; so the file may be formatted again.
 */
import { isBlob } from '../../core/brand.ts';
import type { ConfirmedAction } from '../../core/core-types.ts';
import { LimitError, UpdateNeededError, ValidationError } from '../../core/errors.ts';
import type { StreamActions } from './actions.ts';
import type { PlainMutation, PlainRow } from './portable-core.ts';

export type FileRow = Omit<PlainRow, 'realm' | 'revision'>;

/** A mutation that this version cannot read: as it is stored, in base64. */
export interface UnreadableMutation {
  readonly id: string;
  readonly name: string;
  readonly at: number;
  readonly unreadable: string;
  readonly body: string;
}

/** An entry of the conflict inbox: `mine` for people, and the body as it is stored, in base64. */
export interface InboxEntry {
  readonly table: string | null;
  readonly key: string | null;
  readonly reason: string;
  readonly code: string;
  readonly detail: string;
  readonly at: number;
  readonly mine: unknown;
  readonly mutation: {
    readonly id: string;
    readonly name: string;
    readonly at: number;
    readonly body: string;
  };
}

export interface FileContent {
  readonly name: string;
  readonly user: string | null;
  /** Its version. */
  readonly schema: number;
  readonly at: number;
  /** The confirmed rows; null: there are the pending mutations only. */
  readonly rows: Readonly<Record<string, Readonly<Record<string, readonly FileRow[]>>>> | null;
  /** The confirmed actions of streams; left out: there are none, or only the pending mutations. */
  readonly streams?: StreamActions;
  /** Pending over the rows, in their order. */
  readonly mutations: readonly (PlainMutation | UnreadableMutation)[];
  /** Left out: it is empty. Not imported: it holds what was refused, and what a release has no place for. */
  readonly inbox?: readonly InboxEntry[];
}

const format = 'skerry-export';
const version = 1;
const maxBytes = 512 << 20;

export function toFile(content: FileContent): Blob {
  const text = JSON.stringify(content);
  const head = { format, version, checksum: checksum(text) };
  return new Blob([`${JSON.stringify(head).slice(0, -1)},"content":${text}}`], {
    type: 'application/json',
  });
}

export async function fromFile(blob: Blob): Promise<FileContent> {
  if (!isBlob(blob)) throw invalid('import() takes the Blob that export() gave.');
  if (blob.size > maxBytes)
    throw new LimitError('too_large', `The file is larger than ${maxBytes} bytes.`);
  const text = await textOf(blob);
  let file: Partial<Record<string, unknown>> | null;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw new ValidationError('not_an_export', 'The file is not JSON.', { cause });
  }
  if (file?.['format'] !== format) throw invalid('The file was not made by export().');
  if (file['version'] !== version)
    throw new UpdateNeededError('file_version', `The file is of version ${file['version']}.`);
  if (file['checksum'] !== checksum(JSON.stringify(file['content']) ?? ''))
    throw new ValidationError('checksum', 'The file is damaged: its checksum does not match.');
  return checked(file['content'] as Partial<FileContent> | null);
}

/** A blob of jsdom has no `text`. */
function textOf(blob: Blob): Promise<string> {
  if (typeof blob.text === 'function') return blob.text();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error);
    reader.readAsText(blob);
  });
}

/** Its form; what is in rows and mutations is the core's to check. */
function checked(content: Partial<FileContent> | null): FileContent {
  const { user, schema, rows, streams, mutations } = content ?? {};
  const fits =
    (user === null || typeof user === 'string') &&
    typeof schema === 'number' &&
    Array.isArray(mutations) &&
    mutations.every(isObject) &&
    (rows === null || (isObject(rows) && Object.values(rows as object).every(isByRealm))) &&
    (streams === undefined ||
      (isObject(streams) && Object.values(streams as object).every(isByStream)));
  if (!fits) throw invalid('The file does not have the form of an export.');
  return content as FileContent;
}

function isByRealm(realms: unknown): boolean {
  return (
    isObject(realms) &&
    Object.values(realms as object).every((list) => Array.isArray(list) && list.every(isRow))
  );
}

function isRow(row: unknown): boolean {
  const { id, props } = (row ?? {}) as Partial<FileRow>;
  return typeof id === 'string' && isObject(props);
}

function isByStream(streams: unknown): boolean {
  return (
    isObject(streams) &&
    Object.values(streams as object).every((list) => Array.isArray(list) && list.every(isAction))
  );
}

function isAction(action: unknown): boolean {
  const { id, name, madeAt, place } = (action ?? {}) as Partial<ConfirmedAction>;
  return (
    typeof id === 'string' &&
    typeof name === 'string' &&
    typeof madeAt === 'number' &&
    Array.isArray(place) &&
    place.length === 2 &&
    place.every((part) => typeof part === 'number')
  );
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): ValidationError {
  return new ValidationError('not_an_export', message);
}

/** CRC-32, as of zip files: against damage, not against forgers. */
function checksum(text: string): string {
  let crc = -1;
  for (const byte of new TextEncoder().encode(text))
    crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number);
  return `crc32:${(~crc >>> 0).toString(16).padStart(8, '0')}`;
}

const table = /* @__PURE__ */ Int32Array.from({ length: 256 }, (_, i) => {
  let value = i;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
