/** Logout, adoption, export and import: loaded when first called (docs/accounts.md). */

// Page and worker share one chunk. A bundler splits it if a third chunk needs a part of it, and a page would load more.
// So this chunk imports the rest of it, too.
export { commonBrowserHost } from '../../host/browser-common.ts';
export { EffectRunner } from '../../host/effect-runner.ts';
export { adopt } from './adopt.ts';
export { exportFile } from './export.ts';
export { importFile } from './import.ts';
export { logout } from './logout.ts';
