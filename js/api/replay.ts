/** `db.replay`: actions that were made elsewhere are run by the mutators of their names, under their own ids. */
import { isDate, isPlainObject } from '../core/brand.ts';
import { SkerryError, UnsupportedError, ValidationError } from '../core/errors.ts';
import type { TypeRegistry } from '../core/special-json.ts';
import type { MadeAction } from './mutations.ts';
import type { Mutation } from './types.ts';

/** An action, as an export, another application or an entry of a stream has it. */
export interface ReplayedAction {
  /** UUID. */
  readonly id: string;
  /** Of a mutator. */
  readonly name: string;
  /** What the mutator is called with, or its plain JSON form in a file. */
  readonly arg?: unknown;
  /** The item of an entry of a stream, in place of `arg`. */
  readonly value?: unknown;
  /** When it was made, ms; now, if it is left out. */
  readonly at?: number | Date | null;
  /** The same, of an entry that is pending. */
  readonly madeAt?: Date;
}

export interface Replay {
  /** In the order of the actions, without those that were left out. */
  readonly mutations: readonly Mutation<unknown>[];
  readonly leftOut: readonly {
    readonly id: string;
    /**
     * `pending`: it is pending here. `inbox`: it is in the conflict inbox. `unknown_mutator`: no mutator has its name. Else the code
     * of the error with which its mutator failed, or `failed`.
     */
    readonly why: string;
  }[];
}

interface ReplayParts {
  readonly registry: TypeRegistry;
  readonly hasRemote: boolean;
  /** Ids of actions in the conflict inbox. */
  inbox(): ReadonlySet<string>;
  now(): number;
  /** Runs a mutator; null: there is none of this name. */
  run(name: string, arg: unknown, made: MadeAction): Mutation<unknown> | null;
}

/**
 * Each action counts once in each realm, however often and on however many devices it is replayed: the server knows it by its id.
 * Until the server has answered, one that it has already may show twice here. Throws UnsupportedError without a remote.
 */
export function replay(parts: ReplayParts, actions: readonly ReplayedAction[]): Replay {
  if (!parts.hasRemote) {
    throw new UnsupportedError(
      'unsupported',
      'Without a remote no server can tell which of the actions are in its log already.',
    );
  }
  if (!Array.isArray(actions))
    throw new ValidationError('invalid_argument', 'db.replay() takes a list of actions.');
  // All of them are looked at before any of them is run.
  for (const action of actions) refuseMalformed(action);
  const inbox = parts.inbox();
  const mutations: Mutation<unknown>[] = [];
  const leftOut: { id: string; why: string }[] = [];
  for (const { id, name, value: item, arg = item, at, madeAt } of actions) {
    const leave = (why: string) => leftOut.push({ id, why });
    if (inbox.has(id)) leave('inbox');
    else {
      try {
        const value = isPlain(arg) ? parts.registry.decode(arg) : arg;
        const made = { id, at: Number(at ?? madeAt ?? parts.now()) };
        const mutation = parts.run(name, value, made);
        if (mutation === null) leave('unknown_mutator');
        else mutations.push(mutation);
      } catch (error) {
        leave(error instanceof SkerryError ? error.code : 'failed');
      }
    }
  }
  return { mutations, leftOut };
}

function refuseMalformed(action: ReplayedAction): void {
  const { id, name, at, madeAt } = (action ?? {}) as Partial<ReplayedAction>;
  const isAction = typeof id === 'string' && typeof name === 'string';
  if (
    !isAction ||
    ![at, madeAt].every((time) => time === undefined || time === null || isTime(time))
  )
    throw new ValidationError(
      'invalid_argument',
      'An action has an `id`, a `name`, and perhaps an `arg` and a valid time `at`.',
    );
}

function isTime(at: unknown): boolean {
  return (typeof at === 'number' || isDate(at)) && !Number.isNaN(new Date(at).getTime());
}

/** Whether it is JSON, without any instance in it. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  return isPlainObject(value) && Object.values(value).every(isPlain);
}
