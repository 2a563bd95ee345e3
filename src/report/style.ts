// The style of all pages: one column of text, one accent colour, numbers in columns that line up. No files, no fonts to load.

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fdfdfc; --ink: #1c1d20; --quiet: #63666d; --line: #e6e5e1; --accent: #0f6f62; --accent-soft: #e3f0ec;
  --plain: #a9abb0; --warn: #8a4b08; --warn-soft: #fbf1e2; --bad: #a4262c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181b; --ink: #e8e6e1; --quiet: #9b9ea5; --line: #2c2f34; --accent: #5cc4b0; --accent-soft: #1d302d;
    --plain: #6d7077; --warn: #e5b567; --warn-soft: #2c2619; --bad: #f08a8a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
}
main { max-width: 45rem; margin: 0 auto; padding: 4.5rem 1.5rem 4rem; }
header { margin-bottom: 3.5rem; }
.eyebrow { margin: 0 0 1rem; color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere; }
h1 { margin: 0 0 1rem; font-size: 2.25rem; line-height: 1.2; font-weight: 600; letter-spacing: -.02em; overflow-wrap: anywhere; text-wrap: balance; }
h1 em { font-style: normal; color: var(--accent); }
.lead { margin: 0; font-size: 1.125rem; color: var(--quiet); max-width: 38rem; text-wrap: pretty; }
.lead strong { color: var(--ink); font-weight: 500; }
section { margin: 0 0 3.5rem; }
h2 { margin: 0 0 .35rem; font-size: 1.0625rem; font-weight: 600; letter-spacing: -.005em; }
section > p { margin: 0 0 1.25rem; color: var(--quiet); max-width: 38rem; text-wrap: pretty; }
figure { margin: 1.25rem 0 0; }
figcaption { margin-top: .75rem; color: var(--quiet); font-size: .8125rem; line-height: 1.5; max-width: 38rem; }
svg { display: block; max-width: 100%; height: auto; overflow: visible; }
.narrow { display: none; }
.scroll { overflow-x: auto; margin-top: 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; line-height: 1.45; }
th, td { padding: .5rem .75rem .5rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 400; font-size: .8125rem; white-space: nowrap; vertical-align: bottom; }
th:last-child, td:last-child { padding-right: 0; }
tbody th { color: var(--ink); font-size: inherit; white-space: normal; vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.name { overflow-wrap: anywhere; min-width: 8.5rem; }
.quiet { color: var(--quiet); }
tr.own th, tr.own td { background: var(--accent-soft); }
tr.own th:first-child { box-shadow: -.75rem 0 0 var(--accent-soft); }
tr.own td:last-child { box-shadow: .75rem 0 0 var(--accent-soft); }
.bar { position: relative; min-width: 6rem; width: 30%; }
.bar i { display: block; height: .4rem; margin: .24rem 0 0; border-radius: 1px; background: var(--plain); }
.bar i:only-child { margin-top: .48rem; }
.bar i.after { background: var(--accent); }
.pass { color: var(--accent); } .fail { color: var(--bad); }
ul.notes { list-style: none; margin: 1.25rem 0 0; padding: 0; }
ul.notes li { padding: .6rem .9rem; margin-bottom: .5rem; background: var(--warn-soft); color: var(--warn); border-radius: 4px; font-size: .9375rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: 1.25rem 0 0; font-size: .9375rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
code { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.command { margin: 0 0 1rem; }
.command code { display: block; padding: .6rem .9rem; border: 1px solid var(--line); border-radius: 4px; }
.command span { display: block; margin-top: .35rem; color: var(--quiet); font-size: .875rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; width: min(72rem, 100vw - 4rem); margin-left: 50%; transform: translateX(-50%); }
.pair figure { min-width: 0; } .pair figcaption { margin: 0 0 .75rem; }
.graph { overflow: auto; max-height: 44rem; border: 1px solid var(--line); border-radius: 4px; padding: .75rem; }
.graph svg { margin: 0 auto; }
.graph text { fill: var(--quiet); font-family: inherit; } .graph .marked text { fill: var(--ink); }
.graph .plain path { stroke: var(--line); } .graph .marked path { stroke: var(--accent); fill: var(--accent-soft); }
.graph .edge path { stroke: var(--plain); } .graph .edge polygon { fill: var(--plain); stroke: var(--plain); }
.steps { margin-top: 1.25rem; font-size: .875rem; } .steps summary { cursor: pointer; color: var(--accent); }
.steps li { margin: .75rem 0; overflow-wrap: anywhere; } .steps del, .steps ins { text-decoration: none; }
.steps del { color: var(--quiet); } .steps ins { color: var(--accent); }
footer { max-width: 45rem; margin: 0 auto; padding: 0 1.5rem 4rem; color: var(--quiet); font-size: .8125rem; overflow-wrap: anywhere; }
@media (max-width: 44rem) {
  main { padding: 2.5rem 1.25rem 2rem; } footer { padding: 0 1.25rem 2.5rem; }
  h1 { font-size: 1.75rem; } .lead { font-size: 1.0625rem; } header, section { margin-bottom: 2.75rem; }
  .wide { display: none; } .narrow { display: block; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; }
  .pair { grid-template-columns: 1fr; width: auto; margin: 0; transform: none; }
  .bar { min-width: 4.5rem; width: 34%; } .spare { display: none; } .name { min-width: 0; } table { font-size: .875rem; }
}
@media print {
  :root { --paper: #fff; --ink: #000; --quiet: #444; --line: #ccc; --accent: #0f6f62; --accent-soft: #eef5f3; --plain: #999; --warn: #5c3205; --warn-soft: #f7f2ea; --bad: #a4262c; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; } section, figure, tr { break-inside: avoid; } h2 { break-after: avoid; }
  .pair { width: auto; margin: 0; transform: none; } .graph { max-height: none; overflow: visible; } .wide { display: block; } .narrow { display: none; } .spare { display: table-cell; } .scroll { overflow: visible; }
}
`
