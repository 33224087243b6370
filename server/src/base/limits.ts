// All limits of the server. The limits of the wire (docs/design.md, "Limits of the wire") belong to the core; those that can
// be checked before the core sees a body are in core-limits.ts, too.
import * as core from './core-limits.ts';

export const limits = {
  /** The size of a request's body, both compressed and decompressed. */
  bodyBytes: core.maxBodyBytes,
  /** The depth of a body's JSON, the body itself included. */
  jsonDepth: core.maxJsonDepth,
  /** Updates of one push. */
  updatesPerPush: 100,
  /** Realms and actions of one update, as many as the core accepts. A client groups far fewer. */
  realmsPerUpdate: core.maxRealmsPerUpdate,
  actionsPerUpdate: core.maxActionsPerUpdate,
  /**
   * Realms and ops of a whole push. A client sends at most four updates, each of 100 realms and one action, or of one
   * realm and 500.
   */
  realmsPerPush: 400,
  opsPerPush: 40_000,
  /** Every action is looked up in every realm of its update, at about 7 µs each: this many take less than 0.1 s. */
  actionKeysPerPush: 10_000,
  /**
   * The entry in each realm's log holds the update's actions. This is what four updates may write at the core's
   * limit.
   */
  writtenPerPush: 64 << 20,
  /** Pushes that wait for the flusher; beyond this they are answered with `busy`. */
  waitingPushes: 2_000,
  waitingBytes: 64 << 20,
  /** Waiting pushes of one user. */
  waitingPushesPerUser: 500,
  /**
   * The size of one transaction of the flusher; a single larger request has one alone. Keys are what it looks up and
   * decides.
   */
  updatesPerFlush: 256,
  bytesPerFlush: 8 << 20,
  keysPerFlush: 40_000,
  /**
   * Rows, and their bytes, that one transaction of the flusher reads. An update may have 10,000 ops, and change
   * 120,000 rows by them (src/base/limits.h). Rows are in memory several times while they are processed.
   */
  rowsPerTransaction: 130_000,
  rowBytesPerTransaction: 64 << 20,
  /**
   * And of a transaction of several callers: who needs more has one alone, so that the others do not wait for it. More rows
   * than one may look up by keys.
   */
  rowsPerShared: 50_000,
  rowBytesPerShared: 8 << 20,
  /** Concurrent transactions of the flusher, and how many updates make a second one worthwhile. */
  groupsUnderWay: 2,
  updatesBesideAnother: 48,
  /** Clients and realms that are remembered to be in the database. */
  rowsRemembered: 50_000,
  /** Rounds of locking more realms before a push is answered with `busy`. */
  lockRounds: 5,
  /** Tries of a transaction after the database asked for a retry: of one push, of a group, of a part of a group. */
  transactionTries: 6,
  groupTries: 3,
  partTries: 2,
  /**
   * If so many pushes of a group have failed, each alone, and none has succeeded, the database is at fault. The rest
   * is answered with `busy`. Each statement that took too long has cost 30 s.
   */
  failuresAlone: 8,
  timeoutsAlone: 2,
  /** The pause before the next transaction if one has left updates over: it lets the event loop read from callers. */
  pauseBesideLeftMs: 10,
  /**
   * For how long a user is grouped with nobody else after causing a group's failure, and how many such users are
   * remembered.
   */
  isolationMs: 10_000,
  isolatedUsers: 1_000,
  /** A node's connections to PostgreSQL, and transactions that wait for one. */
  databaseConnections: 10,
  waitingTransactions: 1_000,
  connectWithinMs: 5_000,
  /** How long a starting server waits for its database. */
  databaseStartMs: 30_000,
  /**
   * PostgreSQL cancels a statement that takes longer. A statement without an answer for `answerWithinMs` ends its
   * connection.
   */
  statementMs: 30_000,
  answerWithinMs: 40_000,
  /** A cancelled statement that does not end in this time loses its connection. */
  cancelWithinMs: 2_000,
  /**
   * PGlite runs one statement at a time. A statement that takes longer is ended with its thread, which is restarted.
   */
  pgliteStatementMs: 30_000,
  /**
   * PGlite writes nothing while fewer bytes of its disk are free: more than one transaction may write, with its log
   * (`rowBytesPerTransaction`). For how long an answer of the file system is used.
   */
  diskReserveBytes: 256 << 20,
  diskFreshMs: 200,
  /** The pause after PGlite's thread could not be started: the first, and the longest. */
  pgliteRestartMs: 1_000,
  pgliteRestartMostMs: 30_000,
  /** A step of the authority that takes longer is ended with its thread. */
  authorityStepMs: 30_000,
  /** PostgreSQL ends a transaction that is idle for so long. */
  idleTransactionMs: 60_000,
  /** Statements that PostgreSQL keeps prepared for a connection, and for how long it keeps their plans. */
  preparedStatements: 300,
  plansKeptMs: 1_000,
  /** The maximum age of a reading of the database's clock for /v1/time, and how long a new reading is waited for. */
  clockFreshMs: 5_000,
  clockWaitMs: 1_000,
  /** /v1/health asks the database no more often than this, and says `busy` if it has not answered for so long. */
  healthFreshMs: 1_000,
  healthWithinMs: 10_000,
  /** Files that are compressed, once for each version: their size, and how many bytes of the results are kept. */
  compressedBytesLeast: 1 << 10,
  compressedBytesMost: 32 << 20,
  compressedBytesKept: 64 << 20,
  /** Ids in `have` and in `known` of one pull. */
  haveIds: 1_000,
  /** Realms in the cursors of one pull, and its scopes, as many as the core accepts. */
  cursors: core.maxCursors,
  scopes: core.maxScopes,
  /**
   * All filters of one pull: their depth, their parts, and the values in their lists. The core's own bound is in
   * comparisons (src/base/limits.h); a filter has at most as many parts as comparisons.
   */
  filterDepth: core.maxFilterDepth,
  filterParts: core.maxScopesCost,
  filterValues: core.maxScopesValues,
  patternCharacters: core.maxPatternCharacters,
  /** Log entries of one pull: the maximum of `limit`, and its default. */
  entriesPerPull: core.maxPullEntries,
  /** Entries that one pull looks at in all realms together, to say how far it goes in each. */
  entriesLooked: 40_000,
  /** Realms that are new to the client, in one pull; the others come with the next ones. */
  newRealmsPerPull: 500,
  /** Rows of the realms that are new to the client, in one pull that reads them; of a single realm also more. */
  newRowsPerPull: 40_000,
  /** Rows that sub-selects over props without an index may read in one pull: all rows of their tables, each time. */
  unindexedRows: 200_000,
  /** Members of the realms that are new to the client, in one pull; of a single realm also more, if it has them already. */
  membersPerPull: 8_000,
  /** An update that would go beyond is refused: members of a realm, and realms of a user, all or with invitations. */
  membersPerRealm: 8_000,
  realmsPerUser: 9_000,
  invitationsPerUser: 5_000,
  /** Invitations by one user that wait; who has declined one is not invited again by the same user for so long. */
  pendingPerInviter: 500,
  declinedMs: 30 * 24 * 3_600_000,
  /** Invitations in one answer, the newest; and up to how many are counted. */
  invitationsPerPull: 100,
  invitationsCounted: 1_000,
  /** Changed rows whose bodies one pull reads; its range is cut to stay below. */
  changesPerPull: 20_000,
  /** Of a sub-select: changes beyond the end of a range, and outer rows that changed inner rows concern. */
  joinRows: 20_000,
  /** Bytes of rows that one pull reads for ranges and pages. A single entry may be larger, and is then read alone. */
  readBytes: 4 << 20,
  /**
   * If an entry changes more bytes, its changes are not sent: pages bring the rows (`refill`). For a whole realm:
   * `answerBytes`.
   */
  entryBytes: 16 << 20,
  /** Clients accept no larger answer. An answer of more characters is computed again over a shorter range. */
  answerBytes: 8 << 20,
  answerCharacters: 4 << 20,
  /** Bytes of the actions of streams in one answer, and in one page of a stream's history; a single entry has no more. */
  streamBytes: 2 << 20,
  /** Snapshots of a stream or prefix in one answer, and about as many bytes of states in it; a single state has no more. */
  snapshotsPerPull: 100,
  stateBytes: 32 << 20,
  /** A snapshot of a stream is made after so many actions, and offered if it replaces at least so many. */
  actionsPerSnapshot: 1_000,
  actionsSaved: 100,
  /** One is made also after so many bytes of actions. The state is measured after so many while a stream is folded. */
  bytesPerSnapshot: 8 << 20,
  bytesPerMeasure: 4 << 20,
  /**
   * The process that runs the reducers of the schema module: MB of its heap, seconds for a page of actions (up to
   * `streamBytes` of them), ms to start, until it ends for lack of work, and before the next start if one has failed.
   */
  reducerMemory: 512,
  reducerSeconds: 30,
  moduleStartMs: 30_000,
  moduleIdleMs: 30_000,
  modulePauseMs: 60_000,
  /** A stream by which that process ends is tried so often: the machine may have been at fault. */
  foldTries: 2,
  /** How long the log is kept, and actions of streams that have snapshots, in seconds. */
  retention: 30 * 24 * 3600,
  /** So many clients of a user, those heard from last, are never forgotten. */
  clientsKept: 100,
  /** Between two looks for what is older: a quarter of that time, within these limits. */
  retentionPauseLeastMs: 250,
  retentionPauseMostMs: 3_600_000,
  /** Actions of a stream in one answer: as many as one entry may have, at least. */
  streamActions: 10_000,
  /** Actions on one page of a stream's history: the maximum of `limit`, and its default. */
  historyActions: 1_000,
  historyDefault: 100,
  /** Streams and prefixes of one pull or hello, and the bytes of a name, as the core accepts. */
  streams: core.maxStreamScopes,
  streamNameBytes: core.maxNameBytes,
  /** Rows of one page. */
  pageRows: core.pageRows,
  /**
   * Rows that one part of a page looks at, and about how many comparisons it makes (sql/filter-work.ts); after so many ms
   * no other part or page is begun: the answer ends, and the next one goes on.
   */
  pageLooks: 10_000,
  pageWork: 1_000_000,
  pagesMs: 400,
  /** Images kept per realm. */
  imagesKept: 4,
  /**
   * For all realms together, in a node's folder: bytes and number of images. An image that was offered or fetched
   * within `imageOfferedMs` is always kept, because its download may be about to begin.
   */
  imageBytesKept: 4 * 2 ** 30,
  imageFilesKept: 2_000,
  imageOfferedMs: 600_000,
  /** Rows of one answer of /v1/tables, and the bytes after which no more are added: one row may have 1 MiB. */
  tableRows: 10_000,
  tableBytes: 4 << 20,
  /** A burst may use the rates of so many seconds. */
  burstSeconds: 20,
  /** Users and clients whose rates are remembered. */
  callersRemembered: 20_000,
  /** So many bytes of a request count as one more request. */
  bytesPerToken: 64 << 10,
  /**
   * Milliseconds of work beyond an equal share that a user may have before the first delay; the maximum debt, as much as
   * two requests can take (`readWithinMs`); the maximum credit; the delay beyond which requests are refused, and the
   * longest `retry-after` then; and the interval over which each user's work is measured (cost/shares.ts).
   */
  workAtOnce: 250,
  workOwed: 60_000,
  workSaved: 1_000,
  restRefusedMs: 5_000,
  restRefusedMostMs: 60_000,
  usageWindowMs: 1_000,
  /** A larger body is parsed when it is its user's turn. */
  bytesParsedAtOnce: 16 << 10,
  /** A push that looks up more keys, or writes more bytes, has a transaction of its own. */
  keysApart: 1_000,
  bytesApart: 256 << 10,
  /** The approximate cost of compressing and sending an answer: characters of JSON per millisecond. */
  charactersAnsweredPerMs: 50_000,
  /** Reads that wait for their turn. */
  waitingReadsPerUser: 100,
  waitingReads: 1_000,
  /** PGlite runs one statement at a time: more concurrent reads would only delay pushes. */
  pgliteReads: 2,
  /** Connections to PostgreSQL that reads leave free for pushes. */
  connectionsForPushes: 3,
  /** The time limit of a pull with all its attempts and pages, of a read of /v1/tables, and of an image. */
  readWithinMs: 30_000,
  /** The minimum rate of a body after a grace period. */
  bodyGraceMs: 10_000,
  bodyBytesPerSecond: 8 << 10,
  /** Sockets of an address without a hello; one more closes the oldest of them. */
  silentSocketsPerAddress: 100,
  /** Hellos and pings of a socket: the burst, and the rate per second. */
  hellosAtOnce: 60,
  hellosPerSecond: 2,
  /** Sockets. */
  socketMessageBytes: 64 << 10,
  socketBufferedBytes: 256 << 10,
  helloWithinMs: 5_000,
  pokeEveryMs: 50,
  /** A user's sockets hear at most so often that invitations have changed, whoever invites. */
  invitationsEveryMs: 2_000,
  /** Between two users who hear of invitations by one update; and what each costs who invites, ms: about a pull. */
  invitedEveryMs: 20,
  invitedMs: 3,
  /** Pokes are sent for so long before the event loop reads from callers; and what a poke costs who causes it, ms. */
  pokeSliceMs: 10,
  pokeMs: 0.03,
  /**
   * When rights of connected users have changed: users whose rights are read in one turn, realms that one query looks up,
   * and changed realms of a user beyond which all are read; how many times longer than a reading the pause of its user
   * is, and the longest.
   */
  rightsPerTurn: 64,
  rightsPerRead: 500,
  rightsOneByOne: 500,
  rightsRest: 10,
  rightsRestMostMs: 5_000,
  /**
   * Between nodes: how often new heads are sent, the maximum size of a message (PostgreSQL: 8,000 bytes), and how
   * many.
   */
  notifyEveryMs: 25,
  notifyBytes: 7_000,
  notifyParts: 20,
  /** How often the log is read for pokes if no notification arrives, and of how many realms at a time. */
  headPollMs: 3_000,
  realmsPerRead: 2_000,
  /** How often changes of rights are looked for where nodes have no notifications. */
  rightsPollMs: 900,
  /** A commit may become visible so long after its time: changes of rights are looked for that far back. */
  rightsOverlapMs: 60_000,
  socketPingEveryMs: 30_000,
  /** The time limit for requests in progress when the server stops. */
  stopWithinMs: 10_000,
  /** Restarts with a newer schema: tries, and the first pause, which grows with each try. */
  restartTries: 10,
  restartPauseMs: 500,
  /** Time limits of a request's headers, and of the whole request. */
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 120_000,
  /** The shortest key of tokens: as long as its digest (RFC 7518). */
  secretBytes: 32,
  /** Client identities, realms, tokens. */
  idBytes: core.maxIdBytes,
  /** The name of a user, in UTF-8. */
  userBytes: core.maxUserBytes,
  tokenBytes: 16 << 10,
  /** Verified tokens that are remembered, and the longest of them. */
  tokensRemembered: 10_000,
  /** For how long a token is not verified again: one of an issuer's keys (JWKS), and one that the application verified. */
  jwksTokenMs: 600_000,
  verifiedTokenMs: 60_000,
  /**
   * Connections that wait to be accepted. Of more the system drops the first packet, and they begin a second later; it may itself
   * allow fewer (`net.core.somaxconn`). Node’s own default is 511.
   */
  backlog: 4_096,
  /** A refusal for too many requests is answered after so long; as many wait for that as there may be connections. */
  refusedMs: 1_000,
  refusalsWaiting: 20_000,
  /** The application's `verify`: its time, how many run at a time, in all and for one address, and for how long its answer without `expires` is valid. */
  verifyWithinMs: 10_000,
  /** The least time between two logged errors of `verify`. */
  verifyLoggedMs: 1_000,
  verifying: 1_000,
  verifyingPerAddress: 100,
  verifiedForSeconds: 3_600,
  /** A realms token in a pull: 10,000 realms. */
  realmsTokenCharacters: 1 << 20,
  /** The application's `access`: for how long its answer is kept, and its time. */
  accessMs: 60_000,
  accessWithinMs: 10_000,
  /**
   * An issuer's keys: their age before they are fetched again, the least time between two fetches, and after one that has
   * failed, one's time and size.
   */
  jwksFreshMs: 600_000,
  jwksPauseMs: 2_000,
  jwksDownPauseMs: 30_000,
  jwksWithinMs: 5_000,
  jwksBytes: 1 << 20,
  /** The most that clocks of issuer and server may be configured to differ. */
  clockSkewSeconds: 300,
  tokenRememberedBytes: 2 << 10,
} as const;

/** Limits of concurrent use per caller: options of the server. A rate of 0 is no limit. */
export interface CallerLimits {
  /** Open connections, in total and per address (behind a trusted proxy only in total). */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Sockets of /v1/poke. */
  readonly sockets: number;
  readonly socketsPerUser: number;
  readonly socketsPerAddress: number;
  /** Requests per second; a burst may have 20 seconds' worth. */
  readonly requestsPerUser: number;
  readonly requestsPerClient: number;
  /** Requests per second of an address that need no token: health, time, files. */
  readonly requestsPerAddress: number;
  /**
   * Milliseconds of work per second that a user always gets, however much others ask for; 0: no user is ever delayed.
   */
  readonly workPerUser: number;
  /** Concurrent reads of a user. */
  readonly readsPerUser: number;
  /** Bytes of bodies that are being read or processed. */
  readonly bytesUnderWay: number;
  readonly bytesPerUser: number;
}

/** Generous: a person with several devices sends a few requests a second, and one address may be a whole office. */
export const callerLimits: CallerLimits = {
  connections: 20_000,
  connectionsPerAddress: 4_000,
  sockets: 10_000,
  socketsPerUser: 100,
  socketsPerAddress: 4_000,
  requestsPerUser: 200,
  requestsPerClient: 50,
  requestsPerAddress: 200,
  workPerUser: 100,
  readsPerUser: 3,
  bytesUnderWay: 256 << 20,
  bytesPerUser: 32 << 20,
};
