/**
 * `<skerry-inspector>`: shows the feed of `skerry/inspector`, in tabs, with a filter, a pause and an export. It works with any framework: give
 * it the open database (`element.db = db`), and perhaps words (`element.messages`). It collects while it is in a document and has a database.
 */
import {
  type InspectorView,
  type InspectSource,
  inspect,
  type Inspector as OpenInspector,
} from '../../inspector/index.ts';
import { withView } from './file.ts';
import { type InspectorMessages, inEnglish } from './messages.ts';
import { RowList } from './row-list.ts';
import { type SectionName, sectionNames } from './section-names.ts';
import { isFound, rowsOf } from './sections.ts';
import { sheetText } from './sheet.ts';

export interface InspectorElement extends HTMLElement {
  db: InspectSource | null;
  messages: Partial<InspectorMessages>;
  /** The tab that is shown. */
  section: SectionName;
}

type Attributes = Readonly<Record<string, string>>;

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes,
  ...in_: Node[]
) {
  const made = document.createElement(tag);
  for (const name of Object.keys(attributes)) made.setAttribute(name, attributes[name] as string);
  made.append(...in_);
  return made;
}

/** Made when it is called: there is no HTMLElement in Node. */
export function inspectorElement(): CustomElementConstructor {
  return class extends HTMLElement implements InspectorElement {
    readonly #tabs = new Map<SectionName, HTMLButtonElement>();
    readonly #tablist = make('div', { part: 'tabs', class: 'tabs', role: 'tablist' });
    readonly #filter = make('input', { part: 'filter', type: 'search', autocomplete: 'off' });
    readonly #pause = make('button', { part: 'button pause', type: 'button' });
    readonly #export = make('button', { part: 'button export', type: 'button' });
    readonly #status = make('p', { part: 'status', class: 'status', role: 'status' });
    readonly #empty = make('p', { part: 'empty' });
    readonly #list = make('ul', { part: 'list' });
    readonly #panel = make(
      'div',
      { part: 'panel', class: 'panel', role: 'tabpanel', id: 'panel', tabindex: '0' },
      this.#empty,
      this.#list,
    );
    readonly #rows = new RowList(this.#list);
    #db: InspectSource | null = null;
    #messages: InspectorMessages = inEnglish;
    #section: SectionName = 'state';
    #inspector: OpenInspector | null = null;
    /** What is shown while it is paused. */
    #paused: InspectorView | null = null;
    /** Of the last file that was offered for download. */
    #address = '';

    constructor() {
      super();
      const root = this.attachShadow({ mode: 'open' });
      // A <style> is refused by a policy without 'unsafe-inline'.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(sheetText);
      root.adoptedStyleSheets = [sheet];
      for (const name of sectionNames) {
        const tab = make('button', {
          ...{ part: 'tab', role: 'tab', type: 'button', id: `tab-${name}` },
          'aria-controls': 'panel',
        });
        tab.addEventListener('click', () => this.#show(name));
        this.#tabs.set(name, tab);
        this.#tablist.append(tab);
      }
      this.#tablist.addEventListener('keydown', (event) => this.#move(event));
      this.#filter.addEventListener('input', () => this.#render());
      this.#pause.addEventListener('click', () => this.#setPaused(this.#paused === null));
      this.#export.addEventListener('click', () => void this.#offer());
      const tools = make('div', { part: 'tools', class: 'tools' }, this.#filter);
      tools.append(this.#pause, this.#export);
      root.append(tools, this.#status, this.#tablist, this.#panel);
      this.#name();
      this.#takeEarly();
    }

    /** What was set before the element was loaded hides its properties. */
    #takeEarly(): void {
      for (const name of ['db', 'messages', 'section'] as const) {
        const early = Object.getOwnPropertyDescriptor(this, name);
        if (!early) continue;
        Reflect.deleteProperty(this, name);
        Object.assign(this, { [name]: early.value });
      }
    }

    get db(): InspectSource | null {
      return this.#db;
    }
    set db(db: InspectSource | null) {
      this.#end();
      this.#db = db;
      this.#begin();
    }

    get messages(): Partial<InspectorMessages> {
      return this.#messages;
    }
    set messages(messages: Partial<InspectorMessages>) {
      this.#messages = { ...inEnglish, ...messages };
      this.#name();
      this.#rows.clear();
      this.#render();
    }

    get section(): SectionName {
      return this.#section;
    }
    set section(section: SectionName) {
      if (this.#tabs.has(section)) this.#show(section);
    }

    connectedCallback(): void {
      this.#begin();
    }

    disconnectedCallback(): void {
      this.#end();
    }

    #begin(): void {
      if (this.isConnected && this.#db && this.#inspector === null) {
        this.#inspector = inspect(this.#db);
        this.#inspector.subscribe(() => this.#render());
      }
      this.#render();
    }

    #end(): void {
      this.#inspector?.close();
      this.#inspector = null;
      this.#setPaused(false);
      URL.revokeObjectURL(this.#address);
    }

    /** All words that do not come from the feed. */
    #name(): void {
      const words = this.#messages;
      this.#tablist.setAttribute('aria-label', words.label);
      this.#filter.setAttribute('aria-label', words.filter);
      this.#filter.placeholder = words.filter;
      this.#export.textContent = words.export;
      for (const [name, tab] of this.#tabs) {
        tab.textContent = words.tabs[name];
        tab.setAttribute('aria-selected', String(name === this.#section));
        tab.tabIndex = name === this.#section ? 0 : -1;
      }
      this.#panel.setAttribute('aria-labelledby', `tab-${this.#section}`);
      this.#pause.textContent = words.pause;
      this.#pause.setAttribute('aria-pressed', String(this.#paused !== null));
    }

    #show(section: SectionName): void {
      this.#section = section;
      this.#name();
      this.#rows.clear();
      this.#render();
    }

    #move(event: KeyboardEvent): void {
      const isRight = getComputedStyle(this).direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
      const at = sectionNames.indexOf(this.#section);
      const count = sectionNames.length;
      const places: Readonly<Record<string, number>> = {
        ...{ ArrowLeft: at + count - 1, ArrowRight: at + count - 1, [isRight]: at + 1 },
        ...{ Home: 0, End: count - 1 },
      };
      const place = places[event.key];
      const name = place === undefined ? undefined : sectionNames[place % count];
      if (name === undefined) return;
      event.preventDefault();
      this.#show(name);
      this.#tabs.get(name)?.focus();
    }

    #setPaused(isPaused: boolean): void {
      const view = this.#inspector?.view ?? null;
      this.#paused = isPaused ? view : null;
      this.#say(this.#paused ? this.#messages.paused(this.#paused.at, this.#language()) : '');
      this.#name();
      this.#render();
    }

    #render(): void {
      const view = this.#paused ?? this.#inspector?.view;
      const words = this.#messages;
      const filter = this.#filter.value.trim();
      const all = view ? rowsOf(view, this.#section, words, this.#language()) : [];
      const rows = all.filter((row) => isFound(row, filter));
      this.#rows.show(rows);
      this.#list.hidden = rows.length === 0;
      this.#empty.hidden = rows.length > 0;
      this.#empty.textContent = all.length > 0 ? words.notFound : words.empty;
    }

    #language(): string | undefined {
      return this.closest<HTMLElement>('[lang]')?.lang || undefined;
    }

    #say(text: string): void {
      if (this.#status.textContent !== text) this.#status.textContent = text;
    }

    /**
     * Offers the database and this view as one file, unless a listener of `skerry-export` takes it (`detail.file`) and prevents
     * the download.
     */
    async #offer(): Promise<void> {
      const db = this.#db;
      if (!db || !this.#inspector) return;
      this.#export.disabled = true;
      this.#say(this.#messages.exporting);
      try {
        const view = this.#paused ?? (await this.#inspector.refresh());
        const file = withView(await db.export(), view);
        const name = `${db.name}-${new Date(view.at).toISOString().replaceAll(':', '-')}.json`;
        const event = new CustomEvent('skerry-export', {
          ...{ detail: { file, name }, bubbles: true, composed: true, cancelable: true },
        });
        if (this.dispatchEvent(event)) {
          URL.revokeObjectURL(this.#address);
          this.#address = URL.createObjectURL(file);
          make('a', { href: this.#address, download: name }).click();
        }
        this.#say(this.#messages.exported(name));
      } catch (error) {
        this.#say(this.#messages.exportFailed((error as Error).message));
      } finally {
        this.#export.disabled = false;
      }
    }
  };
}
