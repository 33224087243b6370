// Mistakes about how a large realm comes: by an image that a window loads, or by pages where there is none.

export const firstVisit = [
  {
    name: 'a service worker pulls a large realm by pages',
    file: 'src/sync/worker_state.cc',
    from: '.device_images = config->images',
    to: '.device_images = in_window && config->images',
  },
  {
    name: 'a host without images is offered them',
    file: 'src/sync/sync_job_pull.cc',
    from: 'return state_->setup.device_images && failed',
    to: 'return failed',
  },
  {
    name: 'an image that cannot be had keeps the rows of its realm away for ever',
    file: 'src/sync/sync_job_fill.cc',
    from: 'if (name != "quota") ++failed_fills_;',
    to: '',
  },
  {
    name: 'a disk that is full ends in pages, for which there is no room',
    file: 'src/sync/sync_job_fill.cc',
    from: 'if (name != "quota") ++failed_fills_;',
    to: '++failed_fills_;',
  },
  {
    name: 'images that failed long ago count beside one that was loaded since',
    file: 'src/sync/sync_job_fill.cc',
    from: '    failed_fills_ = 0;\n',
    to: '',
  },
  {
    name: 'after one realm that came by pages no image is accepted',
    file: 'src/sync/sync_job_pull.cc',
    from: '!AcceptsImages()) failed_fills_ = 0;',
    to: 'AcceptsImages()) failed_fills_ = 0;',
  },
  {
    name: 'images that an older server offers without being asked follow each other without a pause',
    file: 'src/sync/sync_job_fill.cc',
    from: 'if (accepted && !AcceptsImages()) {',
    to: 'if (!AcceptsImages()) {',
  },
  {
    name: 'a service worker calls it a failure that a change waits for an image',
    file: 'src/sync/sync_job_pull.cc',
    from: '!answer->more && answer->images.empty() && !fold->moved()',
    to: '!answer->more && !fold->moved()',
  },
  {
    name: 'a change of a realm that comes by an image is pushed again and again',
    file: 'src/sync/pull_fold.cc',
    from: 'Contains(update->confirmed, realm) || ComesByImage(realm)) continue;',
    to: 'Contains(update->confirmed, realm)) continue;',
  },
  {
    name: 'the rows of a realm of another history are dropped before its image is there',
    file: 'src/sync/pull_fold.cc',
    from: 'return ComesByImage(realm) && IsDropped(realm);',
    to: 'return ComesByImage(realm) && Contains(sync_.refill, realm);',
  },
  {
    name: 'no realm is known as revoked while another one waits for its image',
    file: 'src/sync/pull.h',
    from: 'return !answer_->more && !ComesByImage(realm); }',
    to: 'return !answer_->more && !realm.empty() && answer_->images.empty(); }',
  },
  {
    name: 'a realm that comes by an image counts as revoked',
    file: 'src/sync/pull.h',
    from: 'return !answer_->more && !ComesByImage(realm); }',
    to: 'return !answer_->more && !realm.empty(); }',
  },
  {
    name: 'an image is fetched twice because a service worker takes over meanwhile',
    file: 'src/sync/sync_worker_messages.cc',
    from: 'job_.BeginHelping(turn);',
    to: 'job_.Leave(turn);',
  },
  {
    name: 'a window pushes on after a service worker has taken over during an image',
    file: 'src/sync/sync_job_push.cc',
    from: 'if (!Work() || !lease_.held() || helps()) return;',
    to: 'if (!Work() || !lease_.held()) return;',
  },
  {
    name: 'a service worker pulls before the scopes of its first window are stored',
    file: 'src/sync/sync_worker_tx.cc',
    from: 'owes_start_ = IsUnderWay<ScopesTx>();',
    to: 'owes_start_ = false;',
  },
];

export const firstVisitOfPackage = [
  {
    name: 'the service worker of a browser says that its windows load no images',
    test: 'test/js/service-events.test.ts',
    file: 'js/worker/service/serve.ts',
    from: 'images: true,',
    to: 'images: false,',
  },
  {
    name: 'the windows push for good because the service worker was woken before they set it up',
    test: 'test/js/service-set-up.test.ts',
    file: 'js/worker/service/service-home.ts',
    from: 'if (code === loggedOut || code === notSetUp) throw error;',
    to: 'if (code === loggedOut) throw error;',
  },
  {
    name: 'a wake is lost that comes while the service worker finds that nothing is set up',
    test: 'test/js/service-set-up.test.ts',
    file: 'js/worker/service/service-home.ts',
    from: 'if (code === notSetUp && joins) return',
    to: 'if (code === notSetUp && joins && version < 0) return',
  },
];
