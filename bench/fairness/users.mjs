// The ordinary users of the benchmark of fairness: they push a row and pull, again and again.

import { Caller, note } from './caller.mjs';
import { signed } from './tokens.mjs';

export const kUsers = 20;
export const kThinkMs = 50;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** `times` of the requests since it was last emptied, when those under way began, and failures. */
export class Users {
  #callers;
  #ended = false;
  #underWay = new Set();
  times = [];
  failures = new Map();

  constructor(callers) {
    this.#callers = callers;
  }

  static async come(url, signer) {
    const callers = [];
    for (let n = 0; n < kUsers; n++) {
      const user = `user${n}`;
      const sign = () => signed(user, signer);
      const caller = new Caller(url, await sign());
      callers.push({ caller, realm: `user:${user}`, sign: signer.isOwn ? sign : null });
    }
    return new Users(callers);
  }

  run() {
    return Promise.all(this.#callers.map((each) => this.#live(each)));
  }

  /** What so many milliseconds bring. */
  async measure(ms) {
    this.times = [];
    this.failures = new Map();
    const began = performance.now();
    await pause(ms);
    const ended = performance.now();
    // What is not answered yet takes at least as long as it has waited.
    const waited = [...this.#underWay].map(({ at }) => ended - at);
    const times = [...this.times, ...waited].sort((a, b) => a - b);
    return {
      rate: this.times.length / ((ended - began) / 1000),
      p99: times[Math.floor(times.length * 0.99)],
      failures: new Map(this.failures),
    };
  }

  end() {
    this.#ended = true;
    for (const { caller } of this.#callers) caller.close();
  }

  async #live({ caller, realm, sign }) {
    const scopes = [{ table: 'notes', where: ['true'], filled: true }];
    // Ordinary users do not all begin in the same moment.
    await pause(Math.random() * kThinkMs);
    while (!this.#ended) {
      // Where signing in is what costs, they do so each time.
      if (sign !== null) caller.signIn(await sign());
      const update = caller.update([note(realm, { title: 'x' })]);
      await this.#timed(
        () => caller.push([update]),
        (body) => body.results[0].status === 'applied',
      );
      await this.#timed(
        () => caller.pull({ scopes }),
        (body) => {
          caller.cursors = body.cursors;
          return true;
        },
      );
      await pause(kThinkMs);
    }
  }

  async #timed(ask, fits) {
    const began = performance.now();
    const request = { at: began };
    this.#underWay.add(request);
    const { status, text } = await ask();
    this.#underWay.delete(request);
    if (this.#ended) return;
    const ok = status === 200 && fits(JSON.parse(text));
    if (ok) {
      this.times.push(performance.now() - began);
      return;
    }
    const what = status === 200 ? text.slice(0, 80) : String(status);
    this.failures.set(what, (this.failures.get(what) ?? 0) + 1);
    // As clients do.
    await pause(1_000);
  }
}
