/** Listeners of the status, of conflicts and of events: which are called, and in what order. */
import { expect, test } from 'vitest';
import { EventListeners } from '../../js/api/events.ts';
import { Listeners } from '../../js/api/listeners.ts';
import { collectUncaught, turn } from './support.ts';

test('calls an added listener from the next value on, and a removed one no more', () => {
  const listeners = new Listeners<number>();
  const heard: string[] = [];
  listeners.add((value) => {
    heard.push(`first ${value}`);
    stop();
    if (value === 1) listeners.add((later) => heard.push(`late ${later}`));
  });
  const stop = listeners.add((value) => heard.push(`second ${value}`));
  listeners.notify(1);
  listeners.notify(2);
  expect(heard).toEqual(['first 1', 'first 2', 'late 2']);
});

test('a value that a listener causes reaches all listeners after the one before it', () => {
  const listeners = new Listeners<number>();
  const heard: number[] = [];
  listeners.add((value) => {
    if (value === 1) listeners.notify(2);
  });
  listeners.add((value) => heard.push(value));
  listeners.notify(1);
  expect(heard).toEqual([1, 2]);
});

test('a mistake of one stops neither the others nor what comes later', async () => {
  await collectUncaught(async (uncaught) => {
    const listeners = new Listeners<number>();
    const heard: number[] = [];
    listeners.add(() => {
      throw new Error('of the listener');
    });
    listeners.add((value) => heard.push(value));
    for (const value of [1, 2]) listeners.notify(value);
    expect(heard).toEqual([1, 2]);
    await turn();
    expect(uncaught).toHaveLength(2);
  });
});

test('a loss of data is reported once, to the listeners of that moment', async () => {
  const events = new EventListeners(() => {});
  const heard: string[] = [];
  events.listen('dataLost', () => heard.push('removed'))();
  events.dataLost('torn');
  await turn();
  events.listen('dataLost', ({ detail }: { detail: string }) => heard.push(detail));
  events.listen('dataLost', () => heard.push('the second'));
  await turn();
  expect(heard).toEqual(['torn', 'the second']);
});
