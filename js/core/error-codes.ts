/**
 * Every code of an error, of the status, or of an entry of the inbox. `ErrorCode` (errors.ts) and docs/errors.md are generated from
 * this list. Other files import only its types, so a page does not load these sentences.
 */

/** `yes`: the same call may succeed later. `no`: only after a change. `varies`: `error.retryable` says which. */
type Retryable = 'yes' | 'no' | 'varies';

export interface CodeEntry {
  /** The class of the error; of some codes there are two. */
  readonly type: string | readonly string[];
  readonly retryable: Retryable;
  /** What has happened, and what to do. */
  readonly what: string;
  readonly todo: string;
}

export const errorCodes = {
  // Of calls.
  invalid_argument: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'An argument has a wrong form.',
    todo: 'Correct the call: the message names the argument.',
  },
  schema: {
    type: 'SchemaError',
    retryable: 'no',
    what: 'The schema itself is wrong.',
    todo: 'Correct the schema: the message names the place.',
  },
  unknown_table: {
    type: 'SchemaError',
    retryable: 'no',
    what: 'The schema has no such table.',
    todo: 'Correct the name, or add the table to the schema.',
  },
  unknown_prop: {
    type: 'SchemaError',
    retryable: 'no',
    what: 'The table has no such prop.',
    todo: 'Correct the name, or add the prop to the schema.',
  },
  wrong_type: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'A value does not fit its prop.',
    todo: 'Give a value of the type that the schema names.',
  },
  missing_prop: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'A prop that may not be null is missing or null.',
    todo: 'Give it a value, or a default in the schema.',
  },
  invalid_id: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'An id has a wrong form.',
    todo: 'Use an id that the package made, or one that the application defines with 1 to 128 bytes.',
  },
  limit: {
    type: 'LimitError',
    retryable: 'no',
    what: 'A limit of size, depth or number is exceeded.',
    todo: 'Make it smaller, or split it: the message names the limit.',
  },
  not_found: {
    type: 'NotFoundError',
    retryable: 'no',
    what: 'There is no such row, entry, member or invitation, or it is gone.',
    todo: 'Read the current data again.',
  },
  read_only: {
    type: 'ReadOnlyError',
    retryable: 'no',
    what: 'The user may not write in this realm.',
    todo: 'Ask an owner of the realm for another role.',
  },
  closed: {
    type: 'ClosedError',
    retryable: 'no',
    what: 'The database, or the subscription, was closed before or during the call.',
    todo: 'Open it again.',
  },
  conflict: {
    type: 'ConflictError',
    retryable: 'no',
    what: 'A rule forbids the change, here or at the server.',
    todo: 'Read the current state, and make another change.',
  },
  parse: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'A text is not JSON, or not of the expected form.',
    todo: 'Give a text that was written by this package.',
  },
  unsupported: {
    type: 'UnsupportedError',
    retryable: 'no',
    what: 'This browser, release or option does not support the call.',
    todo: 'Use what the message names instead.',
  },
  version: {
    type: 'UpdateNeededError',
    retryable: 'no',
    what: 'Stored bytes are of a newer release.',
    todo: 'Reload the page with the new release.',
  },
  corrupt: {
    type: 'CorruptImageError',
    retryable: 'varies',
    what: 'Stored bytes are damaged.',
    todo: 'Nothing: the previous image is used, or everything is fetched again.',
  },
  async_mutator: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'A mutator returned a promise.',
    todo: 'Await before calling the mutator: it must make all its changes synchronously.',
  },
  not_filled: {
    type: 'SkerryError',
    retryable: 'yes',
    what: 'The requested rows have not arrived yet.',
    todo: 'Wait for `ready` of their scope.',
  },
  not_an_export: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'The file is not an export of this package.',
    todo: 'Choose another file.',
  },
  checksum: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'The file was changed or cut since it was exported.',
    todo: 'Use an undamaged copy.',
  },
  pending: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'The file contains only unconfirmed changes.',
    todo: 'Import it into the database of its user.',
  },
  other_user: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'The file is of another user.',
    todo: 'Log in as that user.',
  },
  file_version: {
    type: 'UpdateNeededError',
    retryable: 'no',
    what: 'The file was exported by a newer release of this package.',
    todo: 'Import it with that release.',
  },
  file_schema: {
    type: 'UpdateNeededError',
    retryable: 'no',
    what: 'The file was exported under another schema.',
    todo: 'Import it with a release of the application that knows it.',
  },
  no_window: {
    type: 'UnsupportedError',
    retryable: 'no',
    what: 'There is no browser window here.',
    todo: 'Make the call in a browser window, not during server-side rendering.',
  },
  unsynced: {
    type: 'UnsyncedError',
    retryable: 'yes',
    what: 'Logging out would lose changes that the server has not confirmed.',
    todo: "Wait until they are confirmed, export them, or discard them (`unsynced: 'discard'`).",
  },
  offline: {
    type: 'NetworkError',
    retryable: 'yes',
    what: 'The browser is offline.',
    todo: 'Nothing: the client retries when there is a network.',
  },
  // Of storage.
  storage_refused: {
    type: 'StorageError',
    retryable: 'no',
    what: 'The browser does not allow this page to store data.',
    todo: 'Allow storage for this site, or leave the private window.',
  },
  storage_newer: {
    type: 'StorageError',
    retryable: 'no',
    what: 'A newer release has upgraded the database.',
    todo: 'Reload the page.',
  },
  storage_blocked: {
    type: 'StorageError',
    retryable: 'yes',
    what: 'Another window keeps the database open, which blocks the upgrade.',
    todo: 'Close or reload the other windows.',
  },
  storage_suspended: {
    type: 'StorageError',
    retryable: 'yes',
    what: 'The browser has suspended this page.',
    todo: 'Nothing: it continues when the page is shown again.',
  },
  storage_failed: {
    type: 'StorageError',
    retryable: 'varies',
    what: 'IndexedDB failed, or did not answer in time.',
    todo: 'Retry. If the error persists, restart the browser.',
  },
  storage_timeout: {
    type: 'StorageError',
    retryable: 'yes',
    what: 'IndexedDB did not answer in time.',
    todo: 'Nothing: the client retries.',
  },
  storage: {
    type: 'StorageError',
    retryable: 'yes',
    what: 'IndexedDB fails.',
    todo: 'Nothing: the client retries. If the error persists, restart the browser.',
  },
  storage_lost: {
    type: 'StorageError',
    retryable: 'yes',
    what: 'The browser has closed IndexedDB, and fails to open it again.',
    todo: 'Nothing: the client retries.',
  },
  quota: {
    type: 'QuotaError',
    retryable: 'yes',
    what: "The disk, or this site's storage quota, is full.",
    todo: 'Free some space.',
  },
  image: {
    type: ['CorruptImageError', 'StorageError'],
    retryable: 'varies',
    what: 'No image could be made or read.',
    todo: 'Nothing: starts take longer until the next image is made.',
  },
  // Of the status.
  network: {
    type: 'NetworkError',
    retryable: 'yes',
    what: 'The server cannot be reached.',
    todo: 'Nothing: the client retries.',
  },
  timeout: {
    type: 'NetworkError',
    retryable: 'yes',
    what: 'The server did not answer in time.',
    todo: 'Nothing: the client retries.',
  },
  server: {
    type: 'ServerError',
    retryable: 'yes',
    what: 'The server failed.',
    todo: 'Nothing: the client retries.',
  },
  internal: {
    type: 'SkerryError',
    retryable: 'varies',
    what: 'The server, this package, or a rule of the application has a bug.',
    todo: 'Report it with the message. A change that a rule failed over is made again by the next release.',
  },
  slow_body: {
    type: 'SkerryError',
    retryable: 'yes',
    what: 'The request arrived too slowly.',
    todo: 'Nothing: the client retries.',
  },
  busy: {
    type: 'SkerryError',
    retryable: 'yes',
    what: 'The server is overloaded.',
    todo: 'Nothing: the client retries.',
  },
  rights_unavailable: {
    type: 'SkerryError',
    retryable: 'yes',
    what: 'The server cannot read the rights of the user now.',
    todo: 'Nothing: the client retries.',
  },
  stopping: {
    type: 'SkerryError',
    retryable: 'yes',
    what: 'The server is shutting down.',
    todo: 'Nothing: the client retries.',
  },
  rate_limited: {
    type: 'ServerError',
    retryable: 'yes',
    what: 'The server asks for fewer requests.',
    todo: 'Nothing: the client retries after the delay that the server names.',
  },
  not_json: {
    type: 'ServerError',
    retryable: 'yes',
    what: 'The answer did not come from the sync server, but from a proxy or a login page, for example.',
    todo: 'Check the address, and proxies on the way.',
  },
  bad_answer: {
    type: ['ServerError', 'NetworkError'],
    retryable: 'yes',
    what: "The server's answer violates the protocol.",
    todo: 'Nothing: the client retries. If the error persists, update the server.',
  },
  needs_auth: {
    type: 'AuthError',
    retryable: 'yes',
    what: '`token()` failed, or did not answer in time.',
    todo: 'Make `token()` return a token: it is called again.',
  },
  unauthenticated: {
    type: 'AuthError',
    retryable: 'no',
    what: 'There is no token, or the server does not accept it.',
    todo: 'Log in, and call `db.sync.now()`.',
  },
  wrong_user: {
    type: 'AuthError',
    retryable: 'no',
    what: 'The token belongs to another user than the `user` of `open`.',
    todo: 'Make `token()` return a token of this user.',
  },
  bad_token: {
    type: 'AuthError',
    retryable: 'no',
    what: 'The result of `token()` cannot be sent in a header.',
    todo: 'Make it return visible ASCII characters without spaces.',
  },
  invalid_request: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'The browser cannot build the request.',
    todo: 'Correct the address or the headers of `http()`.',
  },
  client_bound: {
    type: 'AuthError',
    retryable: 'no',
    what: "The server knows this database's client identity as another user's.",
    todo: 'Export the pending changes, log out, open again, and import them.',
  },
  'client-old': {
    type: 'UpdateNeededError',
    retryable: 'no',
    what: 'The server no longer accepts this version of the schema.',
    todo: 'Reload the page with the new release.',
  },
  'server-old': {
    type: 'UpdateNeededError',
    retryable: 'no',
    what: "This version of the schema is newer than the server's.",
    todo: 'Update the server.',
  },
  newer_tab: {
    type: 'UpdateNeededError',
    retryable: 'no',
    what: 'Another window runs a newer release, which has written data that this one cannot read.',
    todo: 'Reload the page.',
  },
  invalid: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The server cannot read the request, or a change in it.',
    todo: 'Correct the scope or the change that the message names.',
  },
  refused: {
    type: 'ServerError',
    retryable: 'no',
    what: 'The server refused the request.',
    todo: "Read the message, and the server's log.",
  },
  bad_request: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The request has a wrong form.',
    todo: 'Update client and server to compatible releases.',
  },
  bad_json: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The request is not JSON.',
    todo: 'Check proxies between client and server.',
  },
  forbidden: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The user may not do this in that realm, or there is no such realm.',
    todo: 'Ask an owner of the realm for a role, and retry the change.',
  },
  method_not_allowed: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The server has no such call at this address.',
    todo: 'Correct the address of `http()`.',
  },
  unsupported_encoding: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The server cannot decode the request.',
    todo: 'Check proxies between client and server.',
  },
  gone: {
    type: 'SkerryError',
    retryable: 'yes',
    what: "The server no longer has the log since this client's last pull.",
    todo: 'Nothing: everything is fetched again.',
  },
  adopt_incomplete: {
    type: 'SkerryError',
    retryable: 'yes',
    what: 'Not all local data could be adopted by the account.',
    todo: 'Nothing: the data stays where it is, and each `open` tries again.',
  },
  scope_left_out: {
    type: 'LimitError',
    retryable: 'yes',
    what: 'All windows together subscribe to more scopes than a server accepts.',
    todo: 'Unsubscribe some scopes.',
  },
  too_large: {
    type: 'LimitError',
    retryable: 'varies',
    what: 'A request, an answer, a row or a file is too large.',
    todo: 'Split it. If it was an answer, nothing: the client asks for less.',
  },
  no_progress: {
    type: 'ServerError',
    retryable: 'yes',
    what: 'A pull made no progress.',
    todo: 'Nothing: the client retries.',
  },
  worker: {
    type: 'UnsupportedError',
    retryable: 'no',
    what: 'The sync worker failed, or could not start.',
    todo: 'Read the message: the cause is a policy of the page, or a missing file.',
  },
  service: {
    type: 'UnsupportedError',
    retryable: 'no',
    what: 'The service worker has not been set up for this database.',
    todo: 'Nothing: the window pushes by itself.',
  },
  logged_out: {
    type: 'UnsupportedError',
    retryable: 'no',
    what: 'The user has logged out, so the service worker has nothing to push.',
    todo: 'Log in, and open the database again.',
  },
  wasm: {
    type: 'UnsupportedError',
    retryable: 'varies',
    what: 'The WebAssembly module could not be loaded.',
    todo: 'Read the message: the cause is a policy of the page, a missing file, or the network.',
  },
  core_failed: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The core has failed because of a bug in this package.',
    todo: 'Reload the page, and report the message.',
  },
  // Of the inbox.
  last_owner: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'A realm with members would be left without an owner.',
    todo: 'Make another owner first, or remove the others.',
  },
  unique: {
    type: 'ConflictError',
    retryable: 'no',
    what: 'Another row has that value.',
    todo: 'Choose another value.',
  },
  restrict: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'Other rows refer to the deleted row, and their `restrict` refs forbid that.',
    todo: 'Delete or change these rows first.',
  },
  exists: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The target realm of a move already has a row with this id.',
    todo: 'Discard the change, or remove the other row.',
  },
  changed: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'Another client has changed the row since (`if`).',
    todo: 'Read the row, and retry or discard.',
  },
  depends: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The change depends on one that was rejected.',
    todo: 'Resolve that one first.',
  },
  parent_deleted: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'Another client has deleted the parent of the row, and the row with it.',
    todo: 'Create it again under another parent, or discard.',
  },
  row_deleted: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'Other users deleted the row before this edit arrived.',
    todo: 'Create a row from `mine`, or discard.',
  },
  overwritten: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'Somebody who had not seen this change has made another one over it. It was applied.',
    todo: 'Discard the entry, or retry to set the values again.',
  },
  history_lost: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The server was restored to a state from before this change, and takes nothing of it back.',
    todo: 'Retry to make the change again, or discard.',
  },
  revoked: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The user has lost the right to the realm.',
    todo: 'Ask an owner, and retry, or discard.',
  },
  known_action: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The log already has this change, as part of another update.',
    todo: 'Discard the entry.',
  },
  expired: {
    type: 'ConflictError',
    retryable: 'no',
    what: 'An undo came so late that the server no longer knows what it undoes.',
    todo: 'Make the change by hand, or discard it.',
  },
  outcome_unknown: {
    type: 'ConflictError',
    retryable: 'no',
    what: 'The device was away for longer than the server keeps its log, or the server was restored from a backup.',
    todo: 'Check whether the change was made, and discard it or make it again.',
  },
  unreadable: {
    type: 'StorageError',
    retryable: 'no',
    what: 'This release cannot read the change.',
    todo: 'Wait for the release that made it, or discard.',
  },
  held: {
    type: 'ValidationError',
    retryable: 'no',
    what: "The application's rules hold a change back: what it changes is wrong (`db.problems`).",
    todo: 'Change the rows that are wrong. What is held is pushed by itself then.',
  },
  validate: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'A rule (`validate`) threw, or did not answer with a sentence or with nothing.',
    todo: 'Correct the rule. Until then it finds nothing wrong.',
  },
  rule: {
    type: 'ConflictError',
    retryable: 'no',
    what: "A rule of the application, which the server asks, forbids the change: `detail` is the rule's sentence.",
    todo: 'Make another change (`amend`), or discard it.',
  },
  not_changed: {
    type: 'ValidationError',
    retryable: 'no',
    what: 'An amendment changes nothing, or a side is chosen of a prop that the change does not have.',
    todo: 'Change something, name props of `mine`, or discard the entry.',
  },
  no_place: {
    type: 'UpdateNeededError',
    retryable: 'no',
    what: 'The schema of the current release cannot hold a part of the change.',
    todo: 'Retry under a release that can.',
  },
  rejected: {
    type: 'SkerryError',
    retryable: 'no',
    what: 'The server did not say why.',
    todo: "Read the server's log.",
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
