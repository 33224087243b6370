// Mistakes in what an export, an import and an adoption carry from one database to another (mutants.mjs).

const test = 'test/js/moved.test.ts';

export const account = [
  {
    name: 'an import writes into a realm that the server has lost',
    test: 'test/server/lost-client.test.ts',
    file: 'js/api/account/import.ts',
    from: 'for (const { body } of records) core.parts.core.checkLogged(body);',
    to: '',
  },
  {
    name: 'a changed role of one’s own is not shown',
    test: 'test/js/realms.test.ts',
    file: 'js/api/realms.ts',
    from: '({ realm, role }) => `${role} ${realm}`,',
    to: '({ realm }) => realm,',
  },
  {
    name: 'of rows with one id in two realms one is carried',
    test,
    file: 'js/api/account/order.ts',
    from: '  return `${realm}\\0${table}\\0${id}`;',
    to: '  return realm && `${table}\\0${id}`;',
  },
  {
    name: 'two rows that become one are adopted as one',
    test,
    file: 'js/api/account/order.ts',
    from: 'if (other !== undefined && other !== row.realm)',
    to: 'if (other === realm && other !== row.realm)',
  },
  {
    name: 'a parent is not found in the realm of its row',
    test: 'test/js/order.test.ts',
    file: 'js/api/account/order.ts',
    from: 'waiting.get(rowKey(each.row.realm, ref.table, target));',
    to: "waiting.get(rowKey('', ref.table, target));",
  },
  {
    name: 'an action that is here in one realm is not appended in another',
    test,
    file: 'js/api/account/actions.ts',
    from: '  return `${realm}\\0${stream}\\0${id}`;',
    to: '  return realm && stream && id;',
  },
];
