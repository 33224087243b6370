// Groups and their members: many-to-many through the table `memberships`. Deleting a group takes its memberships with it,
// on the server too, also those that this window never saw. A group with more members than the rule allows says so (schema.ts).
import type { Demo } from './database.js';
import { attempt, byId, make } from './dom.js';
import { whatNext, wrongIn } from './wrong.js';

interface Person {
  readonly id: string;
  readonly name: string;
}
interface GroupWithMembers {
  readonly id: string;
  readonly name: string;
  readonly memberships: readonly { readonly id: string; readonly person: Person | null }[];
}

const byIdOrNull = (group: string | undefined) =>
  group === undefined ? null : document.getElementById(`group-${group}`);

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
    demo.problems.subscribe(() => this.#render());
  }

  /** The group is in sight, and its name has the focus. */
  focus(id: string): void {
    document.getElementById(`group-${id}`)?.focus();
  }

  /** What had the focus keeps it; if it is gone, the name of its group has it. */
  #render(): void {
    const focused = this.#list.contains(document.activeElement) ? document.activeElement : null;
    const group = focused?.closest<HTMLElement>('[data-group]')?.dataset['group'];
    const chosen = new Map(this.#choosers().map(({ id, value }) => [id, value]));
    this.#list.replaceChildren(...this.#groups.map((one) => this.#card(one)));
    for (const chooser of this.#choosers()) chooser.value = chosen.get(chooser.id) || '';
    if (focused) (document.getElementById(focused.id) ?? byIdOrNull(group) ?? this.#name).focus();
    byId('groups-empty').hidden = this.#groups.length > 0;
  }

  #choosers(): HTMLSelectElement[] {
    return [...this.#list.querySelectorAll('select')];
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
    const wrong = wrongIn(this.#demo, group.id);
    const problem = wrong ? `${wrong.message} ${whatNext(wrong)} Remove one of them.` : '';
    return make(
      'article',
      { class: 'group', 'data-group': group.id },
      make(
        'header',
        {},
        make('h2', { id: `group-${group.id}`, tabindex: -1 }, group.name),
        make(
          'span',
          { class: 'muted' },
          `${members.length} ${members.length === 1 ? 'member' : 'members'}`,
        ),
        remove,
      ),
      make('p', { class: 'problem' }, problem),
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
    const isPending = this.#demo.memberships.isPending(membership.id);
    const attributes = { 'data-membership': membership.id, class: isPending ? 'pending' : '' };
    return make('li', attributes, name, remove);
  }

  #adder(group: GroupWithMembers): HTMLElement {
    const inside = new Set(group.memberships.map((membership) => membership.person?.id));
    const choices = this.#people.filter((person) => !inside.has(person.id));
    const select = make(
      'select',
      {
        id: `add-${group.id}`,
        'aria-label': `Add a member to ${group.name}`,
        required: true,
        disabled: choices.length === 0,
      },
      make('option', { value: '' }, 'Add a member …'),
      ...choices.map((person) => make('option', { value: person.id }, person.name)),
    );
    // One that offers the same stays: the browser knows which letters have been typed into it.
    const shown = this.#choosers().find(({ id }) => id === select.id);
    if (shown?.form && shown.isEqualNode(select)) return shown.form;
    // Not as soon as one is chosen: with the keyboard each arrow chooses.
    const button = make('button', { type: 'submit', id: `do-add-${group.id}` }, 'Add');
    const form = make('form', { class: 'tools' }, select, button);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const person = select.value;
      select.value = '';
      this.#run(() => this.#demo.mutate.addMember({ group: group.id, person }));
    });
    return form;
  }

  #run(run: () => unknown): void {
    attempt(run, (problem) => {
      byId('group-problem').textContent = problem;
    });
  }
}
