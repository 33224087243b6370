/** The way of recent actions: what messages on the channel and readings of storage show of it. */
import type { MadeMutation } from '../api/mutations.ts';
import type {
  AddedItem,
  MutationRecord,
  NamedMutation,
  RefusedMutation,
  SettleEffect,
  UpdateRecord,
} from '../core/core-types.ts';
import { inspectorLimits } from './limits.ts';
import { Ring } from './ring.ts';
import { objectsOf, type StoredUpdate, textOf } from './stored.ts';
import type { InspectedAction, InspectedStep } from './view.ts';

type Growing = Omit<InspectedAction, 'steps' | 'realms' | 'objects'> & {
  realms: InspectedAction['realms'];
  objects: InspectedAction['objects'];
  readonly steps: InspectedStep[];
};

/** Steps that imply others before them. */
const implied = { new: ['grouped'], sent: ['grouped', 'sent'] } as const;
const received = ['grouped', 'sent', 'received'] as const;

export class Actions {
  readonly #window: string;
  readonly #ring = new Ring<Growing>(inspectorLimits.actions);

  constructor(window: string) {
    this.#window = window;
  }

  get dropped(): number {
    return this.#ring.dropped;
  }

  all(): readonly InspectedAction[] {
    return this.#ring.all().map((action) => ({ ...action, steps: [...action.steps] }));
  }

  /** This window has made one, or what became of it is known. */
  heard(news: MadeMutation | SettleEffect, at: number): void {
    const { id } = news;
    if (news.type === 'made') {
      const { name } = news;
      const steps: InspectedStep[] = [{ is: 'made', at }];
      this.#ring.set(id, { id, name, at, from: 'this-window', realms: [], objects: [], steps });
    } else if (news.stage === 'durable') {
      const { error } = news;
      if (error)
        this.#step(id, { is: 'failed', at, code: error.code, detail: textOf(error.detail) });
      else this.#step(id, { is: 'stored', at });
    }
  }

  /** The message `added`: a window has stored these. */
  added(tab: unknown, items: readonly Partial<AddedItem>[], at: number): void {
    const from = tab === this.#window ? 'this-window' : tab ? 'another-window' : 'stored';
    for (const { record } of items) if (record) this.#begin(record, from, at);
  }

  /** They are in storage. */
  pending(records: readonly MutationRecord[], at: number): void {
    for (const record of records) {
      const { held } = record;
      const action = this.#begin(record, 'stored', at);
      const last = action.steps.findLast(({ is }) => is === 'held' || is === 'freed')?.is;
      if (held && last !== 'held') action.steps.push({ is: 'held', at });
      else if (!held && last === 'held') action.steps.push({ is: 'freed', at });
    }
  }

  /** They are in the outbox. */
  updates(updates: readonly StoredUpdate[], at: number): void {
    for (const { id: update, state, mutations } of updates)
      for (const { id } of mutations)
        for (const is of implied[state as 'new'] ?? received) this.#step(id, { is, at, update });
  }

  /** The message `record`. */
  record({ n, confirmed, refused, partly }: Partial<UpdateRecord>, at: number): void {
    for (const { id } of (confirmed ?? []) as NamedMutation[])
      this.#step(id, { is: 'confirmed', at, ...(n !== undefined && { n }) });
    for (const { id, code, detail } of (refused ?? []) as RefusedMutation[])
      this.#step(id, { is: 'refused', at, code, detail: textOf(detail) });
    for (const { id } of partly ?? []) this.#step(id, { is: 'partly', at });
  }

  #begin(record: MutationRecord, from: InspectedAction['from'], at: number): Growing {
    let action = this.#ring.get(record.id);
    if (!action) {
      const steps: InspectedStep[] = [{ is: 'made', at: record.at }];
      action = {
        ...{ id: record.id, name: record.name, at: record.at, from },
        ...{ realms: [], objects: [], steps },
      };
      this.#ring.set(record.id, action);
    }
    action.realms = record.realms;
    action.objects = objectsOf(record.keys);
    this.#step(record.id, { is: 'stored', at });
    return action;
  }

  /** Each once: an update may be grouped again, and is another one then. */
  #step(id: string, step: InspectedStep): void {
    const steps = this.#ring.get(id)?.steps;
    const isKnown = steps?.some(({ is, update }) => is === step.is && update === step.update);
    // A mutation may be grouped often, while the server cannot decide.
    if (steps && !isKnown && steps.length < inspectorLimits.objects) steps.push(step);
  }
}
