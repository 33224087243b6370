// What updates name, as the authority says it (docs/authority.md, section 3): by the predicates of its rules, so that this
// server reads no op.

/** A membership that an op is about. */
export interface NamedMember {
  readonly realm: string;
  readonly user: string;
  /** The op may make it, and not only change or remove it. */
  readonly adds: boolean;
  /** Its user accepts it. */
  readonly accepts: boolean;
}

export interface NamedStream {
  readonly realm: string;
  readonly stream: string;
}

/** What one update names; nothing, if the admission will refuse it for its form. */
export interface Survey {
  /** Ids by realm and table. */
  readonly rows: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Realms of which it makes its author the owner, if there are none yet. */
  readonly founds: readonly string[];
  /** One for each op, in their order. */
  readonly members: readonly NamedMember[];
  /** Those to which it appends. */
  readonly streams: readonly NamedStream[];
  /** Users who may no longer invite its author. */
  readonly blocks: readonly string[];
}

/** A pushed update as JSON text, and who pushes it. */
export interface Asked {
  readonly user: { readonly id: string };
  readonly text: string;
  /** The client is of an earlier release: what has no place in the schema is left out. */
  readonly older?: boolean;
}
