/** The parts that windows and workers of a browser have in common. */
import { broadcastChannels } from './channel.ts';
import { systemClock } from './clock.ts';
import type { CommonHost } from './host.ts';
import { indexedDbStorage } from './indexeddb.ts';
import { systemRandom } from './random.ts';
import { systemTimers } from './timers.ts';

export function commonBrowserHost(): CommonHost {
  return {
    clock: systemClock,
    random: systemRandom,
    storage: indexedDbStorage(),
    channels: broadcastChannels,
    timers: systemTimers,
    wasm: (url) => fetch(url, { credentials: 'same-origin' }),
  };
}
