// Goal: what adoption names tables and columns is what a schema can hold, and as a developer would name it. Method: names, and the package's own list of
// those that are not free.

import { expect, test } from 'vitest';
import {
  reservedProps as propsOfPackage,
  reservedTables as tablesOfPackage,
} from '../../js/api/schema.ts';
import {
  reservedProps,
  reservedTables,
  schemaPropName,
  schemaRefName,
  schemaTableName,
} from '../../server/src/adopt/schema-names.ts';

test('the names that are not free are those of the package', () => {
  expect([...reservedTables].sort()).toEqual(Object.keys(tablesOfPackage).sort());
  expect([...reservedProps].sort()).toEqual(Object.keys(propsOfPackage).sort());
});

test.each([
  ['order_details', 'orderDetails'],
  ['OrderDetails', 'orderDetails'],
  ['ORDER_DETAILS', 'orderDetails'],
  ['created_at', 'createdAt_'],
  ['_id', 'id_'],
  ['größe', null],
  ['1st', null],
  ['a'.repeat(48), 'a'.repeat(48)],
  ['a'.repeat(49), null],
])('the column %s is the prop %s', (column, prop) => {
  expect(schemaPropName(column)).toBe(prop);
});

test.each([
  ['owner_id', 'owner'],
  ['ownerId', 'owner'],
  ['paid', 'paid'],
  ['_id', 'id_'],
  ['id', 'id_'],
])('the column %s is the ref %s', (column, prop) => {
  expect(schemaRefName(column)).toBe(prop);
});

test('the table user is user_', () => {
  expect(schemaTableName('user')).toBe('user_');
  expect(schemaTableName('users')).toBe('users');
});
