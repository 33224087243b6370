/** The tabs of `<skerry-inspector>`: which rows each has of a view, as texts. */
import type {
  InspectedAction,
  InspectedObject,
  InspectedStep,
  InspectorView,
} from '../../inspector/index.ts';
import type { InspectorMessages } from './messages.ts';
import type { SectionName } from './section-names.ts';

/** One row of a tab. */
export interface ShownRow {
  /** Among the rows of its tab. */
  readonly key: string;
  readonly title: string;
  /** In a few words, how it is. */
  readonly state: string;
  readonly isWrong: boolean;
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** The way of an action. */
  readonly steps: readonly string[];
}

type Facts = Readonly<Record<string, unknown>>;

/** Whether the row has the text, in whatever case. */
export function isFound({ title, state, facts, steps }: ShownRow, text: string): boolean {
  const all = [title, state, ...facts.flat(), ...steps].join('\n');
  return all.toLowerCase().includes(text.toLowerCase());
}

export function rowsOf(
  view: InspectorView,
  section: SectionName,
  words: InspectorMessages,
  language: string | undefined,
): ShownRow[] {
  const rows = new Rows(words, language);
  makers[section](view, rows);
  return rows.all;
}

class Rows {
  readonly all: ShownRow[] = [];
  readonly words: InspectorMessages;
  readonly #language: string | undefined;

  constructor(words: InspectorMessages, language: string | undefined) {
    this.words = words;
    this.#language = language;
  }

  /** Members of `facts` that are undefined or null are left out. */
  add(
    key: string,
    title: string,
    facts: Facts,
    more: Partial<Pick<ShownRow, 'state' | 'isWrong' | 'steps'>> = {},
  ): void {
    const shown = Object.entries(facts)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [this.words.fact(name), this.#text(name, value)] as const);
    this.all.push({ key, title, state: '', isWrong: false, steps: [], ...more, facts: shown });
  }

  /** By the units of docs/guide/inspector.md: members of one name have one. */
  #text(name: string, value: unknown): string {
    if (typeof value === 'boolean') return value ? this.words.yes : this.words.no;
    if (typeof value === 'number') return this.#number(name, value);
    if (typeof value === 'string') return value;
    if (Array.isArray(value) && value.every((one) => typeof one === 'string'))
      return value.join(', ') || this.words.nothing;
    return JSON.stringify(value);
  }

  #number(name: string, value: number): string {
    if (name === 'at' || name.endsWith('At')) return this.time(value);
    if (/^ms$|Ms$/.test(name)) return `${value.toLocaleString(this.#language, decimals)} ms`;
    if (/^(bytes|usage|quota|sent|received|recordBytes|done|total)$/.test(name))
      return sizeOf(value, this.#language);
    return value.toLocaleString(this.#language);
  }

  time(ms: number): string {
    const at = new Date(ms);
    // One that a record of another script has may be no time at all.
    return Number.isNaN(at.getTime()) ? this.words.nothing : at.toLocaleTimeString(this.#language);
  }
}

const decimals = { maximumFractionDigits: 1 };

function sizeOf(bytes: number, language: string | undefined): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let size = bytes;
  let unit = 0;
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1000;
  return `${size.toLocaleString(language, decimals)} ${units[unit]}`;
}

const nameOf = ({ table, id }: InspectedObject) => `${table} ${id}`;

/** The first step with its time, each other one with how long after it. */
function stepsOf(steps: readonly InspectedStep[], rows: Rows): string[] {
  const [first] = steps;
  return steps.map(({ is, at, code, detail }, i) => {
    const when = i === 0 || !first ? rows.time(at) : `+${Math.max(0, at - first.at)} ms`;
    const why = code === undefined ? '' : ` (${code}: ${detail})`;
    return `${rows.words.stages[is]} ${when}${why}`;
  });
}

function addAction(action: InspectedAction, rows: Rows): void {
  const { id, name, from, realms, objects, steps } = action;
  const last = steps.at(-1)?.is ?? 'made';
  const update = steps.findLast((step) => step.update !== undefined)?.update;
  rows.add(
    id,
    name,
    { from, realms, objects: objects.map(nameOf), update, id },
    {
      state: rows.words.stages[last],
      isWrong: last === 'refused' || last === 'failed' || last === 'held',
      steps: stepsOf(steps, rows),
    },
  );
}

const makers: Readonly<Record<SectionName, (view: InspectorView, rows: Rows) => void>> = {
  state({ database, status, pusher, clock }, rows) {
    const { error, progress, ...state } = status;
    rows.add(
      'status',
      rows.words.fact('status'),
      { ...state, ...progress },
      {
        state: status.phase,
      },
    );
    if (error)
      rows.add(
        'error',
        rows.words.fact('error'),
        { ...error },
        {
          ...{ state: error.code, isWrong: true },
        },
      );
    const { by, owner, reason, leases } = pusher;
    rows.add('pusher', rows.words.fact('pusher'), { by, owner, reason });
    for (const { name, ...lease } of leases)
      rows.add(`lease ${name}`, `${rows.words.fact('lease')}: ${name}`, lease);
    rows.add('clock', rows.words.fact('clock'), { ...clock });
    rows.add(
      'database',
      rows.words.fact('database'),
      { ...database },
      {
        ...{ state: database.closed ?? '', isWrong: database.closed !== null },
      },
    );
  },
  actions({ actions }, rows) {
    for (const action of actions) addAction(action, rows);
  },
  outbox({ outbox }, rows) {
    for (const { id, state, ...update } of outbox.updates)
      rows.add(`update ${id}`, `${rows.words.fact('update')} ${id}`, update, { state });
    for (const { name, objects, held, ...pending } of outbox.pending)
      rows.add(
        pending.id,
        name,
        { ...pending, objects: objects.map(nameOf) },
        {
          ...(held ? { state: rows.words.stages.held, isWrong: true } : {}),
        },
      );
    const { pendingCount, pending, updateCount, updates } = outbox;
    if (pendingCount > pending.length || updateCount > updates.length)
      rows.add('all', rows.words.fact('all'), { pendingCount, updateCount });
  },
  scopes({ scopes, streams }, rows) {
    for (const { table, where, fill, ...scope } of scopes)
      rows.add(`${table} ${JSON.stringify(where)}`, table, { where, ...scope }, { state: fill });
    for (const { stream, ...more } of streams) rows.add(`stream:${stream}`, stream, more);
  },
  realms({ realms }, rows) {
    for (const { realm, role, lost, ...more } of realms)
      rows.add(
        realm,
        realm,
        { ...more, lost: lost || null },
        {
          ...{ state: role ?? '', isWrong: lost },
        },
      );
  },
  problems({ problems, conflicts }, rows) {
    for (const { table, id, message, mutations } of problems)
      rows.add(
        `${table} ${id} ${message}`,
        `${table} ${id}`,
        { message, mutations },
        {
          isWrong: true,
        },
      );
    for (const { id, table, key, code, action, ...more } of conflicts)
      rows.add(
        `conflict ${id}`,
        `${table} ${key}`,
        { action: action?.name, ...more },
        {
          ...{ state: code, isWrong: true },
        },
      );
  },
  queries({ queries }, rows) {
    for (const { number, table, kind, offset, include, ...query } of queries)
      rows.add(
        `${number}`,
        table,
        {
          ...query,
          offset: offset || null,
          include: include.length > 0 ? include : null,
        },
        { state: kind },
      );
  },
  storage({ storage, images }, rows) {
    const { records, error, ...all } = storage;
    rows.add('storage', rows.words.fact('storage'), { ...all, error }, { isWrong: error !== null });
    if (records) rows.add('records', rows.words.fact('records'), records);
    for (const name of ['current', 'previous'] as const) {
      const image = images[name];
      if (!image) continue;
      const { parts, ...more } = image;
      rows.add(`image ${name}`, `${rows.words.fact('image')}: ${name}`, {
        ...more,
        parts: parts.map(({ file }) => file),
      });
    }
  },
  requests({ requests }, rows) {
    for (const { method, path, status, error, ...more } of requests) {
      const title = `${method} ${path}`;
      rows.add(
        `${more.from} ${more.at} ${title}`,
        title,
        { ...more, error },
        {
          state: `${status ?? (more.ms === null ? '…' : '')}`,
          isWrong: error !== null || (status ?? 0) >= 400,
        },
      );
    }
  },
  log({ log }, rows) {
    for (const [i, { at, is, detail }] of [...log].reverse().entries())
      rows.all.unshift({
        ...{ key: `${at} ${i}`, title: rows.words.fact(is), state: rows.time(at), steps: [] },
        ...{ isWrong: ['error', 'data-lost', 'storage-failed'].includes(is) },
        facts: [['', detail]],
      });
  },
};
