// Groups and their members: many-to-many through the table `memberships`. Deleting a group takes its memberships with it,
// on the server too, also those that this window never saw.
import type { Demo } from './database.js';
import { attempt, byId, make } from './dom.js';

interface Person {
  readonly id: string;
  readonly name: string;
}
interface GroupWithMembers {
  readonly id: string;
  readonly name: string;
  readonly memberships: readonly { readonly id: string; readonly person: Person | null }[];
}

export class Groups {
  readonly #demo: Demo;
  readonly #list = byId('groups-list');
  readonly #form = byId<HTMLFormElement>('group-form');
  readonly #name = byId<HTMLInputElement>('group-name');
  #people: readonly Person[] = [];
  #groups: readonly GroupWithMembers[] = [];

  constructor(demo: Demo) {
    this.#demo = demo;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const name = this.#name.value.trim();
      if (!name) return;
      this.#run(() => demo.mutate.addGroup({ name }));
      this.#name.value = '';
    });
    demo.people.orderBy('name').subscribe((people) => {
      this.#people = people;
      this.#render();
    });
    demo.groups
      .include('memberships', (q) => q.include('person'))
      .orderBy('name')
      .subscribe((groups) => {
        this.#groups = groups;
        this.#render();
      });
  }

  #render(): void {
    const focused = document.activeElement?.id;
    this.#list.replaceChildren(...this.#groups.map((group) => this.#card(group)));
    if (focused) document.getElementById(focused)?.focus();
    byId('groups-empty').hidden = this.#groups.length > 0;
  }

  #card(group: GroupWithMembers): HTMLElement {
    const remove = make(
      'button',
      {
        type: 'button',
        class: 'quiet',
        id: `delete-${group.id}`,
        'aria-label': `Delete ${group.name}`,
      },
      'Delete',
    );
    remove.addEventListener('click', () =>
      this.#run(() => this.#demo.mutate.deleteGroup({ id: group.id })),
    );
    const members = group.memberships.map((membership) => this.#chip(group, membership));
    return make(
      'article',
      { class: 'group', 'data-group': group.id },
      make(
        'header',
        {},
        make('h3', {}, group.name),
        make(
          'span',
          { class: 'muted' },
          `${members.length} ${members.length === 1 ? 'member' : 'members'}`,
        ),
        remove,
      ),
      make('ul', { class: 'chips' }, ...members),
      this.#adder(group),
    );
  }

  #chip(group: GroupWithMembers, membership: GroupWithMembers['memberships'][number]): HTMLElement {
    const name = membership.person?.name ?? 'someone';
    const remove = make(
      'button',
      {
        type: 'button',
        id: `remove-${membership.id}`,
        'aria-label': `Remove ${name} from ${group.name}`,
      },
      '×',
    );
    remove.addEventListener('click', () =>
      this.#run(() => this.#demo.mutate.removeMember({ id: membership.id })),
    );
    return make('li', { 'data-membership': membership.id }, name, remove);
  }

  #adder(group: GroupWithMembers): HTMLElement {
    const inside = new Set(group.memberships.map((membership) => membership.person?.id));
    const choices = this.#people.filter((person) => !inside.has(person.id));
    const select = make(
      'select',
      {
        id: `add-${group.id}`,
        'aria-label': `Add a member to ${group.name}`,
        disabled: choices.length === 0,
      },
      make('option', { value: '' }, 'Add a member …'),
      ...choices.map((person) => make('option', { value: person.id }, person.name)),
    );
    select.addEventListener('change', () => {
      if (select.value)
        this.#run(() => this.#demo.mutate.addMember({ group: group.id, person: select.value }));
    });
    return select;
  }

  #run(run: () => void): void {
    attempt(run, (problem) => {
      byId('group-problem').textContent = problem;
    });
  }
}
