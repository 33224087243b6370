// What folds streams, one at a time, by the reducers of the schema module: a process of its own (module-link.ts), or this
// one (own-folder.ts). States stay there, and come back as finished text: the main thread reads and writes none.

export interface FoldedAction {
  readonly id: string;
  /** JSON text. */
  readonly arg: string | null;
}

/** A state, ready to be kept. */
export interface MadeState {
  /** JSON text. */
  readonly state: string;
  readonly hash: string;
}

export interface FoldBegin {
  readonly stream: string;
  /** The version of the reducer; a folder that has another one cannot fold. */
  readonly version: number;
  /** The state to go on from; null: the reducer's first one. */
  readonly from: { readonly version: number; readonly state: string } | null;
}

export interface PageDone {
  /** Actions by which the reducer threw: they are left out, as on clients. */
  readonly failed: number;
  readonly first: { readonly id: string; readonly reason: string } | null;
  /** The state was measured after this page, and has no more bytes than it may: `kept` gives it. */
  readonly isMeasured: boolean;
  /** The state's bytes, if they are too many. */
  readonly over: number | null;
}

export interface FoldDone {
  readonly made: MadeState | null;
  readonly over: number | null;
}

export interface Folder {
  begin(begin: FoldBegin): Promise<void>;
  /** Folds the next actions. */
  page(actions: readonly FoldedAction[]): Promise<PageDone>;
  /** The state with all actions in it. */
  finish(): Promise<FoldDone>;
  /** The state when it was measured last. */
  kept(): Promise<MadeState | null>;
  close(): Promise<void>;
}

/** Why a stream is set apart. */
export type ApartReason = 'state' | 'memory' | 'time' | 'ended' | 'failed';

/** The stream that is being folded is at fault. */
export class Unfoldable extends Error {
  readonly reason: ApartReason;
  constructor(reason: ApartReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** The process has ended by the stream that it was folding, or because of the machine. */
export class FolderGone extends Unfoldable {}

/** No stream is at fault: the reducers cannot run at all. */
export class FolderAway extends Error {}
