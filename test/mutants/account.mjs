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
    file: 'js/api/account/rows.ts',
    from: '  return `${realm}\\0${table}\\0${id}`;',
    to: '  return realm && `${table}\\0${id}`;',
  },
  {
    name: 'two rows that become one are adopted as one',
    test,
    file: 'js/api/account/rows.ts',
    from: 'if (other !== undefined && other !== row.realm)',
    to: 'if (other === realm && other !== row.realm)',
  },
  {
    name: 'an action that is here in one realm is not appended in another',
    test,
    file: 'js/api/account/actions.ts',
    from: '  return `${realm}\\0${stream}\\0${id}`;',
    to: '  return realm && stream && id;',
  },
];

/** How the core divides rows into mutations (src/log/creation_order.h). */
export const dividing = [
  {
    name: 'a parent is not found in the realm of its row',
    file: 'src/log/creation_order.cc',
    from: 'KeyOfRow(item.realm, parents, target.as_string())',
    to: 'KeyOfRow("", parents, target.as_string())',
  },
  {
    name: 'rows are created in the order in which they came',
    file: 'src/log/creation_order.cc',
    from: 'waiting_.find(parent);',
    to: 'waiting_.end();',
  },
  {
    name: 'a row that is there twice is created twice',
    file: 'src/log/creation_order.cc',
    from: 'if (waiting_.erase(item.key) == 0) continue;',
    to: 'if (waiting_.erase(item.key) == 0 && first != place) continue;',
  },
  {
    name: 'one mutation creates rows in all realms',
    file: 'src/log/creation_order.cc',
    from: ' || realms.size() > kMaxCreateRealms;',
    to: ';',
  },
  {
    name: 'an import is one mutation however many rows it has',
    file: 'src/log/creation_order.cc',
    from: 'count == kMaxCreates || bytes',
    to: 'bytes',
  },
  {
    name: 'the bytes of one mutation go on in the next',
    file: 'src/log/creation_order.cc',
    from: '      bytes = item.bytes;\n',
    to: '',
  },
];
