/** The looks of `<skerry-inspector>`: the same custom properties as those of `<skerry-conflicts>`, and `--skerry-wrong`. */
const line = 'var(--skerry-line, color-mix(in srgb, CanvasText 25%, Canvas))';
const muted = 'var(--skerry-muted, color-mix(in srgb, CanvasText 70%, Canvas))';
const wrong = 'var(--skerry-wrong, light-dark(#a4262c, #ff8b8b))';

export const sheetText = `
:host { display: block; color: var(--skerry-text, CanvasText); background: var(--skerry-surface, Canvas); font: inherit; container-type: inline-size; min-inline-size: 0; }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.tools, .tabs, .head { display: flex; flex-wrap: wrap; gap: .5rem; }
.tabs { gap: .25rem; margin-block: .5rem; }
p, ul, ol, dl, dd { margin: 0; padding: 0; list-style: none; }
input, button { font: inherit; min-block-size: 2.25rem; padding: .25rem .75rem; border-radius: var(--skerry-radius, .5rem);
  border: 1px solid ${line}; background: var(--skerry-button, ButtonFace); color: var(--skerry-button-text, ButtonText); }
input { flex: 1 1 8rem; min-inline-size: 0; background: var(--skerry-surface, Canvas); color: inherit; }
input::placeholder { color: ${muted}; opacity: 1; }
button { cursor: pointer; }
button[disabled] { opacity: .6; cursor: default; }
[role=tab] { padding-inline: .5rem; }
:is([aria-selected=true], [aria-pressed=true]) { font-weight: 600; text-decoration: underline; text-underline-offset: .25em;
  border-color: var(--skerry-accent, currentColor); color: var(--skerry-accent, inherit); }
:focus-visible { outline: 3px solid var(--skerry-focus, Highlight); outline-offset: 1px; }
.panel { max-block-size: var(--skerry-height, 30rem); overflow: auto; border-block-start: 1px solid ${line}; font-size: .9em; }
.panel > p { padding-block: .75rem; }
.row { padding-block: .6rem; overflow-wrap: anywhere; }
.row + .row { border-block-start: 1px solid ${line}; }
.head { align-items: baseline; justify-content: space-between; }
.state { color: var(--skerry-accent, inherit); }
.state.wrong { color: ${wrong}; }
.steps { display: flex; flex-wrap: wrap; column-gap: .9rem; color: ${muted}; }
.facts { display: grid; grid-template-columns: minmax(0, max-content) minmax(0, 1fr); gap: .1rem .9rem; }
.name { color: ${muted}; }
.value { text-align: end; font-variant-numeric: tabular-nums; white-space: pre-wrap; }
.status { color: ${muted}; margin-block-start: .5rem; overflow-wrap: anywhere; }
.status:empty { display: none; }
`;
