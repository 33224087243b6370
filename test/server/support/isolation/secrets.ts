// Every text that others write, and every id that they make, is unique. So what a reader receives can be searched for
// all of them at once, and each can be attributed.

import { randomBytes } from 'node:crypto';

const kMark = /zq[0-9a-f]{16}zq|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** A unique text. */
export function mark(): string {
  return `zq${randomBytes(8).toString('hex')}zq`;
}

export function marksIn(text: string): Set<string> {
  return new Set(text.match(kMark) ?? []);
}

export class Secrets {
  /** What each means, for the message of a failure. */
  readonly #meaning = new Map<string, string>();
  readonly #revealed = new Set<string>();

  get count(): number {
    return this.#meaning.size - this.#revealed.size;
  }

  keep(text: string, meaning: string): void {
    for (const found of marksIn(text)) {
      if (!this.#meaning.has(found)) this.#meaning.set(found, meaning);
    }
  }

  /** From now on the reader may know all that the text holds. */
  reveal(text: string): void {
    for (const found of marksIn(text)) if (this.#meaning.has(found)) this.#revealed.add(found);
  }

  /** The secrets in what the reader has received, but for those that it had sent itself. */
  leaked(received: string, sent = ''): string[] {
    const own = marksIn(sent);
    return [...marksIn(received)]
      .filter((text) => this.#meaning.has(text) && !this.#revealed.has(text) && !own.has(text))
      .map((text) => `${text}: ${this.#meaning.get(text)}`);
  }
}
