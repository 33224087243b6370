/**
 * `db.logout`: the end of a session, in all windows of this user and in the service worker. Unconfirmed changes are
 * not lost by mistake: those of all windows are counted in storage, and counted again when no client can add to them.
 */
import {
  refuseUnknown,
  UnsupportedError,
  UnsyncedError,
  ValidationError,
} from '../../core/errors.ts';
import { browserAccounts } from '../../host/account.ts';
import { type Read, readNow, type Storage } from '../../host/storage.ts';
import type { DatabaseCore } from '../database-core.ts';
import { databasesWith } from '../options.ts';

export interface LogoutOptions {
  /**
   * The fate of unconfirmed changes, and of those in the conflict inbox. `fail` (the default): the call rejects while there
   * are any. `keep`: all local data stay on this profile, for the next log-in of this user. `discard`: the changes are
   * deleted. Except with `keep` the user's data are deleted from this profile.
   */
  readonly unsynced?: 'fail' | 'keep' | 'discard';
}

const counts: readonly Read[] = [
  { store: 'mutations', count: true },
  { store: 'conflicts', count: true },
];

export async function logout(core: DatabaseCore, options: LogoutOptions = {}): Promise<void> {
  refuseUnknown(options, ['unsynced'], 'logout()');
  const { unsynced = 'fail' } = options;
  if (!['fail', 'keep', 'discard'].includes(unsynced))
    throw new ValidationError('invalid_argument', 'unsynced is "fail", "keep" or "discard".');
  const { host, storage, database, options: opened } = core.parts;
  if (!opened.remote) {
    throw new UnsupportedError(
      'unsupported',
      'Without a remote there is no session to end, and the data are nowhere else: deleteDatabase() deletes them.',
    );
  }
  const refuse = ([pending, conflicts]: readonly unknown[]): UnsyncedError | null => {
    if (unsynced !== 'fail' || (pending === 0 && conflicts === 0)) return null;
    return new UnsyncedError(pending as number, conflicts as number);
  };
  const accounts = host.accounts ?? browserAccounts;
  await core.parts.mutations.durable();
  let refusal = refuse(await readNow(storage, counts));
  if (refusal) throw refusal;
  // From here on no service worker begins to push, a frozen page ends when it resumes, and what a crash leaves
  // behind is a session that is over.
  if (unsynced !== 'fail') await endSession(storage);
  core.parts.runner.execute([{ type: 'broadcast', message: { type: 'logout' } }]);
  await core.close('logout');
  await accounts.deleteIf(database, counts, (found) => {
    refusal = refuse(found);
    return unsynced !== 'keep' && !refusal;
  });
  if (refusal) throw refusal;
  const beside = unsynced === 'keep' ? [] : databasesWith(opened.name, opened.user).slice(1);
  for (const one of beside) await host.storage.delete(one);
  if (unsynced !== 'keep') return;
  // Once more, because another window's worker may have kept a fresh token until it ended.
  const alone = await host.storage.open(database, () => {});
  await endSession(alone).finally(() => alone.close());
}

/** Deletes everything by which a service worker could continue for this user. The next window of the user sets it up again. */
async function endSession(storage: Storage): Promise<void> {
  await storage.transact(
    {
      stores: ['sync'],
      mode: 'readwrite',
      durability: 'strict',
      reads: [{ store: 'sync', get: 'service' }],
    },
    ([service]) => ({
      type: 'write',
      writes: [
        { store: 'sync', delete: 'token' },
        {
          store: 'sync',
          put: { v: 1, ...(service as object | null), loggedOut: true },
          key: 'service',
        },
      ],
    }),
  );
}
