// Mistakes in how messages of the wire are read strictly (src/log/members.h), and in what is written of them.

export const wire = [
  {
    name: 'a strict reader leaves out items that do not fit',
    file: 'src/log/members.cc',
    from: '      if (!fits) wrong->Set();\n      if (wrong->found()) return wrong->In(count);',
    to: '      if (wrong->found()) return wrong->In(count);',
  },
  {
    name: 'a strict reader leaves out values of maps that do not fit',
    file: 'src/log/members.cc',
    from: '    if (!fits) wrong->Set();\n    if (wrong->found()) return wrong->In(name);',
    to: '    if (wrong->found()) return wrong->In(name);',
  },
  {
    name: 'a strict reader goes on without a required member',
    file: 'src/log/members.cc',
    from: '(member.required != nullptr && !member.required(value))',
    to: '(member.required != nullptr && value.is_bytes())',
  },
  {
    name: 'a strict reader takes a text for an object without members',
    file: 'src/log/members.cc',
    from: '  if (wrong != nullptr && !stored.is_object()) return wrong->Set();\n',
    to: '',
  },
  {
    name: 'a strict reader does not say in which item it is wrong',
    file: 'src/log/members.cc',
    from: 'return wrong->In(count);',
    to: 'return;',
  },
  {
    name: 'an empty list that need not be there is written',
    file: 'src/log/members.cc',
    from: '(was_absent || member.is_optional)) continue;',
    to: 'was_absent) continue;',
  },
  {
    name: 'an image is offered that the authority did not ask for',
    file: 'src/authority/pull_ranges.cc',
    from: 'if (std::find(image_realms_.begin(), end, image.realm) != end)',
    to: 'if (image_realms_.begin() != end || !image.realm.empty())',
  },
  {
    name: 'what an update has lost is said in none of its realms',
    file: 'src/authority/pull_own.cc',
    from: 'entry.lost = lost;',
    to: '(void)entry;',
  },
  {
    name: 'a batch is walked from its second update on',
    file: 'src/sync/push.cc',
    from: 'if (outbox[i].id == batch.ids[places.size()]) places.push_back(i);',
    to: 'if (i > 0 && outbox[i].id == batch.ids[places.size()]) places.push_back(i);',
  },
];
