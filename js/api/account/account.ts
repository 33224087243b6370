/** What leaves or enters an account: loaded when it is asked for (docs/accounts.md). */

// Page and worker share one chunk, which a bundler cuts in two where a third needs a part of it: a page would load more.
// So this one names the rest of it too.
export { commonBrowserHost } from '../../host/browser-common.ts';
export { EffectRunner } from '../../host/effect-runner.ts';
export { adopt } from './adopt.ts';
export { exportFile } from './export.ts';
export { importFile } from './import.ts';
export { logout } from './logout.ts';
