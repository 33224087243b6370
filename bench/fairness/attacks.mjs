// The worst that a caller with one ordinary token can do, or one without any, each as a load: `prepare` runs before the
// measurement (its state stays with `step`), and `step` is repeated by so many workers for as long as the measurement
// lasts. `server` names a kind of server (servers.mjs) where it is not the usual one.

import { connections } from './attacks/connections.mjs';
import { joins } from './attacks/joins.mjs';
import { pulls } from './attacks/pulls.mjs';
import { pushes } from './attacks/pushes.mjs';
import { realms } from './attacks/realms.mjs';
import { streams } from './attacks/streams.mjs';
import { withoutToken } from './attacks/without-token.mjs';

export const attacks = {
  ...pushes,
  ...pulls,
  ...connections,
  ...joins,
  ...realms,
  ...streams,
  ...withoutToken,
};
