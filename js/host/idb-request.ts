/** Common to all uses of IndexedDB: events of requests, time limits, and errors of one kind. */
import { type ErrorCode, QuotaError, SkerryError, StorageError } from '../core/errors.ts';

export function listen<T>(
  request: IDBRequest<T>,
  then: (value: T) => void,
  fail: (error: unknown) => void,
): void {
  request.onsuccess = () => then(request.result);
  request.onerror = () => fail(request.error);
}

/**
 * The outcome of `begin`, or the error of `late` when it takes too long. `code`: the code of the engine's failures.
 * `restart` starts the time again, with another limit.
 */
export async function inTime<T>(
  limitMs: number,
  late: () => Error,
  code: ErrorCode,
  begin: (
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
    restart: (limitMs: number) => void,
  ) => void,
): Promise<T> {
  let limit: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const restart = (ms: number) => {
        clearTimeout(limit);
        limit = setTimeout(() => reject(late()), ms);
      };
      restart(limitMs);
      begin(resolve, reject, restart);
    });
  } catch (error) {
    throw storageError(error, code);
  } finally {
    clearTimeout(limit);
  }
}

export function storageTimeout(message: string): StorageError {
  return new StorageError('storage_timeout', message, { retryable: true });
}

/** The error of an upgrade or a deletion that other windows block. */
export function storageBlocked(database: string): StorageError {
  return new StorageError(
    'storage_blocked',
    `Other windows keep the database ${database} open: close them or load them again, then try again.`,
    { retryable: true },
  );
}

/** The error for a database whose version is greater than this code's. */
export function storageNewer(database: string, cause?: unknown): StorageError {
  return new StorageError(
    'storage_newer',
    `A newer version of this application has upgraded the database ${database}, and this one cannot open it. Nothing was changed. Load the page again to have the newer version. If that does not help, it was taken back: your data wait until it is there again.`,
    { cause },
  );
}

export function storageError(error: unknown, code: ErrorCode): Error {
  if (error instanceof SkerryError) return error;
  const { name, message } = (error ?? {}) as { name?: unknown; message?: unknown };
  const text = `IndexedDB: ${message || name || 'failed'}`;
  const options = { cause: error, retryable: true };
  if (name === 'QuotaExceededError') return new QuotaError('quota', text, options);
  return new StorageError(code, text, { ...options, retryable: code === 'storage_failed' });
}
