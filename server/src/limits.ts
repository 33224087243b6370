// Every limit of the server, in one place. DESIGN section 12's limits of the wire are the core's (src/base/limits.h);
// those that can be checked before the core sees a body are repeated here.

export const limits = {
  /** A request's body, compressed and inflated alike. */
  bodyBytes: 8 << 20,
  /** Updates of one push. */
  updatesPerPush: 100,
  /** Pushes that wait for the flusher; more are told to come again. */
  waitingPushes: 2_000,
  waitingBytes: 64 << 20,
  /** Of one user. */
  waitingPushesPerUser: 500,
  /** What one transaction of the flusher takes; a single larger request goes alone. */
  updatesPerFlush: 256,
  bytesPerFlush: 8 << 20,
  /** Transactions of the flusher under way at a time, and how many updates are worth one beside another. */
  groupsUnderWay: 2,
  updatesBesideAnother: 48,
  /** Clients, and realms, that are known to be in the database. */
  rowsRemembered: 50_000,
  /** Rounds of locking more realms before a push is told to come again. */
  lockRounds: 5,
  /** Tries of a transaction that the database asked to run again. */
  transactionTries: 6,
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
  /** What of a caller's rates may come at once after a rest: so many seconds' worth. */
  burstSeconds: 20,
  /** Users, and clients, whose rates are remembered. */
  callersRemembered: 20_000,
  /** A request of so many bytes counts as one more. */
  bytesPerToken: 64 << 10,
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
  /** Milliseconds a second that the database and the rules may work for what a user reads. */
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
  workPerUser: 500,
  readsPerUser: 3,
  bytesUnderWay: 256 << 20,
  bytesPerUser: 32 << 20,
};
