// The few helpers that the demo needs to make and find elements.

/** The element with this id; the page has it, or the build is wrong. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as E;
}

type Attributes = Record<string, string | number | boolean>;

/** Makes an element. A boolean attribute is present or not; children are nodes or text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** Runs a mutation and says in words what went wrong, beside the form that caused it: also if it could not be stored. */
export function attempt(run: () => unknown, say: (problem: string) => void): void {
  const fail = (error: unknown) => say(error instanceof Error ? error.message : String(error));
  try {
    const { durable } = (run() ?? {}) as { durable?: Promise<void> };
    say('');
    durable?.catch(fail);
  } catch (error) {
    fail(error);
  }
}

const numbers = new Intl.NumberFormat('en');
export const formatNumber = (value: number): string => numbers.format(value);

const times = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
export const formatTime = (value: Date): string => times.format(value);
