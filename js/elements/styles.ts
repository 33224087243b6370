/**
 * The looks of `<skerry-conflicts>`. Custom properties set colours and sizes, `::part(...)` the rest; by default they follow the
 * page: its font, its colours, its direction, and whether it is dark.
 */
export const styles = `
:host { display: block; color: var(--skerry-text, CanvasText); font: inherit; container-type: inline-size; }
:host([hidden]) { display: none; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: var(--skerry-gap, 1rem); }
article { background: var(--skerry-surface, Canvas); border: 1px solid var(--skerry-line, color-mix(in srgb, CanvasText 25%, Canvas));
  border-radius: var(--skerry-radius, .5rem); padding: var(--skerry-gap, 1rem); overflow-wrap: anywhere; min-inline-size: 0; }
h3, h4, p { margin: 0 0 .5rem; }
h3 { font-size: 1.05em; }
h4 { font-size: 1em; margin-block-start: .75rem; }
time { color: var(--skerry-muted, color-mix(in srgb, CanvasText 70%, Canvas)); font-size: .9em; }
fieldset { border: 0; border-block-start: 1px solid var(--skerry-line, color-mix(in srgb, CanvasText 25%, Canvas));
  margin: 0; padding: .5rem 0; min-inline-size: 0; display: grid; gap: .25rem .75rem; grid-template-columns: 1fr; }
legend { font-weight: 600; padding: 0; float: inline-start; grid-column: 1 / -1; }
@container (min-width: 30rem) { fieldset { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
.side { display: flex; gap: .5rem; align-items: baseline; min-inline-size: 0; min-block-size: 1.5rem; }
.side > span { min-inline-size: 0; }
.side b { font-weight: 600; }
input { accent-color: var(--skerry-accent, AccentColor); inline-size: 1.1rem; block-size: 1.1rem; flex: none; margin: 0;
  position: relative; inset-block-start: .2rem; }
.ways { display: flex; flex-wrap: wrap; gap: .5rem; margin-block-start: .75rem; }
button { font: inherit; color: inherit; padding: .5rem .75rem; min-block-size: 2.75rem; cursor: pointer;
  background: var(--skerry-button, ButtonFace); color: var(--skerry-button-text, ButtonText);
  border: 1px solid var(--skerry-line, color-mix(in srgb, CanvasText 45%, Canvas)); border-radius: var(--skerry-radius, .5rem); }
button[disabled] { opacity: .6; cursor: default; }
:is(button, input):focus-visible { outline: 3px solid var(--skerry-focus, Highlight); outline-offset: 2px; }
.status:empty { display: none; }
`;
