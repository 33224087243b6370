// Five windows that write while everything happens to them: what each has been told is durable, and what it may have
// written besides.
import { Gone, type RemoteWindow } from './hub.ts';
import type { Scene } from './scene.ts';

export type Blow =
  | 'crash'
  | 'close'
  | 'kill'
  | 'cut-before'
  | 'cut-after'
  | 'stall'
  | 'stop-service-worker';

const LANES = 5;
const BURST = 10;

/** A small random generator, so that one number repeats a run (Numerical Recipes' constants). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export class Storm {
  readonly #scene: Scene;
  readonly #random: (below: number) => number;
  readonly #lanes: (RemoteWindow | null)[] = Array(LANES).fill(null);
  readonly #opening: (Promise<RemoteWindow> | undefined)[] = [];
  readonly #each: number;
  #permits = 0;
  #waiting: (() => void)[] = [];
  counter = '';
  /** Those that were durable. */
  readonly acknowledged: string[] = [];
  attempted = 0;
  opened = 0;

  constructor(scene: Scene, each: number, seed: number) {
    this.#scene = scene;
    this.#each = each;
    this.#random = randomFrom(seed);
  }

  get windows(): RemoteWindow[] {
    return this.#lanes.filter((window) => window !== null);
  }

  /** Opens the windows; makes the counter. */
  async begin(): Promise<void> {
    for (let i = 0; i < LANES; i++) this.#lanes[i] = await this.#scene.open();
    this.opened = LANES;
    this.counter = (await this.#lanes[0]?.call('counter')) ?? '';
    for (const window of this.windows) await window.call('caughtUp');
  }

  /** Everything is written while the blows fall, in an order of chance; ends with all windows open. */
  async run(blows: readonly Blow[]): Promise<void> {
    const bursts = (LANES * this.#each) / BURST;
    // Some are left after the last blow: lanes that ended before it would not wait for it.
    const share = Math.floor(bursts / (blows.length + 1));
    const lanes = this.#lanes.map((_, lane) => this.#write(lane));
    // A lane that fails ends the run, so that no lane waits for the permits of another.
    const failed = Promise.all(lanes);
    failed.catch(() => {});
    const left = [...blows];
    while (left.length > 0) {
      const [blow] = left.splice(this.#random(left.length), 1);
      this.#release(share);
      await Promise.race([this.#strike(blow as Blow), failed]);
    }
    this.#release(bursts);
    await failed;
    this.#scene.proxy.rules();
    for (let lane = 0; lane < LANES; lane++) await this.#living(lane);
  }

  async #write(lane: number): Promise<void> {
    for (let from = 0; from < this.#each; from += BURST) {
      await this.#permit();
      const titles = Array.from({ length: BURST }, (_, i) => `lane ${lane}, ${from + i}`);
      const window = await this.#window(lane);
      this.attempted += BURST;
      try {
        await window.call('burst', this.counter, titles);
        this.acknowledged.push(...titles);
      } catch (error) {
        if (!(error instanceof Gone)) throw error;
      }
    }
  }

  /** The lane's window; one that has ended is opened again, as often as it is ended while it opens. */
  #window(lane: number): Promise<RemoteWindow> {
    const window = this.#lanes[lane];
    if (window?.open) return Promise.resolve(window);
    this.#opening[lane] ??= this.#reopen(lane).finally(() => {
      this.#opening[lane] = undefined;
    });
    return this.#opening[lane];
  }

  /** The lane's window when it has answered: one whose process a blow took along may not be known to be gone. */
  async #living(lane: number): Promise<void> {
    for (;;) {
      try {
        await (await this.#window(lane)).status();
        return;
      } catch (error) {
        if (!(error instanceof Gone)) throw error;
      }
    }
  }

  async #reopen(lane: number): Promise<RemoteWindow> {
    for (;;) {
      try {
        const window = await this.#scene.open();
        this.opened++;
        // A burst needs the counter.
        await window.call('sees', this.counter);
        this.#lanes[lane] = window;
        return window;
      } catch (error) {
        if (!(error instanceof Gone)) throw error;
      }
    }
  }

  async #strike(blow: Blow): Promise<void> {
    const { proxy } = this.#scene;
    if (blow === 'cut-before' || blow === 'cut-after' || blow === 'stall') {
      proxy.rules({ path: /\/v1\/(push|pull)/, fault: blow, times: 1 });
      await proxy.next(/\/v1\/(push|pull)/);
    } else if (blow === 'kill') {
      await this.#scene.kill();
    } else {
      const victim = await this.#window(this.#random(LANES));
      if (blow === 'stop-service-worker') await (await this.#scene.running()).stopServiceWorker?.();
      else await (blow === 'crash' ? this.#scene.crash(victim) : this.#scene.close(victim));
    }
  }

  #release(count: number): void {
    this.#permits += count;
    while (this.#permits > 0 && this.#waiting.length > 0) {
      this.#permits--;
      this.#waiting.shift()?.();
    }
  }

  async #permit(): Promise<void> {
    if (this.#permits > 0) {
      this.#permits--;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
