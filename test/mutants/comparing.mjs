// Mistakes about comparing (docs/design.md, "Comparing"), in the core and the server (mutants.mjs).

const kClient = 'src/client/comparison.cc';
const kAnswer = 'src/client/comparison_answer.cc';
const kAuthority = 'src/authority/comparing.cc';
const kDiff = 'test/server/diff-client.test.ts';

export const comparing = [
  {
    name: 'a digest leaves out when the row was changed last',
    file: 'src/model/row_digest.cc',
    from: '  PutCell(store, slot, kModifiedAtColumn, &cells);\n',
    to: '',
  },
  {
    name: 'null and an empty text have the same digest',
    file: 'src/model/row_digest.cc',
    from: 'return PutU8(out, 0);',
    to: 'return static_cast<void>((PutU8(out, 1), PutText(out, "")));',
  },
  {
    name: 'a row that was changed above the cursor counts as it is now',
    file: kAuthority,
    from: ' || changed.contains(last_)) continue;',
    to: ') continue;',
  },
  {
    name: 'a row that was changed above the cursor counts out of scope, too',
    file: kAuthority,
    from: 'if (scopes.Hold(key, *row.value(), false, NoInnerRows())) Add(',
    to: 'Add(',
  },
  {
    name: 'rows whose digests add up to the same count as the same, however many',
    file: kAuthority,
    from: 'if (differ.empty() && store_.size() != read_.part.count) {',
    to: 'if (false) {',
  },
  {
    name: 'a table is compared by its former name, under which nothing of it was read',
    file: kAuthority,
    from: ' || schema.table(index).name != read.part.table) {',
    to: ') {',
  },
  {
    name: 'a prop is compared by its former name, and answered by the present one',
    file: kAuthority,
    from: ' || table_.props[prop].name != name) {',
    to: ') {',
  },
  {
    name: 'a part that was cut counts as whole',
    file: kAuthority,
    from: 'if (read_.more) {',
    to: 'if (false) {',
  },
  {
    name: 'rows of other buckets are sent, too',
    file: kAuthority,
    from: 'if (!buckets.empty() && !buckets.contains(DigestBucket(id))) return;',
    to: '',
  },
  {
    name: 'props that were not compared are cleared',
    file: kAnswer,
    from: 'for (const PropIndex prop : props_) row->props[prop] = {};',
    to: 'for (Value& value : row->props) value = {};',
  },
  {
    name: 'what differed at an earlier cursor is mended',
    file: kAnswer,
    from: 'if (!has_changes || !is_current) return',
    to: 'if (!has_changes) return',
  },
  {
    name: 'rows are mended that are the same by now',
    file: kAnswer,
    from: '  if (base == row) return;\n',
    to: '',
  },
  {
    name: 'a row that cannot be mended is mended again and again',
    file: kAnswer,
    from: 'if (!is_new && before->second == digest) {',
    to: 'if (false) {',
  },
  {
    name: 'rows under pending changes are compared as they are shown',
    file: kClient,
    from: 'view_->shadow_count() == 0 || !view_->IsKeptAside(store.Key(slot_))',
    to: 'true',
  },
  {
    name: 'a table of which a scope is not filled is compared',
    file: kClient,
    from: 'if (!filter.ok() || !scope.filled.whole) return false;',
    to: 'if (!filter.ok()) return false;',
  },
  {
    name: 'a lost realm is compared',
    file: kClient,
    from: ' && !is_lost) realms_',
    to: ') realms_',
  },
  {
    name: 'what could not be stored is forgotten',
    file: kAnswer,
    from: '  todo_.push_back(std::move(mending_));\n',
    to: '',
  },
  {
    name: 'a comparison waits for pulls for ever',
    file: kClient,
    from: '++pulls_ <= kMaxPulls',
    to: 'true',
  },
];

export const comparingOnServer = [
  {
    name: 'a comparison tells of realms that the caller may not read',
    test: kDiff,
    file: 'server/src/compare/compare.ts',
    from: 'named.filter((realm) => rights.has(realm))',
    to: 'named.filter((realm) => rights !== null)',
  },
  {
    name: 'a cursor of another history is compared',
    test: kDiff,
    file: 'server/src/compare/compare.ts',
    from: 'if (isGiven && !begunAgain.has(realm)) comparable',
    to: 'if (isGiven) comparable',
  },
  {
    name: 'what was mended is not counted',
    test: kDiff,
    file: 'server/src/compare/mended.ts',
    from: "      this.#metrics.count('mended_rows', rows);\n",
    to: '',
  },
];
