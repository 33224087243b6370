/** Where the application names its database, so that hooks know its tables. */

/**
 * Once in the application, with `db` as `open` returned it:
 *
 *   declare module 'skerry/react' { interface Register { database: typeof db } }
 */
// biome-ignore lint/suspicious/noEmptyInterface: for the application to extend
export interface Register {}

// biome-ignore lint/suspicious/noExplicitAny: where no database is registered
export type RegisteredDatabase = Register extends { database: infer D } ? Awaited<D> : any;
