// A push that is cut, or whose answer is lost. The demo's service worker does it (sw-faults.ts), for its own requests and for those of
// this page, which pass through it; and says when it has.

export type Cut = 'cut-push' | 'lose-answer';
/** On it the service worker names what it has just done. */
export const CUT_CHANNEL = 'skerry-demo-cuts';

export class CutRequests {
  readonly #channel = new BroadcastChannel(CUT_CHANNEL);
  #broken: Map<Cut, () => void> = new Map();

  constructor() {
    this.#channel.onmessage = ({ data }) => {
      this.#broken.get(data)?.();
      this.#broken.delete(data);
    };
  }

  /** The next push fails so; false: there is no service worker through which it passes. */
  arm(cut: Cut, broken: () => void): boolean {
    const worker = navigator.serviceWorker?.controller;
    if (!worker) return false;
    worker.postMessage(cut);
    this.#broken.set(cut, broken);
    return true;
  }
}
