// A client that knows more of a realm's log than the database has: the database was restored to an earlier state. The
// client is served all the same (docs/protocol.md); the operator should know, once.

/** The revision in a cursor, `revision@at`. */
const revisionOf = (cursor: string): number => Number(cursor.split('@', 1)[0]);

export class RestoreNotice {
  readonly #warn: (message: string) => void;
  #isDone = false;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** `lost`: realms that the client has from this database, which has them no longer. `heads`: JSON, by realm. */
  look(cursors: Readonly<Record<string, string>>, lost: readonly string[], heads: string): void {
    if (this.#isDone) return;
    const [realm] = lost;
    if (realm !== undefined) {
      this.#notice(`A client has the realm ${realm}, which this database no longer has`);
      return;
    }
    const known = JSON.parse(heads) as Record<string, { readonly head: number }>;
    for (const [name, cursor] of Object.entries(cursors)) {
      const head = Object.hasOwn(known, name) ? known[name]?.head : undefined;
      const revision = revisionOf(cursor);
      if (head === undefined || !(revision > head)) continue;
      this.#notice(
        `A client has revision ${revision} of the realm ${name}, and this database ${head}`,
      );
      return;
    }
  }

  #notice(found: string): void {
    this.#isDone = true;
    this.#warn(`${found}: it was restored to an earlier state. This is logged once.`);
  }
}
