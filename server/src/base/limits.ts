// Every limit of the server, in one place. The limits of the wire (docs/design.md, "Limits of the wire") are the
// core's (src/base/limits.h); those that can be checked before the core sees a body are repeated here.

export const limits = {
  /** A request's body, compressed and inflated alike. */
  bodyBytes: 8 << 20,
  /** How deep the JSON of a body may be, the body itself included: as deep as the core's (src/base/limits.h). */
  jsonDepth: 64,
  /** Updates of one push. */
  updatesPerPush: 100,
  /** Realms and actions of one update: as many as the core takes (src/base/limits.h). A client groups far fewer. */
  realmsPerUpdate: 100,
  actionsPerUpdate: 1_000,
  /** Of a whole push. A client sends four updates at most: of 100 realms and one action each, or of one realm and 500. */
  realmsPerPush: 400,
  opsPerPush: 40_000,
  /** Every action is looked up in every realm of its update, at some 7 µs each: this many take less than 0.1 s. */
  actionKeysPerPush: 10_000,
  /** Every realm's entry of the log holds an update's actions: what four updates may write, by the core's limit for one. */
  writtenPerPush: 64 << 20,
  /** Pushes that wait for the flusher; more are told to come again. */
  waitingPushes: 2_000,
  waitingBytes: 64 << 20,
  /** Of one user. */
  waitingPushesPerUser: 500,
  /** What one transaction of the flusher takes; a single larger request goes alone. Keys: what it looks up and decides. */
  updatesPerFlush: 256,
  bytesPerFlush: 8 << 20,
  keysPerFlush: 40_000,
  /**
   * Rows, and their bytes, that one transaction of the flusher reads: an update may have 10,000 ops, and change 50,000
   * rows by them (src/base/limits.h). Rows are in memory several times over while they are looked at.
   */
  rowsPerTransaction: 60_000,
  rowBytesPerTransaction: 64 << 20,
  /** Transactions of the flusher under way at a time, and how many updates are worth one beside another. */
  groupsUnderWay: 2,
  updatesBesideAnother: 48,
  /** Clients, and realms, that are known to be in the database. */
  rowsRemembered: 50_000,
  /** Rounds of locking more realms before a push is told to come again. */
  lockRounds: 5,
  /** Tries of a transaction that the database asked to run again: of one push, of a group, of a part of one. */
  transactionTries: 6,
  groupTries: 3,
  partTries: 2,
  /**
   * When so many pushes of a group have failed, each alone, and none has succeeded, then nobody is to blame but the
   * database; the rest is told to come again. A statement that took too long has cost 30 s each time.
   */
  failuresAlone: 8,
  timeoutsAlone: 2,
  /** Before the next transaction where one has left something: callers must be read to have their turn before that. */
  pauseBesideLeftMs: 10,
  /** For how long a user by whom a group failed is grouped with nobody else, and how many such users are remembered. */
  apartMs: 10_000,
  usersApart: 1_000,
  /** Connections of a node to PostgreSQL, and transactions that wait for one of them. */
  databaseConnections: 10,
  waitingTransactions: 1_000,
  connectWithinMs: 5_000,
  /** How long a starting server waits for its database. */
  databaseStartMs: 30_000,
  /** A statement that takes longer is ended by PostgreSQL, and one that is not answered by then ends its connection. */
  statementMs: 30_000,
  answerWithinMs: 40_000,
  /** A statement that was cancelled and does not end loses its connection. */
  cancelWithinMs: 2_000,
  /** PGlite serves one at a time: a statement that takes longer is ended with its thread, which begins again. */
  pgliteStatementMs: 30_000,
  /** A step of the authority that takes longer is ended with its thread. */
  authorityStepMs: 30_000,
  /** A transaction that stands still for so long is ended by PostgreSQL. */
  idleTransactionMs: 60_000,
  /** Statements that PostgreSQL keeps prepared for a connection, and for how long it keeps what it has planned for them. */
  preparedStatements: 300,
  plansKeptMs: 1_000,
  /** How old a reading of the database's clock may be for /v1/time, and how long a new one is waited for. */
  clockFreshMs: 5_000,
  clockWaitMs: 1_000,
  /** Ids in `have` of one pull, and in `known`. */
  haveIds: 1_000,
  /** Realms in the cursors of one pull, and scopes: as many as the core takes (src/base/limits.h). */
  cursors: 10_000,
  scopes: 1_000,
  /**
   * Of the filters of all scopes of one pull: their depth, their parts, and the values in their lists. The core's own bound
   * is in comparisons (src/base/limits.h); no filter has more parts than it takes comparisons.
   */
  filterDepth: 8,
  filterParts: 4_000,
  filterValues: 10_000,
  patternCharacters: 200,
  /** Log entries of one pull: the greatest `limit`, and the one used when none is given. */
  entriesPerPull: 10_000,
  /** Changed rows whose bodies one pull reads; the range is cut so that it stays below. */
  changesPerPull: 20_000,
  /** Bytes of rows that one pull reads of ranges and pages. One entry is read of more, and then alone. */
  readBytes: 4 << 20,
  /** What changed more in one entry is not told by its changes, but by pages (`refill`). Of all of a realm: `answerBytes`. */
  entryBytes: 16 << 20,
  /** Clients read no more; an answer of more characters is made again over a shorter range. */
  answerBytes: 8 << 20,
  answerCharacters: 4 << 20,
  /** Rows of one fill page. */
  pageRows: 2_000,
  /** Realms with more rows than this are filled by an image. */
  imageFromRows: 2_000,
  /** Images kept of one realm. */
  imagesKept: 4,
  /**
   * Of all realms together, in a node's folder: the bytes of images, and how many. One that was offered or fetched within
   * `imageOfferedMs` stays in any case: a download of it may be about to begin.
   */
  imageBytesKept: 4 * 2 ** 30,
  imageFilesKept: 2_000,
  imageOfferedMs: 600_000,
  /** Rows of one answer of /v1/tables, and the bytes from which on it takes no more of them: one row may have 1 MiB. */
  tableRows: 10_000,
  tableBytes: 4 << 20,
  /** What of a caller's rates may come at once after a rest: so many seconds' worth. */
  burstSeconds: 20,
  /** Users, and clients, whose rates are remembered. */
  callersRemembered: 20_000,
  /** A request of so many bytes counts as one more. */
  bytesPerToken: 64 << 10,
  /**
   * Milliseconds of work that a user may have beyond an equal share before the first rest; how many are owed at most; and
   * over how long it is measured what each user has (cost/shares.ts).
   */
  workAtOnce: 250,
  workOwed: 1_000,
  shareStretchMs: 1_000,
  /** A body of more bytes is parsed in its user's turn. */
  bytesParsedAtOnce: 16 << 10,
  /** A push that looks up more keys, or writes more bytes, shares its transaction with nobody. */
  keysApart: 1_000,
  bytesApart: 256 << 10,
  /** About what it costs to pack and send an answer: JSON of so many characters a millisecond. */
  charactersAnsweredPerMs: 50_000,
  /** Requests that read and wait for their turn. */
  waitingReadsPerUser: 100,
  waitingReads: 1_000,
  /** PGlite serves one at a time: more reads under way would only be in the way of pushes. */
  pgliteReads: 2,
  /** Connections to PostgreSQL that reads leave to pushes. */
  connectionsForPushes: 3,
  /** All attempts and pages of a pull, a read of /v1/tables, an image: longer is given up. */
  readWithinMs: 30_000,
  /** A body that comes slower than this, once the grace is over, is given up. */
  bodyGraceMs: 10_000,
  bodyBytesPerSecond: 8 << 10,
  /** Sockets of an address that have not said hello; one more closes the oldest of them. */
  silentSocketsPerAddress: 100,
  /** Hellos of a socket: so many at once, and so many a second. */
  hellosAtOnce: 60,
  hellosPerSecond: 2,
  /** Sockets. */
  socketMessageBytes: 64 << 10,
  socketBufferedBytes: 256 << 10,
  helloWithinMs: 5_000,
  pokeEveryMs: 50,
  /** Between nodes: how often new heads are told, how long one message may be (PostgreSQL: 8,000 bytes), and how many. */
  notifyEveryMs: 25,
  notifyBytes: 7_000,
  notifyParts: 20,
  /** How often the log is read for pokes when no notification came. */
  headPollMs: 3_000,
  socketPingEveryMs: 30_000,
  /** The longest that a stop waits for what is in flight. */
  stopWithinMs: 10_000,
  /** Starting again for a newer schema: tries, and the pause before the second, which grows by itself with each. */
  restartTries: 10,
  restartPauseMs: 500,
  /** Time limits of a request's headers and of the whole request. */
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 120_000,
  /** The shortest key of tokens: as long as the digest that it makes (RFC 7518). */
  secretBytes: 32,
  /** Client identities, realms, tokens. */
  idBytes: 128,
  tokenBytes: 16 << 10,
  /** Verified tokens that are remembered, and the longest of them. */
  tokensRemembered: 10_000,
  tokenRememberedBytes: 2 << 10,
} as const;

/** Limits of what callers do at a time, which depend on who they are: options of the server. 0 is no limit of a rate. */
export interface CallerLimits {
  /** Connections open at a time, in all and of an address (behind a trusted proxy only in all). */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Sockets of /v1/poke. */
  readonly sockets: number;
  readonly socketsPerUser: number;
  readonly socketsPerAddress: number;
  /** Requests a second; 20 seconds' worth may come at once. */
  readonly requestsPerUser: number;
  readonly requestsPerClient: number;
  /** Milliseconds of work a second that a user has in any case, however much the others ask for; 0: nobody ever rests. */
  readonly workPerUser: number;
  /** Requests of a user that read, under way at a time. */
  readonly readsPerUser: number;
  /** Bytes of bodies that are being read or worked on. */
  readonly bytesUnderWay: number;
  readonly bytesPerUser: number;
}

/** Generous: a person with several devices comes to a few requests a second, and one address may be a whole office. */
export const callerLimits: CallerLimits = {
  connections: 20_000,
  connectionsPerAddress: 4_000,
  sockets: 10_000,
  socketsPerUser: 100,
  socketsPerAddress: 4_000,
  requestsPerUser: 200,
  requestsPerClient: 50,
  workPerUser: 100,
  readsPerUser: 3,
  bytesUnderWay: 256 << 20,
  bytesPerUser: 32 << 20,
};
