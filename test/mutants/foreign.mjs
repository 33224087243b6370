// Mistakes about what other programs write (docs/design.md, "Other programs that write"), in the core and the server (mutants.mjs).

const kGenerated = 'test/server/foreign-generated.test.ts';
const kRefusals = 'test/server/foreign-refusals.test.ts';
const kLocks = 'test/server/nodes/foreign-locks.test.ts';
const kPokes = 'test/server/nodes/foreign-pokes.test.ts';
const kSessions = 'test/server/nodes/foreign-sessions.test.ts';
const kConsequences = 'test/server/foreign-consequences.test.ts';
const kAdopt = 'test/server/nodes/adopt.test.ts';
const kTables = 'server/src/capture/table-functions.ts';
const kFunctions = 'server/src/capture/functions.ts';
const kInstall = 'server/src/capture/install.ts';
const kOwn = 'server/src/sql/own-writes.ts';

export const foreign = [
  {
    name: 'a ref that is owed counts as unchanged if the row has changed otherwise',
    file: 'src/authority/cascade.cc',
    from: '  if (owed_.contains(key)) return true;\n',
    to: '',
  },
  {
    name: 'what refers to a row that another program deleted is left',
    file: 'src/authority/cascade.cc',
    from: '    deleted_.push_back({key.object, key.realm, ""});\n  } else if (scene_->AccessIn(*to)',
    to: '  } else if (scene_->AccessIn(*to)',
  },
  {
    name: 'children do not follow a parent that another program moved',
    file: 'src/authority/cascade.cc',
    from: '    moved_.push_back({key.object, key.realm, *to});\n  }\n}\n\nvoid Cascade::Run()',
    to: '  }\n}\n\nvoid Cascade::Run()',
  },
  {
    name: 'the entry of what is owed has overlooked all that came before',
    file: 'src/authority/admission_owed.cc',
    from: '.Set(realm, entry.revision - 1)',
    to: '.Set(realm, 0)',
  },
  {
    name: 'consequences need the rights of somebody',
    file: 'src/authority/scene.cc',
    from: 'if (may_all || founding',
    to: 'if (founding',
  },
];

export const foreignOnServer = [
  {
    name: 'what a trigger of the application writes in a push counts as the server’s',
    test: kGenerated,
    file: kOwn,
    from: "when pg_current_xact_id()::text || ' ' || pg_trigger_depth()::text then ${raised}",
    to: "when pg_current_xact_id()::text || ' 0' then true",
  },
  {
    name: 'a row that was inserted in the transaction counts as one that was there',
    test: kGenerated,
    file: kTables,
    from: 'was json := case when old.revision > 0 then to_json(old) end;',
    to: 'was json := to_json(old);',
  },
  {
    name: 'an update to the same values is logged',
    test: kRefusals,
    file: kTables,
    from: 'coalesce(r.before::text = t.text, false) as is_same',
    to: 'false as is_same',
  },
  {
    name: 'a marker is not put back',
    test: kRefusals,
    file: kTables,
    from: "where c.place is null and json_typeof(c.before) = 'object')",
    to: "where c.place is null and json_typeof(c.before) = 'object' and c.was_live)",
  },
  {
    name: 'an insert meets the marker of a deleted row',
    test: kRefusals,
    file: kTables,
    from: 'perform skerry.${quoteName(`unmark ${key}`)}(new.realm, new.id);\n       end if;',
    to: 'null;\n       end if;',
  },
  {
    name: 'an update changes markers',
    test: kRefusals,
    file: kTables,
    from: 'if old.deleted_at is not null and new.deleted_at is not null then return null; end if;',
    to: '',
  },
  {
    name: 'what is written after constraints were made immediate is logged once',
    test: kGenerated,
    file: kFunctions,
    from: "             set_config('skerry.queued', '', true);\n     return null;",
    to: "             set_config('skerry.statements', '', true);\n     return null;",
  },
  {
    name: 'a row that moved leaves no word where it went',
    test: kConsequences,
    file: kTables,
    from: 'on conflict on constraint raw_pkey do update set moved_to = excluded.moved_to;',
    to: 'on conflict do nothing; update skerry.raw set moved_to = null where xid = pg_current_xact_id();',
  },
  {
    name: 'a unique value is not checked at the end',
    test: kRefusals,
    file: kTables,
    from: '({ prop }) => props.find(({ name }) => name === prop)?.unique === true,',
    to: '() => false,',
  },
  {
    name: 'a transaction above READ COMMITTED may write',
    test: kRefusals,
    file: kFunctions,
    from: "elsif current_setting('transaction_isolation') <> 'read committed' then",
    to: 'elsif false then',
  },
  {
    name: 'a realm that another transaction has set is taken',
    test: kRefusals,
    file: kFunctions,
    from: "return case when starts_with(value, own) then nullif(substr(value, length(own) + 1), '') end;",
    to: "return nullif(coalesce(case when starts_with(value, own) then substr(value, length(own) + 1) end, value), '');",
  },
  {
    name: 'times are kept to the microsecond',
    test: kRefusals,
    file: 'server/src/capture/row-checks.ts',
    from: "${value} := date_trunc('milliseconds', ${value});",
    to: '',
  },
  {
    name: 'JSON that no client can read is stored',
    test: kRefusals,
    file: kFunctions,
    from: 'exception when data_exception',
    to: 'exception when division_by_zero',
  },
  {
    name: 'memberships are written by programs',
    test: kRefusals,
    file: kInstall,
    from: 'table.table === kMembers ? membershipTriggers() : triggersOf(table)',
    to: 'table.table === kMembers ? [] : triggersOf(table)',
  },
  {
    name: 'pushes wait for rows that a program has locked',
    test: kLocks,
    file: kOwn,
    from: "set_config('lock_timeout', '${kRowWithinMs}', true)",
    to: "set_config('lock_timeout', '0', true)",
  },
  {
    name: 'a push that meets a locked row which it does not name fails at once',
    test: kLocks,
    file: 'server/src/push/batch-bisection.ts',
    from: 'if (isLockTimeout(error)) return this.#waitForRows(first);',
    to: '',
  },
  {
    name: 'a locked row is met again and again',
    test: kLocks,
    file: 'server/src/push/commit.ts',
    from: 'if (isLockTimeout(error))',
    to: 'if (isLockTimeout(null))',
  },
  {
    name: 'an update overtakes one of its client that waits for a row',
    test: kLocks,
    file: 'server/src/push/locked-rows.ts',
    from: 'if (clients.has(unit.client)) held.add(unit);',
    to: 'if (isLocked) held.add(unit);',
  },
  {
    name: 'a push waits for a locked row for ever',
    test: kLocks,
    file: 'server/src/push/queued-push.ts',
    from: 'if (waited >= foreignLimits.waitForRowsMs)',
    to: 'if (waited < 0)',
  },
  {
    name: 'entries are read from the newest transaction on that was seen',
    test: kPokes,
    file: 'server/src/poke/foreign-entries.ts',
    from: 'pg_snapshot_xmin(pg_current_snapshot())',
    to: 'pg_snapshot_xmax(pg_current_snapshot())',
  },
  {
    name: 'what is written before the first reading is heard of late',
    test: kPokes,
    file: 'server/src/poke/relay.ts',
    from: '    await this.#foreign.begin();\n',
    to: '',
  },
  {
    name: 'a start does not look whether triggers are there',
    test: kPokes,
    file: kInstall,
    from: 'if (isSame && there?.has(name)) continue;',
    to: 'if (isSame) continue;',
  },
  {
    name: 'a start waits long for a lock, and all others behind it',
    test: kPokes,
    file: 'server/src/prepare.ts',
    from: "select set_config('lock_timeout', '${kLockWithinMs}', true) as lock, ",
    to: 'select ',
  },
  {
    name: 'numbers are logged with the digits of the session',
    test: kSessions,
    file: kFunctions,
    from: 'set extra_float_digits = 1 ',
    to: '',
  },
  {
    name: 'functions of others are found first',
    test: kSessions,
    file: kFunctions,
    from: 'export const kDefiner = `language plpgsql security definer set search_path = pg_catalog, pg_temp',
    to: 'export const kDefiner = `language plpgsql security definer',
  },
  {
    name: 'a program runs what only the triggers may',
    test: kSessions,
    file: kInstall,
    from: 'await tx.query(`revoke all on function ${signature(declaration)} from public`);',
    to: '',
  },
  {
    name: 'a prepared transaction keeps its realms locked',
    test: kSessions,
    file: kFunctions,
    from: "if current_setting('max_prepared_transactions')::integer > 0 then",
    to: 'if false then',
  },
  {
    name: 'locked children are forgotten',
    test: kConsequences,
    file: 'server/src/consequences/children.ts',
    from: 'if (!isMany && found.free === found.found) continue;',
    to: 'if (!isMany) continue;',
  },
  {
    name: 'children beyond one portion are forgotten',
    test: kConsequences,
    file: 'server/src/consequences/children.ts',
    from: 'const isMany = Number(found.found) > most;',
    to: 'const isMany = false;',
  },
  {
    name: 'a deleted row owes nothing',
    test: kConsequences,
    file: kTables,
    from: '...(to === table && hasRule ? [`not c.is_live and ${isReferred}`] : []),',
    to: '',
  },
  {
    name: 'a child of nothing owes nothing',
    test: kConsequences,
    file: kTables,
    from: '...(from === table && hasRule ? [`${own} is not null and ${isMissing}`] : []),',
    to: '',
  },
  {
    name: 'what triggers of the application write when rows are logged is forgotten',
    test: kRefusals,
    file: kFunctions,
    from: 'while exists (select 1 from skerry.raw r where r.xid = tx limit 1) loop',
    to: 'while rounds < 1 and exists (select 1 from skerry.raw r where r.xid = tx limit 1) loop',
  },
  {
    name: 'triggers of the application do not find their tables',
    test: kGenerated,
    file: 'server/src/sql/search-path.ts',
    from: '[...rows.map(({ name }) => quoteText(name)), ',
    to: '[',
  },
  {
    name: 'what the application deletes stays with clients',
    test: kAdopt,
    file: 'server/src/adopt/mirror.ts',
    from: 'where s.id = old.${id} and s.deleted_at is null;',
    to: 'where false;',
  },
  {
    name: 'what a client deletes stays in the adopted table',
    test: kAdopt,
    file: 'server/src/adopt/mirror.ts',
    from: 'if new.moved_to is null then delete from ${adopted} a where a.${id} = new.id; end if;',
    to: '',
  },
  {
    name: 'a row outside of the realms of its table is taken',
    test: kAdopt,
    file: 'server/src/adopt/mirror.ts',
    from: 'if its_parts is null then',
    to: 'if false then',
  },
];
