// One shared list: its items, its members, its chat, and what the own role allows.
import { Activity } from './activity.js';
import { Chat } from './chat.js';
import { type Demo, user } from './database.js';
import { make } from './dom.js';

type Role = NonNullable<ReturnType<Demo['realms']['role']>>;
const ROLES: readonly Role[] = ['reader', 'writer', 'owner'];

const options = (): HTMLElement[] => ROLES.map((role) => make('option', { value: role }, role));

export class ListCard {
  readonly element: HTMLElement;
  /** The user has left the list; else it is taken away when it disappears. */
  left = false;
  readonly #demo: Demo;
  readonly #realm: string;
  readonly #run: (run: () => void) => void;
  readonly #title = make('h2');
  readonly #role = make('span', { class: 'muted' });
  readonly #todos = make('ul', { class: 'todos' });
  readonly #members = make('ul', { class: 'members' });
  readonly #adding: HTMLFormElement;
  readonly #inviting: HTMLFormElement;
  readonly #chat: Chat;
  readonly #activity: Activity;
  readonly #stops: (() => void)[] = [];

  constructor(demo: Demo, realm: string, run: (run: () => void) => void) {
    this.#demo = demo;
    this.#realm = realm;
    this.#run = run;
    this.#adding = this.#form('Add an item', 'Add', [], (text) => {
      const list = this.#list()?.id;
      if (!list) return;
      demo.mutate.addTodo({ list, realm, text });
      this.#activity.add({ type: 'added', text });
    });
    const role = make('select', { 'aria-label': 'Role' }, ...options());
    role.value = 'writer';
    this.#inviting = this.#form('A user', 'Invite', [role], (who) => {
      demo.realms.invite(realm, who, role.value as Role);
      this.#activity.add({ type: 'invited', who, role: role.value });
    });
    const leave = make('button', { type: 'button', class: 'quiet' }, 'Leave');
    leave.addEventListener('click', () =>
      run(() => {
        this.left = true;
        try {
          demo.realms.leave(realm);
        } catch (error) {
          this.left = false;
          throw error;
        }
      }),
    );
    this.#chat = new Chat(demo, realm, run);
    this.#activity = new Activity(demo, realm);
    this.element = make(
      'article',
      { class: 'group list', 'data-realm': realm },
      make('header', {}, this.#title, this.#role, leave),
      this.#todos,
      this.#adding,
      this.#members,
      this.#inviting,
      this.#chat.element,
      this.#activity.element,
    );
    const members = demo.realms.members(realm);
    this.#stops.push(
      demo.lists.where('realm', '=', realm).subscribe(() => this.#render()),
      demo.todos
        .where('realm', '=', realm)
        .orderBy('createdAt')
        .subscribe((todos) => this.#renderTodos(todos)),
      members.subscribe(() => this.#render()),
    );
    this.#render();
  }

  get title(): string {
    return this.#title.textContent ?? '';
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#chat.close();
    this.#activity.close();
    this.element.remove();
  }

  #list() {
    return this.#demo.lists.where('realm', '=', this.#realm).first();
  }

  #form(
    placeholder: string,
    button: string,
    more: readonly HTMLElement[],
    submit: (text: string) => void,
  ): HTMLFormElement {
    const input = make('input', { placeholder, 'aria-label': placeholder, autocomplete: 'off' });
    const form = make('form', {}, input, ...more, make('button', { type: 'submit' }, button));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (!text) return;
      this.#run(() => submit(text));
      input.value = '';
    });
    return form;
  }

  #render(): void {
    const own = this.#demo.realms.role(this.#realm);
    // Its rows may come after the invitation. Where the list is gone, its name stays for the last words on it.
    const name = this.#list()?.name;
    if (name !== undefined || this.title === '') this.#title.textContent = name ?? 'A list';
    this.#role.textContent = own ?? '';
    this.element.dataset['role'] = own ?? '';
    this.#adding.hidden = own === 'reader';
    this.#inviting.hidden = own !== 'owner';
    this.#chat.readOnly = own === 'reader';
    for (const box of this.#todos.querySelectorAll('input')) box.disabled = own === 'reader';
    const members = this.#demo.realms.members(this.#realm).value;
    this.#members.replaceChildren(
      ...members.map((member) => this.#member(member, own === 'owner')),
    );
  }

  #renderTodos(todos: readonly { id: string; text: string; done: boolean }[]): void {
    const reads = this.element.dataset['role'] === 'reader';
    const items = todos.map(({ id, text, done }) => {
      const box = make('input', { type: 'checkbox', checked: done, disabled: reads });
      box.addEventListener('change', () =>
        this.#run(() => {
          this.#demo.mutate.checkTodo({ id, done: box.checked });
          this.#activity.add({ type: box.checked ? 'done' : 'open again', text });
        }),
      );
      return make('li', { 'data-todo': id }, make('label', {}, box, make('span', {}, text)));
    });
    this.#todos.replaceChildren(...items);
  }

  #member(
    member: {
      readonly user: string;
      readonly role: Role;
      readonly pending: boolean;
      readonly accepted: boolean;
    },
    mayChange: boolean,
  ): HTMLElement {
    const { realms } = this.#demo;
    const what = member.user === user ? ' (you)' : member.accepted ? '' : ' (invited)';
    const name = `${member.user}${what}`;
    const attributes = { 'data-member': member.user, class: member.pending ? 'pending' : '' };
    if (!mayChange || member.user === user)
      return make('li', attributes, name, make('span', { class: 'muted' }, member.role));
    const role = make('select', { 'aria-label': `Role of ${member.user}` }, ...options());
    role.value = member.role;
    role.addEventListener('change', () =>
      this.#run(() => {
        realms.setRole(this.#realm, member.user, role.value as Role);
        this.#activity.add({ type: 'role', who: member.user, role: role.value });
      }),
    );
    const label = `Remove ${member.user}`;
    const remove = make('button', { type: 'button', class: 'quiet', 'aria-label': label }, '×');
    remove.addEventListener('click', () =>
      this.#run(() => {
        realms.remove(this.#realm, member.user);
        this.#activity.add({ type: 'removed', who: member.user });
      }),
    );
    return make('li', attributes, name, role, remove);
  }
}
