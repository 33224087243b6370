// A browser of windows with one WebKit view each, told by lines of JSON on its input what to do:
// `gjs webkit-host.js FOLDER [--private | --small]`, where FOLDER keeps what its pages store.
imports.gi.versions.Gtk = '3.0';
imports.gi.versions.WebKit2 = '4.1';
const { Gio, Gtk, WebKit2 } = imports.gi;

Gtk.init(null);
const [folder, how] = ARGV;
// The room of an origin is a share of the disk: a terabyte in the worst case.
const share = how === '--small' ? { origin_storage_ratio: 1e-4, total_storage_ratio: 1e-4 } : {};
const data =
  how === '--private'
    ? WebKit2.WebsiteDataManager.new_ephemeral()
    : new WebKit2.WebsiteDataManager({
        base_data_directory: `${folder}/data`,
        base_cache_directory: `${folder}/cache`,
        ...share,
      });
const context = WebKit2.WebContext.new_with_website_data_manager(data);
const windows = new Map();

const actions = {
  open({ id, url }) {
    const view = new WebKit2.WebView({ web_context: context });
    const frame = new Gtk.Window({ default_width: 400, default_height: 300 });
    frame.add(view);
    frame.show_all();
    view.load_uri(url);
    windows.set(id, { view, frame });
  },
  // Done when the other page is there: before, there is nothing to go back from.
  leave({ id }, done) {
    const { view } = windows.get(id);
    const listening = view.connect('load-changed', (_view, event) => {
      if (event !== WebKit2.LoadEvent.FINISHED) return;
      view.disconnect(listening);
      done();
    });
    view.load_uri('about:blank');
  },
  goBack({ id }) {
    windows.get(id).view.go_back();
  },
  hide({ id }) {
    windows.get(id).frame.hide();
  },
  show({ id }) {
    windows.get(id).frame.show();
  },
  close({ id }) {
    windows.get(id).frame.destroy();
    windows.delete(id);
  },
  // As SIGKILL to its web process, which no other window shares.
  crash({ id }) {
    windows.get(id).view.terminate_web_process();
  },
};

const input = new Gio.DataInputStream({
  base_stream: new Gio.UnixInputStream({ fd: 0, close_fd: false }),
});
function next() {
  input.read_line_async(0, null, (_source, result) => {
    const [line] = input.read_line_finish_utf8(result);
    if (line === null) return Gtk.main_quit();
    const message = JSON.parse(line);
    const action = actions[message.type];
    const done = () => print(JSON.stringify({ did: `${message.type} ${message.id}` }));
    action(message, done);
    if (action.length < 2) done();
    next();
  });
}
next();
print(JSON.stringify({ did: 'ready' }));
Gtk.main();
