/**
 * Every error that this package throws or rejects with. `code` is stable and meant for programs, the message for
 * people; `retryable` says that the same call may succeed later without being changed.
 *
 * The core reports failures as numbers (src/base/status.h); `errorFromCore` is the one place that maps them.
 */
import { nameOf } from './brand.ts';
import type { errorCodes } from './error-codes.ts';

/** The codes that this package knows: docs/errors.md says what each means. */
export type ErrorCode = keyof typeof errorCodes;

export class SkerryError extends Error {
  // Written out in each class, because bundlers shorten the names of classes.
  override readonly name: string = 'SkerryError';
  /** One of `ErrorCode`, or what a server gave that is newer than this package. */
  readonly code: ErrorCode | (string & Record<never, never>);
  readonly retryable: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** The schema itself is wrong, or a table or prop is named that it does not have. */
export class SchemaError extends SkerryError {
  override readonly name = 'SchemaError';
}
/** A value, id, filter or call does not fit. */
export class ValidationError extends SkerryError {
  override readonly name = 'ValidationError';
}
/** Past one of the stated limits of size, depth or number. */
export class LimitError extends SkerryError {
  override readonly name = 'LimitError';
}
export class NotFoundError extends SkerryError {
  override readonly name = 'NotFoundError';
}
export class ReadOnlyError extends SkerryError {
  override readonly name = 'ReadOnlyError';
}
/** A change was refused by a rule (rights, restrict, unique), here or on the server. */
export class ConflictError extends SkerryError {
  override readonly name = 'ConflictError';
}
/** The server does not accept the token, and a fresh one could not be had. */
export class AuthError extends SkerryError {
  override readonly name = 'AuthError';
}
/** The server could not be reached, or did not answer in time. */
export class NetworkError extends SkerryError {
  override readonly name = 'NetworkError';
}
/** The server answered with something other than the protocol. */
export class ServerError extends SkerryError {
  override readonly name = 'ServerError';
}
/** The browser's storage is full. */
export class QuotaError extends SkerryError {
  override readonly name = 'QuotaError';
}
/** IndexedDB failed, was refused, or did not answer in time. */
export class StorageError extends SkerryError {
  override readonly name = 'StorageError';
}
export class CorruptImageError extends SkerryError {
  override readonly name = 'CorruptImageError';
}
/** Client, server and stored data are of versions that do not go together. */
export class UpdateNeededError extends SkerryError {
  override readonly name = 'UpdateNeededError';
}
export class UnsupportedError extends SkerryError {
  override readonly name = 'UnsupportedError';
}
/** The database was closed before or while the call ran. */
export class ClosedError extends SkerryError {
  override readonly name = 'ClosedError';
}

/** There are changes that the server has not confirmed: `logout` would lose them. */
export class UnsyncedError extends SkerryError {
  override readonly name = 'UnsyncedError';
  /** Mutations that are not confirmed, and entries of the conflict inbox. */
  readonly pending: number;
  readonly conflicts: number;

  constructor(pending: number, conflicts: number) {
    super(
      'unsynced',
      `Not logged out. Changes that are not confirmed: ${pending}; in the conflict inbox: ${conflicts}.`,
      { retryable: true },
    );
    this.pending = pending;
    this.conflicts = conflicts;
  }
}

type ErrorClass = new (
  code: ErrorCode,
  message: string,
  options?: { cause?: unknown; retryable?: boolean },
) => SkerryError;

/** By the numbers of `Code` in src/base/status.h, which are never used again; they begin with 1. */
const ofCore: readonly (readonly [code: ErrorCode, type: ErrorClass])[] = [
  ['invalid_argument', ValidationError],
  ['schema', SchemaError],
  ['unknown_table', SchemaError],
  ['unknown_prop', SchemaError],
  ['wrong_type', ValidationError],
  ['missing_prop', ValidationError],
  ['invalid_id', ValidationError],
  ['limit', LimitError],
  ['not_found', NotFoundError],
  ['corrupt', CorruptImageError],
  ['version', UpdateNeededError],
  ['read_only', ReadOnlyError],
  ['closed', ClosedError],
  ['conflict', ConflictError],
  ['parse', ValidationError],
  ['unsupported', UnsupportedError],
  ['outcome_unknown', ConflictError],
  ['unique', ConflictError],
  ['last_owner', ValidationError],
];

export function errorFromCore(number: number, detail: string): SkerryError {
  const entry = ofCore[number - 1];
  if (!entry)
    return new SkerryError('core_failed', detail || `The core failed with code ${number}.`);
  return new entry[1](entry[0], detail || entry[0]);
}

/**
 * Codes that stand in statuses, results and conflicts (docs/sync-worker.md, section 7; docs/window.md, section 3), and
 * the core's own. Looked up without regard to `-` and `_`.
 */
const byCode: Readonly<Record<string, ErrorClass>> = {
  ...Object.fromEntries(ofCore),
  unauthenticated: AuthError,
  needs_auth: AuthError,
  wrong_user: AuthError,
  bad_token: AuthError,
  client_bound: AuthError,
  invalid_request: ValidationError,
  network: NetworkError,
  timeout: NetworkError,
  not_json: ServerError,
  bad_answer: ServerError,
  server: ServerError,
  rate_limited: ServerError,
  refused: ServerError,
  no_progress: ServerError,
  too_large: LimitError,
  scope_left_out: LimitError,
  quota: QuotaError,
  storage: StorageError,
  storage_lost: StorageError,
  image: CorruptImageError,
  worker: UnsupportedError,
  client_old: UpdateNeededError,
  server_old: UpdateNeededError,
  newer_tab: UpdateNeededError,
  no_place: UpdateNeededError,
  unreadable: StorageError,
};

/** An error named by its code. */
export function errorFromCode(
  code: string,
  message: string,
  options: { cause?: unknown; retryable?: boolean } = {},
  fallback: ErrorClass = SkerryError,
): SkerryError {
  // A server chooses the code: it may be `constructor`, which is not in the table.
  const known = code.replaceAll('-', '_');
  const type = (Object.hasOwn(byCode, known) ? byCode[known] : null) ?? fallback;
  const retryable = options.retryable ?? (type === NetworkError || type === QuotaError);
  // A server may be newer, and give a code that is not in the list.
  return new type(code as ErrorCode, message || code, { ...options, retryable });
}

/** For what the application gives to be called later, when a mistake would be far from its cause. */
export function checkFunction(fn: unknown, what: string): void {
  if (typeof fn !== 'function')
    throw new ValidationError(
      'invalid_argument',
      `${what} takes a function, and ${nameOf(fn)} came.`,
    );
}

/** For files of the package that are not found. */
export const whichFiles =
  'README.md, "Bundlers, servers, policies", says which files of the package have to lie where.';

/** An option that would be ignored is refused: silence would look like consent. */
export function refuseUnknown(options: object, known: readonly string[], what: string): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new UnsupportedError('unsupported', `${what} does not know the option ${unknown}.`);
  }
}

/**
 * Like an event target: an uncaught error of a listener goes to the page's own handling, after this task's work; a
 * worker's goes to its window.
 */
export function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
