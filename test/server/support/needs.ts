// What the authority asks for, of which a test gives only what it is about.
import type { PullNeeds, RowNeeds } from '../../../server/src/base/wire-types.ts';

export function rowNeeds(needs: Partial<RowNeeds>): RowNeeds {
  return {
    rows: [],
    children: [],
    unique: [],
    matching: [],
    others: [],
    since: [],
    undone: [],
    ...needs,
  };
}

const noPullNeeds: PullNeeds = {
  entries: [],
  changes: [],
  own: [],
  actions: [],
  state: [],
  pages: [],
  images: [],
  rows: [],
  candidates: [],
  selected: [],
  streams: [],
};

export function pullNeeds(needs: Partial<PullNeeds>): PullNeeds {
  return { ...noPullNeeds, ...needs };
}
