// Goal: numbers that JavaScript repeats from enumerations of the core are the same on both sides, though no compiler sees
// both. Method: both texts are read, and names and numbers compared; a few lines that differ show that the readers see it.
import { describe, expect, it } from 'vitest';
import { texts } from './texts.ts';
import { classesOf, entriesOf, enumOf, numberOf, objectOf } from './twins.ts';

function textOf(path: string): string {
  const text = texts.get(path);
  if (text === undefined) throw new Error(`There is no ${path}.`);
  return text;
}

const windowCore = textOf('js/core/window-core.ts');
const errors = textOf('js/core/errors.ts');
const codes = textOf('src/base/status.h');

describe('the same in the core and in JavaScript', () => {
  it('calls of a transaction', () => {
    const core = enumOf(textOf('src/client/transaction_input.h'), 'TxCall');
    expect(objectOf(windowCore, 'txCalls')).toEqual(core);
  });

  it('aggregates', () => {
    const core = enumOf(textOf('src/model/query.h'), 'AggregateKind');
    expect(objectOf(windowCore, 'aggregates')).toEqual(core);
  });

  it('codes of errors, and their classes', () => {
    const { ok, ...core } = enumOf(codes, 'Code');
    expect(ok).toBe(0);
    const entries = entriesOf(errors, 'ofCore');
    expect(Object.fromEntries(entries.map(([code], i) => [code, i + 1]))).toEqual(core);
    expect(Object.fromEntries(entries)).toEqual(classesOf(codes, 'Code'));
  });

  it('the stream and the action by which a user blocks another', () => {
    const [header, source] = [textOf('src/authority/survey.h'), textOf('src/authority/survey.cc')];
    const stream = /kBlockedStream = "([^"]+)"/.exec(header)?.[1];
    const action = /kBlockAction = "([^"]+)"/.exec(source)?.[1];
    expect(textOf('js/core/members.ts')).toContain(`blockedStream = '${stream}'`);
    expect(textOf('js/api/realms.ts')).toContain(`'${action}'`);
  });

  it('the mounts of a client’s images', () => {
    const mounts = /kMounts\[\] = \{([^}]+)\}/.exec(textOf('src/sync/image_job.h'))?.[1];
    expect(mounts).toBeDefined();
    const list = `[${mounts?.replaceAll('"', "'")}]`;
    expect(textOf('js/host/idb-files.ts')).toContain(`return ${list}.map(`);
  });

  it('the code by which a row is not found', () => {
    expect(numberOf(windowCore, 'notFound')).toBe(-(enumOf(codes, 'Code')['not_found'] ?? 0));
  });
});

describe('the readers', () => {
  const core =
    'enum class Call : uint8_t {\n  kMake = 1,      // a row: MakeError\n  kMakeMany = 3,  // 2 was\n};';

  it('of an enumeration see its names and numbers', () => {
    expect(enumOf(core, 'Call')).toEqual({ make: 1, make_many: 3 });
    expect(enumOf(core.replace('3', '4'), 'Call')).toEqual({ make: 1, make_many: 4 });
    expect(classesOf(core, 'Call')).toEqual({ make: 'MakeError' });
    expect(() => enumOf(core.replace(' = 3', ''), 'Call')).toThrow('no number');
    expect(() => enumOf(core, 'Other')).toThrow('Nothing matches');
  });

  it('of JavaScript see what differs', () => {
    const calls = (text: string) => objectOf(`export const calls = { ${text} } as const;`, 'calls');
    expect(calls('make: 1, makeMany: 3')).toEqual(enumOf(core, 'Call'));
    for (const other of ['make: 1', 'make: 1, makeMany: 2', 'make: 1, makeAll: 3'])
      expect(calls(other)).not.toEqual(enumOf(core, 'Call'));
    const list = "const list: readonly [string, E][] = [\n  ['a', AError],\n  ['b_c', BError],\n];";
    expect(entriesOf(list, 'list')).toEqual([
      ['a', 'AError'],
      ['b_c', 'BError'],
    ]);
    expect(numberOf('const missing = -9;', 'missing')).toBe(-9);
  });
});
