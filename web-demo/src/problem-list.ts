// What needs a person: what the rules find wrong, as a short list that leads to the objects; and, in the head of the page, how
// much that is, and how many changes wait for a decision in the inbox.
import type { Demo } from './database.js';
import { byId, formatNumber, make } from './dom.js';
import { type Wrong, whatNext, wrongOf } from './wrong.js';

const SHOWN = 10;

export class ProblemList {
  readonly #demo: Demo;
  readonly #lead: (wrong: Wrong) => void;
  readonly #card = byId('problems');
  readonly #title = byId('problems-title');

  constructor(demo: Demo, lead: (wrong: Wrong) => void) {
    this.#demo = demo;
    this.#lead = lead;
    demo.problems.subscribe(() => this.#render());
    demo.conflicts.subscribe(() => this.#renderCounts());
    // What is shown is no longer stored, or no longer here: nothing can be put right.
    demo.on('closed', () => {
      for (const element of [this.#card, byId('inbox'), byId('needs')]) element.hidden = true;
    });
    byId('to-problems').addEventListener('click', () => this.#title.focus());
    byId('to-inbox').addEventListener('click', () => byId('inbox-title').focus());
    this.#render();
  }

  #render(): void {
    const wrong = wrongOf(this.#demo);
    const isInside = byId('problems-list').contains(document.activeElement);
    byId('problems-list').replaceChildren(...wrong.slice(0, SHOWN).map((one) => this.#item(one)));
    const more = wrong.length - SHOWN;
    byId('problems-more').textContent = more > 0 ? `And ${formatNumber(more)} more.` : '';
    this.#card.hidden = wrong.length === 0;
    if (isInside && wrong.length > 0) this.#title.focus();
    this.#renderCounts();
  }

  #renderCounts(): void {
    count('to-problems', wrongOf(this.#demo).length, 'problem', 'problems');
    count('to-inbox', this.#demo.conflicts.all().length, 'decision', 'decisions');
  }

  #item(wrong: Wrong): HTMLElement {
    const row = this.#demo[wrong.table].get(wrong.id);
    const button = make('button', { type: 'button' }, row?.name ?? 'Something');
    button.addEventListener('click', () => this.#lead(wrong));
    return make(
      'li',
      {},
      button,
      make('p', { class: 'problem' }, wrong.message),
      make('p', { class: 'muted' }, whatNext(wrong)),
    );
  }
}

function count(id: string, number: number, one: string, several: string): void {
  const button = byId(id);
  button.hidden = number === 0;
  button.textContent = `${formatNumber(number)} ${number === 1 ? one : several}`;
}
