// Mistakes about names that a release has given to what there was.

export const renames = [
  {
    name: 'a prop is not found by a former name',
    file: 'src/model/schema.cc',
    from: 'if (props[i].former.Has(prop)) return static_cast<PropIndex>(i);',
    to: 'if (props[i].former.Has(prop) && props.empty()) return static_cast<PropIndex>(i);',
  },
  {
    name: 'a part of a former name is one',
    file: 'src/model/former_names.cc',
    from: 'if (one == name) return true;',
    to: 'if (one.starts_with(name)) return true;',
  },
  {
    name: 'an image of the next release is read without what it has renamed',
    file: 'src/log/convert.cc',
    from: 'if (index == kNone && is_it) index = other.index;',
    to: 'if (index == kNone && is_it) continue;',
  },
  {
    name: 'a value counts as dropped that a release has renamed',
    file: 'src/log/convert.cc',
    from: 'if (std::find(sources_.begin(), sources_.end(), i) == sources_.end()) dropped_.push_back(i);',
    to: 'if (from.props[i].name != to.props[0].name) dropped_.push_back(i);',
  },
  {
    name: 'what has no place is not found under its former name',
    file: 'src/log/body.cc',
    from: '      prop.former.Add(named.names[i]);\n',
    to: '',
  },
  {
    name: 'a record has names that the release before does not know',
    file: 'src/log/body.cc',
    from: 'PutText(&body, def.props[prop].former.First(def.props[prop].name));',
    to: 'PutText(&body, def.props[prop].name);',
  },
  {
    name: 'an object has another key once its table is renamed',
    file: 'src/log/mutation_record.cc',
    from: 'std::string text(table.former.First(table.name));',
    to: 'std::string text(table.name);',
  },
  {
    name: 'a stored scope keeps its former names',
    file: 'src/log/sync_record.cc',
    from: '  for (SyncScope& scope : sync.scopes) UsePresentNames(schema, &scope.table, &scope.where);\n',
    to: '',
  },
  {
    name: 'a value in a filter is renamed',
    file: 'src/model/present_names.cc',
    from: '  if (items.size() != 3 || !items[2].is_object()) return;',
    to: '  RenameIn(schema, table, &items[2]);\n  if (items.size() != 3 || !items[2].is_object()) return;',
  },
  {
    name: 'a client of a former release is answered with the present names',
    file: 'src/authority/former_schema.cc',
    from: 'if (version >= was["until"].as_u64()) continue;',
    to: 'if (version < was["until"].as_u64()) continue;',
  },
];

const kNames = 'test/server/schema-renames.test.ts';
const kSql = 'test/server/schema-rename-sql.test.ts';

export const renamesOnServer = [
  {
    name: 'a column keeps its former name',
    test: kSql,
    file: 'server/src/sql/renames.ts',
    from: '    for (const { from, to } of columns) {\n      if (existing.get(sql.from)?.has(from) !== true) continue;',
    to: '    for (const { from, to } of [] as Name[]) {\n      if (existing.get(sql.from)?.has(from) !== true) continue;',
  },
  {
    name: 'the index of a renamed column is made twice',
    test: kSql,
    file: 'server/src/sql/renames.ts',
    from: '    await renameIndexes(tx, renamed);\n',
    to: '',
  },
  {
    name: 'the log names a renamed table as before',
    test: kSql,
    file: 'server/src/sql/renames.ts',
    from: '    await renameInLog(tx, table);\n',
    to: '',
  },
  {
    name: 'triggers write under the former name of their table',
    test: kSql,
    file: 'server/src/sql/renames.ts',
    from: '    await dropTriggers(tx, renamed);\n',
    to: '',
  },
  {
    name: 'a table that is there is renamed over',
    test: kSql,
    file: 'server/src/sql/renames.ts',
    from: 'if (isOther(sql) && existing.has(sql.to))',
    to: 'if (isOther(sql) && !existing.has(sql.from))',
  },
  {
    name: 'a renamed prop counts as new',
    test: kSql,
    file: 'server/src/prepare.ts',
    from: 'inPresentNames(newest, own)',
    to: 'newest',
  },
  {
    name: 'a former name is a column that only the older release has',
    test: kSql,
    file: 'server/src/sql/newest-schema.ts',
    from: 'filter(({ name }) => !findNamed(newest.props, name))',
    to: 'filter(({ name }) => !newest.props.some((each) => each.name === name))',
  },
  {
    name: 'a node of the former release fails over what was renamed',
    test: kSql,
    file: 'server/src/sql/newest-schema.ts',
    from: 'if (/^(42703|42P01|42883|25P02)$/.test(sqlState(error))) await fence(database);',
    to: "if (sqlState(error) === '42883') await fence(database);",
  },
  {
    name: 'a filter finds no column by a former name',
    test: kNames,
    file: 'server/src/sql/tables.ts',
    from: 'columns.find(({ prop }) => prop === name) ?? columns.find(({ was }) => had(name, was));',
    to: 'columns.find(({ prop }) => prop === name);',
  },
];
