// Every limit of the server, in one place. DESIGN section 12's limits of the wire are the core's (src/base/limits.h);
// those that can be checked before the core sees a body are repeated here.

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
  /** A transaction that stands still for so long is ended by PostgreSQL. */
  idleTransactionMs: 60_000,
  /** Statements that PostgreSQL keeps prepared for a connection. */
  preparedStatements: 300,
  /** Ids in `have` of one pull, and in `known`. */
  haveIds: 1_000,
  /** Realms in the cursors of one pull, and scopes: as many as the core takes (src/base/limits.h). */
  cursors: 10_000,
  scopes: 1_000,
  /** Log entries of one pull: the greatest `limit`, and the one used when none is given. */
  entriesPerPull: 10_000,
  /** Changed rows whose bodies one pull reads; the range is cut so that it stays below. */
  changesPerPull: 20_000,
  /** Clients read no more; an answer of more characters is made again over a shorter range. */
  answerBytes: 8 << 20,
  answerCharacters: 4 << 20,
  /** Rows of one fill page. */
  pageRows: 2_000,
  /** Realms with more rows than this are filled by an image. */
  imageFromRows: 2_000,
  /** Images kept in memory and on disk. */
  imagesKept: 4,
  /** Rows of one answer of /v1/tables. */
  tableRows: 10_000,
  /** Sockets. */
  sockets: 10_000,
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
  /** Time limits of a request's headers and of the whole request. */
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 120_000,
  /** Client identities, realms, tokens. */
  idBytes: 128,
  tokenBytes: 16 << 10,
  /** Verified tokens that are remembered, and the longest of them. */
  tokensRemembered: 10_000,
  tokenRememberedBytes: 2 << 10,
} as const;
