// Goal: an error of the operating system is not taken for one of the database's, however long its code is. Method: each
// code that the system has.

import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { isAway, isUnavailable, sqlState } from '../../server/src/db/database.ts';

const ofSystem = (code: string) => Object.assign(new Error(`write ${code}`), { code });

test('no code of the operating system is an SQLSTATE', () => {
  const codes = Object.keys(constants.errno);
  expect(codes).toContain('EPIPE');
  expect(codes.filter((code) => sqlState(ofSystem(code)) !== '')).toEqual([]);
});

test.each(['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH'])(
  '%s of a socket says that the database is away',
  (code) => {
    expect(isUnavailable(ofSystem(code))).toBe(true);
    expect(isAway(ofSystem(code))).toBe(true);
  },
);

test.each(['22001', '57P01', 'F0000', 'HV000', 'P0001', 'XX000'])('%s is an SQLSTATE', (code) => {
  expect(sqlState({ code })).toBe(code);
});
