/**
 * `<skerry-conflicts>`: the conflict inbox as a list that people can settle. It has no framework, and works with any: give it the
 * open database (`element.db = db`), and perhaps the schema (`element.schema`, for values of classes and enums) and words
 * (`element.messages`). All that an entry needs is in one `<article>`; its props are groups of radio buttons.
 */
import type { Conflict, ConflictChange, Conflicts } from '../api/conflicts.ts';
import { type ConflictMessages, english } from './messages.ts';
import { type PropSides, propsOf, rowAgain, type Way, waysOf } from './sides.ts';
import { styles } from './styles.ts';

/** What of a database it uses. */
export interface ConflictSource {
  readonly conflicts: Conflicts<never>;
}
/** What of a schema it uses. */
export interface InfoSource {
  toInfo(value: unknown): unknown;
}

export interface ConflictsElement extends HTMLElement {
  db: ConflictSource | null;
  schema: InfoSource | null;
  messages: Partial<ConflictMessages>;
}

type Side = 'mine' | 'theirs';
interface Shown {
  readonly item: HTMLLIElement;
  readonly signature: string;
}

/** Made when it is called: there is no HTMLElement in Node. */
export function conflictsElement(): CustomElementConstructor {
  return class extends HTMLElement implements ConflictsElement {
    readonly #root = this.attachShadow({ mode: 'open' });
    readonly #list = element('ul', { part: 'list' });
    readonly #empty = element('p', { part: 'empty', tabindex: '-1' });
    readonly #status = element('p', { part: 'status', class: 'status', role: 'status' });
    readonly #shown = new Map<number, Shown>();
    /** What the user has chosen, by entry and prop; it survives what others change meanwhile. */
    readonly #chosen = new Map<number, Map<string, Side>>();
    #db: ConflictSource | null = null;
    #schema: InfoSource | null = null;
    #messages: ConflictMessages = english;
    #stop: (() => void) | null = null;

    constructor() {
      super();
      const style = element('style');
      style.textContent = styles;
      this.#root.append(style, this.#status, this.#empty, this.#list);
    }

    get db(): ConflictSource | null {
      return this.#db;
    }
    set db(db: ConflictSource | null) {
      this.#end();
      this.#db = db;
      this.#begin();
    }

    get schema(): InfoSource | null {
      return this.#schema;
    }
    set schema(schema: InfoSource | null) {
      this.#schema = schema;
      this.#render();
    }

    get messages(): Partial<ConflictMessages> {
      return this.#messages;
    }
    set messages(messages: Partial<ConflictMessages>) {
      this.#messages = { ...english, ...messages };
      this.#render();
    }

    connectedCallback(): void {
      this.#begin();
    }

    disconnectedCallback(): void {
      this.#end();
    }

    #begin(): void {
      if (this.isConnected && this.#stop === null)
        this.#stop = this.#db?.conflicts.subscribe(() => this.#render()) ?? null;
      this.#render();
    }

    #end(): void {
      this.#stop?.();
      this.#stop = null;
    }

    #render(): void {
      const entries = this.#db?.conflicts.all() ?? [];
      this.#list.setAttribute('aria-label', this.#messages.list);
      this.#empty.textContent = this.#messages.empty;
      this.#empty.hidden = entries.length > 0;
      this.#list.hidden = entries.length === 0;
      const present = new Set(entries.map(({ id }) => id));
      for (const [id, { item }] of this.#shown) {
        if (present.has(id)) continue;
        item.remove();
        this.#shown.delete(id);
        this.#chosen.delete(id);
      }
      for (const [place, entry] of entries.entries()) {
        const item = this.#itemOf(entry);
        if (this.#list.children[place] !== item)
          this.#list.insertBefore(item, this.#list.children[place] ?? null);
      }
    }

    /** An entry that is as it was keeps its element, with the focus in it. */
    #itemOf(entry: Conflict): HTMLLIElement {
      const before = this.#shown.get(entry.id);
      const article = this.#article(entry);
      const signature = article.textContent ?? '';
      if (before?.signature === signature) return before.item;
      const item = before?.item ?? element('li', { part: 'item' });
      const focused = before && (this.#root.activeElement as HTMLElement | null)?.dataset['key'];
      item.replaceChildren(article);
      if (focused) item.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
      this.#shown.set(entry.id, { item, signature });
      return item;
    }

    #article(entry: Conflict): HTMLElement {
      const words = this.#messages;
      const title = element('h3', { part: 'title', id: `title-${entry.id}`, tabindex: '-1' });
      title.textContent = words.title(entry);
      const reason = element('p', { part: 'reason' });
      reason.textContent = words.reason(entry);
      const article = element('article', { part: 'entry', 'aria-labelledby': title.id });
      article.append(title, reason);
      const made = entry.mutation?.at ?? entry.at;
      if (made.getTime() > 0) article.append(this.#time(made));
      for (const [place, change] of entry.changes.entries())
        article.append(this.#change(entry, change, place === 0));
      const others = entry.others;
      if (others > 0)
        article.append(
          Object.assign(element('p', { part: 'more' }), { textContent: words.more(others) }),
        );
      const ways = element('div', { part: 'ways', class: 'ways' });
      for (const way of waysOf(entry)) ways.append(this.#button(entry, way));
      article.append(ways);
      return article;
    }

    #time(at: Date): HTMLElement {
      const time = element('time', { part: 'time', datetime: at.toISOString() });
      time.textContent = at.toLocaleString(this.#language());
      return time;
    }

    #language(): string | undefined {
      return this.closest<HTMLElement>('[lang]')?.lang || undefined;
    }

    /** Of the row that the entry is about the user chooses; the others are made again, or not, with it. */
    #change(entry: Conflict, change: ConflictChange, isAbout: boolean): HTMLElement {
      const words = this.#messages;
      const box = element('section', { part: 'row' });
      const heading = element('h4', { part: 'row-title' });
      heading.textContent = words.row(change);
      box.append(heading);
      for (const [is, text] of [
        [change.mine === null, words.youDeleted],
        [change.theirs === null && change.base !== null, words.theyDeleted],
      ] as const) {
        if (is) box.append(Object.assign(element('p', { part: 'note' }), { textContent: text }));
      }
      const mayChoose = isAbout && waysOf(entry).includes('choose');
      for (const sides of propsOf(change)) box.append(this.#prop(entry, change, sides, mayChoose));
      return box;
    }

    #prop(
      entry: Conflict,
      { table, base, theirs }: ConflictChange,
      sides: PropSides,
      mayChoose: boolean,
    ): HTMLElement {
      const words = this.#messages;
      const group = element('fieldset', { part: 'prop' });
      const legend = element('legend', { part: 'prop-name' });
      legend.textContent = words.prop(table, sides.prop);
      group.append(legend);
      const text = (value: unknown) => words.value(value, table, sides.prop) ?? this.#text(value);
      // Of a row that is not there there is nothing to say.
      if (base !== null) group.append(side('base', words.base, text(sides.base)));
      for (const which of theirs === null ? (['mine'] as const) : (['theirs', 'mine'] as const)) {
        const line = side(which, words[which], text(sides[which]), mayChoose && sides.isOpen);
        const input = line.querySelector('input');
        if (input) {
          const name = `choice-${entry.id}-${sides.prop}`;
          Object.assign(input, { name, checked: this.#choice(entry.id, sides.prop) === which });
          input.dataset['key'] = `${name}-${which}`;
          input.addEventListener('change', () => this.#choose(entry.id, sides.prop, which));
        }
        group.append(line);
      }
      return group;
    }

    #choice(id: number, prop: string): Side {
      return this.#chosen.get(id)?.get(prop) ?? 'mine';
    }

    #choose(id: number, prop: string, which: Side): void {
      const chosen = this.#chosen.get(id) ?? new Map<string, Side>();
      this.#chosen.set(id, chosen.set(prop, which));
    }

    #text(value: unknown): string {
      if (value === null || value === undefined) return this.#messages.nothing;
      if (value instanceof Date) return value.toLocaleString(this.#language());
      if (typeof value === 'number') return value.toLocaleString(this.#language());
      if (typeof value === 'string') return value;
      const info = this.#schema?.toInfo(value) ?? value;
      return typeof info === 'string' ? info : JSON.stringify(info);
    }

    #button(entry: Conflict, way: Way): HTMLButtonElement {
      const button = element('button', { part: `button ${way}`, type: 'button' });
      const isGone = entry.theirs === null;
      button.textContent = this.#messages[way === 'discard' && isGone ? 'drop' : way];
      button.dataset['key'] = `${way}-${entry.id}`;
      button.setAttribute('aria-describedby', `title-${entry.id}`);
      button.addEventListener('click', () => void this.#settle(entry, way));
      return button;
    }

    async #settle(entry: Conflict, way: Way): Promise<void> {
      const buttons = this.#shown.get(entry.id)?.item.querySelectorAll('button') ?? [];
      const conflicts = this.#db?.conflicts;
      if (conflicts === undefined) return;
      for (const button of buttons) button.disabled = true;
      try {
        const place = [...this.#shown.keys()].indexOf(entry.id);
        await conflicts.resolve(entry.id, this.#how(entry, way) as never);
        this.#say(this.#messages.settled);
        this.#render();
        this.#focusNear(place);
      } catch (error) {
        const { code, message = String(error) } = (error ?? {}) as {
          code?: unknown;
          message?: string;
        };
        this.#say(code === 'not_found' ? this.#messages.gone : this.#messages.failed(message));
        for (const button of buttons) button.disabled = false;
      }
    }

    #how(entry: Conflict, way: Way): unknown {
      if (way === 'discard' || way === 'retry') return way;
      const [about] = entry.changes;
      if (about === undefined) return 'discard';
      if (way === 'again')
        return {
          amend: (tx: Readonly<Record<string, { create(row: object): string }>>) =>
            tx[about.table]?.create(rowAgain(about)),
        };
      const open = propsOf(about).filter(({ isOpen }) => isOpen);
      const sides = open.map(({ prop }) => [prop, this.#choice(entry.id, prop)] as const);
      if (sides.every(([, side]) => side === 'mine')) return 'retry';
      return { take: Object.fromEntries(sides) };
    }

    #say(text: string): void {
      this.#status.textContent = text;
    }

    /** The focus was in what is gone: it goes to the entry that is there now, or to the sentence that none is left. */
    #focusNear(place: number): void {
      const items = this.#list.querySelectorAll<HTMLElement>('h3');
      (items[Math.min(place, items.length - 1)] ?? this.#empty).focus();
    }
  };
}

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A side of a prop: words, or, where the user may choose it, a radio button with these words. */
function side(which: string, name: string, value: string, mayChoose = false): HTMLElement {
  const line = element(mayChoose ? 'label' : 'div', { part: `side ${which}`, class: 'side' });
  const text = element('span');
  text.append(Object.assign(element('b'), { textContent: `${name}: ` }), value);
  if (mayChoose) line.append(element('input', { type: 'radio', part: 'choice' }));
  line.append(text);
  return line;
}
