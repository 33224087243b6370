/** The rows of a tab as elements. A row that is as it was keeps its element, so that a selection or a scroll in it stays. */
import type { ShownRow } from './sections.ts';

interface Drawn {
  readonly item: HTMLLIElement;
  readonly signature: string;
}

export class RowList {
  readonly #list: HTMLUListElement;
  #drawn = new Map<string, Drawn>();

  constructor(list: HTMLUListElement) {
    this.#list = list;
  }

  clear(): void {
    this.#drawn.clear();
    this.#list.replaceChildren();
  }

  show(rows: readonly ShownRow[]): void {
    const before = this.#drawn;
    this.#drawn = new Map();
    for (const [place, row] of rows.entries()) {
      // Two rows of one key are two.
      const key = this.#drawn.has(row.key) ? `${row.key} ${place}` : row.key;
      const signature = JSON.stringify(row);
      const known = before.get(key);
      const item = known?.signature === signature ? known.item : itemOf(row);
      this.#drawn.set(key, { item, signature });
      if (this.#list.children[place] !== item)
        this.#list.insertBefore(item, this.#list.children[place] ?? null);
    }
    while (this.#list.children.length > rows.length) this.#list.lastElementChild?.remove();
  }
}

function itemOf({ title, state, isWrong, facts, steps }: ShownRow): HTMLLIElement {
  const item = part('li', isWrong ? 'row wrong' : 'row');
  const head = part('p', 'head');
  head.append(part('strong', 'title', title));
  if (state !== '') head.append(part('span', isWrong ? 'state wrong' : 'state', state));
  item.append(head);
  if (steps.length > 0) {
    const way = part('ol', 'steps');
    for (const step of steps) way.append(part('li', 'step', step));
    item.append(way);
  }
  const list = part('dl', 'facts');
  for (const [name, value] of facts) {
    if (name === '') item.append(part('p', 'detail', value));
    else list.append(part('dt', 'name', name), part('dd', 'value', value));
  }
  if (list.children.length > 0) item.append(list);
  return item;
}

/** The parts' names are the classes, too. */
function part<K extends keyof HTMLElementTagNameMap>(tag: K, names: string, text = '') {
  const made = document.createElement(tag);
  made.setAttribute('part', names);
  made.className = names;
  made.textContent = text;
  return made;
}
