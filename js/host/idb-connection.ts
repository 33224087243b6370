/**
 * The states of a connection to IndexedDB (indexeddb.ts), each with what it has, and the ways between them:
 *
 *   idle ──▶ opening ──▶ open ──▶ leaving        idle: the next transaction opens one
 *    ▲          │          │         │           leaving: a newer release waits for it; what was begun may end
 *    ├──────────┘ failed   │         │
 *    ├─────────────────────┘ died    │           suspended: the page is frozen, and holds nothing
 *    └── suspended ◀── any of these  ▼
 *                               closed ◀── all   for good
 */
import { SkerryError } from '../core/errors.ts';

export type ConnectionState =
  | { readonly type: 'idle' }
  /** Each attempt is a state of its own: the connection of an attempt that is not the current state any more is closed. */
  | { readonly type: 'opening'; readonly db: Promise<IDBDatabase> }
  | { readonly type: 'open'; readonly db: IDBDatabase }
  | {
      readonly type: 'leaving';
      readonly db: IDBDatabase;
      readonly limit: ReturnType<typeof setTimeout>;
    }
  | { readonly type: 'suspended' }
  | { readonly type: 'closed' };

type ConnectionStateName = ConnectionState['type'];

const ways: Readonly<Record<ConnectionStateName, readonly ConnectionStateName[]>> = {
  idle: ['opening', 'suspended', 'closed'],
  opening: ['idle', 'open', 'suspended', 'closed'],
  open: ['idle', 'leaving', 'suspended', 'closed'],
  leaving: ['closed'],
  suspended: ['idle', 'closed'],
  closed: [],
};

export function isValid(from: ConnectionStateName, to: ConnectionStateName): boolean {
  return ways[from].includes(to);
}

/** Returns the next state; throws on an invalid transition, which is a mistake of this package. */
export function next(from: ConnectionState, to: ConnectionState): ConnectionState {
  if (!isValid(from.type, to.type))
    throw new SkerryError('internal', `A connection that is ${from.type} cannot be ${to.type}.`);
  return to;
}
