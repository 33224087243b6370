/** The status that a window makes of what its core and its worker say, where the two are not heard at once. */
import { expect, test } from 'vitest';
import { makeStatus, type StatusInput, type WindowState } from '../../js/api/sync-status.ts';

function phase(window: Partial<WindowState>, worker: object): string {
  const input = {
    local: false,
    online: true,
    window: { phase: 'ready', n: 0, cursors: {}, ...window } as WindowState,
    worker: { type: 'status', ...worker },
    error: null,
    image: null,
  } as StatusInput;
  return makeStatus(input).phase;
}

test('a window that has none of the rows yet is filling, whatever its worker has finished', () => {
  expect(phase({ n: 0 }, { phase: 'idle', n: 1 })).toBe('filling');
  expect(phase({ n: 1 }, { phase: 'idle', n: 1 })).toBe('idle');
  expect(phase({ n: 1 }, { phase: 'idle', n: 2 })).toBe('idle');
  expect(phase({ n: 0 }, { phase: 'idle', n: 0 })).toBe('idle');
  expect(phase({ phase: 'loading', n: 1 }, { phase: 'pulling', n: 1 })).toBe('filling');
  expect(phase({ n: 0 }, { phase: 'waiting', n: 1 })).toBe('waiting');
});
