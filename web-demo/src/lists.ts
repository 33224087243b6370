// Shared lists: each is a realm, with those members and rows that its owners let in. One that is taken away disappears at
// once.
import type { Demo } from './database.js';
import { attempt, byId } from './dom.js';
import { showInvitations } from './invitations.js';
import { ListCard } from './list-card.js';

export class Lists {
  readonly #demo: Demo;
  readonly #cards = new Map<string, ListCard>();
  readonly #name = byId<HTMLInputElement>('list-name');

  constructor(demo: Demo) {
    this.#demo = demo;
    byId<HTMLFormElement>('list-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const name = this.#name.value.trim();
      if (!name) return;
      this.#run(() => {
        const realm = demo.realms.create().result;
        demo.mutate.nameList({ realm, name });
      });
      this.#name.value = '';
    });
    showInvitations(demo, (run) => this.#run(run));
    demo.realms.subscribe((realms) => this.#show(realms.map(({ realm }) => realm)));
  }

  #show(realms: readonly string[]): void {
    for (const [realm, card] of this.#cards) {
      if (realms.includes(realm)) continue;
      if (!card.left) byId('list-news').textContent = `You no longer see “${card.title}”.`;
      card.close();
      this.#cards.delete(realm);
    }
    for (const realm of realms) {
      if (this.#cards.has(realm)) continue;
      const card = new ListCard(this.#demo, realm, (run) => this.#run(run));
      this.#cards.set(realm, card);
      byId('lists').prepend(card.element);
    }
    byId('lists-empty').hidden = this.#cards.size > 0;
  }

  #run(run: () => unknown): void {
    attempt(run, (problem) => {
      byId('list-problem').textContent = problem;
      byId('list-news').textContent = '';
    });
  }
}
