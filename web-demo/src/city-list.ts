// The list of cities: a live query over a window of rows. Only the rows on screen are in the DOM; scrolling moves the
// window by a new query (limit, offset), so a list of 135,233 cities costs what 40 rows cost.
import type { Demo } from './database.js';
import { byId, formatNumber, make } from './dom.js';
import { wrongOf } from './wrong.js';

const ROW_PX = 36;
const MARGIN_ROWS = 8;
// Browsers clip elements beyond some 30 million pixels; 135,233 rows of 36 px stay far below.

type SortColumn = 'name' | 'country' | 'population' | 'likes' | 'modifiedAt';
type Stoppable = () => void;

export class CityList {
  readonly #demo: Demo;
  readonly #onSelect: (id: string) => void;
  readonly #scroller = byId('cities-scroller');
  readonly #sizer = byId('cities-sizer');
  readonly #search = byId<HTMLInputElement>('search');
  readonly #count = byId('cities-count');
  #column: SortColumn = 'population';
  #descending = true;
  #selected = '';
  #first = -1;
  #last = -1;
  #stopRows: Stoppable = () => {};
  #stopCount: Stoppable = () => {};
  /** Those of which a rule says that they are wrong. */
  #wrong: ReadonlySet<string> = new Set();

  constructor(demo: Demo, onSelect: (id: string) => void) {
    this.#demo = demo;
    this.#onSelect = onSelect;
    this.#scroller.addEventListener('scroll', () => this.#moveWindow(false), { passive: true });
    new ResizeObserver(() => this.#moveWindow(false)).observe(this.#scroller);
    this.#search.addEventListener('input', () => this.#restart());
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-sort]')) {
      button.addEventListener('click', () => this.#sortBy(button.dataset['sort'] as SortColumn));
    }
    this.#sizer.addEventListener('click', (event) =>
      this.#pick((event.target as Element).closest<HTMLElement>('[data-id]')),
    );
    demo.problems.subscribe(() => {
      this.#wrong = new Set(wrongOf(demo).map(({ id }) => id));
      for (const row of this.#rows()) this.#markWrong(row);
    });
    this.#scroller.addEventListener('keydown', (event) => this.#onKey(event));
    this.#showSort();
    this.#restart();
  }

  select(id: string): void {
    this.#selected = id;
    for (const row of this.#rows()) this.#markSelected(row);
  }

  #rows(): HTMLElement[] {
    return [...this.#sizer.querySelectorAll<HTMLElement>('[data-id]')];
  }

  #query() {
    const text = this.#search.value.trim();
    const cities = this.#demo.cities;
    if (!text) return cities.orderBy(this.#column, this.#descending ? 'desc' : 'asc');
    // `like` is case-sensitive: names begin with a capital, so a search for "stock" means "Stock%".
    const pattern = `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replace(/[\\%_]/g, '\\$&');
    return cities
      .where((b) =>
        b.or(b.cmp('name', 'like', `${pattern}%`), b.cmp('country', '=', text.toUpperCase())),
      )
      .orderBy(this.#column, this.#descending ? 'desc' : 'asc');
  }

  #restart(): void {
    this.#stopCount();
    this.#scroller.scrollTop = 0;
    this.#stopCount = this.#query()
      .liveCount()
      .subscribe((total) => {
        this.#count.textContent = `${formatNumber(total)} ${total === 1 ? 'city' : 'cities'}`;
        this.#sizer.dataset['total'] = String(total);
        this.#sizer.style.height = `${total * ROW_PX}px`;
        this.#moveWindow(false);
      });
    this.#moveWindow(true);
  }

  #moveWindow(force: boolean): void {
    const first = Math.max(0, Math.floor(this.#scroller.scrollTop / ROW_PX) - MARGIN_ROWS);
    const last = first + Math.ceil(this.#scroller.clientHeight / ROW_PX) + 2 * MARGIN_ROWS;
    const near =
      Math.abs(first - this.#first) < MARGIN_ROWS / 2 && last <= this.#last + MARGIN_ROWS / 2;
    if (!force && near) return;
    this.#first = first;
    this.#last = last;
    this.#stopRows();
    this.#stopRows = this.#query()
      .offset(first)
      .limit(last - first)
      .subscribe((rows) => this.#show(first, rows));
  }

  #show(
    first: number,
    rows: readonly {
      id: string;
      name: string;
      country: string;
      population: number;
      likes: number;
    }[],
  ): void {
    const old = new Map(
      [...this.#sizer.children].map((row) => [
        (row as HTMLElement).dataset['id'],
        row as HTMLElement,
      ]),
    );
    const shown = rows.map((city, i) => {
      const row =
        old.get(city.id) ?? make('div', { class: 'row', role: 'option', 'data-id': city.id });
      row.style.transform = `translateY(${(first + i) * ROW_PX}px)`;
      row.setAttribute('aria-posinset', String(first + i + 1));
      row.setAttribute('aria-setsize', this.#sizer.dataset['total'] ?? '-1');
      const cells = [
        city.name,
        city.country,
        formatNumber(city.population),
        city.likes ? `♥ ${formatNumber(city.likes)}` : '',
      ];
      const same =
        row.childElementCount === cells.length &&
        cells.every((text, c) => row.children[c]?.textContent === text);
      if (!same) row.replaceChildren(...cells.map((text) => make('span', {}, text)));
      if (this.#demo.cities.isPending(city.id)) row.dataset['pending'] = '';
      else delete row.dataset['pending'];
      this.#markSelected(row);
      this.#markWrong(row);
      return row;
    });
    this.#sizer.replaceChildren(...shown);
  }

  #markSelected(row: HTMLElement): void {
    row.setAttribute('aria-selected', String(row.dataset['id'] === this.#selected));
  }

  #markWrong(row: HTMLElement): void {
    row.toggleAttribute('data-wrong', this.#wrong.has(row.dataset['id'] ?? ''));
  }

  #pick(row: HTMLElement | null): void {
    if (row?.dataset['id']) this.#onSelect(row.dataset['id']);
  }

  #onKey(event: KeyboardEvent): void {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const rows = this.#rows();
    const at = rows.findIndex((row) => row.dataset['id'] === this.#selected);
    const row = rows[at < 0 ? 0 : at + step];
    if (!row) return;
    const top = (Number(row.getAttribute('aria-posinset')) - 1) * ROW_PX;
    const scroller = this.#scroller;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + ROW_PX > scroller.scrollTop + scroller.clientHeight)
      scroller.scrollTop = top + ROW_PX - scroller.clientHeight;
    this.#pick(row);
  }

  #sortBy(column: SortColumn): void {
    this.#descending =
      this.#column === column ? !this.#descending : column !== 'name' && column !== 'country';
    this.#column = column;
    this.#showSort();
    this.#restart();
  }

  #showSort(): void {
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-sort]')) {
      const mine = button.dataset['sort'] === this.#column;
      button.setAttribute('aria-pressed', String(mine));
      button.dataset['direction'] = mine ? (this.#descending ? 'down' : 'up') : '';
    }
  }
}
