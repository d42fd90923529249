/** Style of a report: light, and dark where the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --soft: #5b6570; --line: #d7dce1; --shade: #f3f5f7;
  --main: #1f6fb2; --kept: #0f7b3e; --warn: #b4540a; --bad: #b3261e; --grey: #9aa3ad; --band: #1f6fb233; }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --ink: #e4e7ea; --soft: #a0a9b2; --line: #343b42;
  --shade: #1e2327; --main: #6db3ec; --kept: #58c98a; --warn: #eda45c; --bad: #f0857d; --grey: #6d7781; --band: #6db3ec33; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { margin-bottom: 0; overflow-wrap: anywhere; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
.subtitle, figcaption { color: var(--soft); }
section.first { background: var(--shade); border-radius: 6px; padding: .1rem 1.2rem .6rem; margin-top: 1.2rem; }
section.first h2 { margin-top: .8rem; }
nav a { margin-right: 1rem; } a { color: var(--main); }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .875rem; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 600; } .right { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
pre { background: var(--shade); padding: .8rem; overflow-x: auto; font-size: .8rem; border-radius: 6px; }
figure { margin: 1.2rem 0; } figcaption { font-size: .875rem; } svg { width: 100%; height: auto; }
input { font: inherit; width: 100%; max-width: 24rem; padding: .3rem .5rem; color: inherit; background: var(--shade);
  border: 1px solid var(--line); border-radius: 4px; }
.tick { font-size: 11px; fill: var(--soft); } .name { font-size: 12px; fill: var(--ink); }
.grid { stroke: var(--line); } .axis, .zero { stroke: var(--soft); }
.best { fill: none; stroke: var(--main); stroke-width: 2; } .bound { stroke: var(--warn); stroke-width: 2; stroke-dasharray: 5 4; }
.course { fill: none; stroke-width: 2; } .c0 { stroke: var(--main); } .c1 { stroke: var(--warn); } .c2 { stroke: var(--kept); }
.c3 { stroke: #9b59b6; } .c4 { stroke: #c46a8a; } .c5 { stroke: #8a7a2f; } .c6 { stroke: var(--bad); } .c7 { stroke: var(--grey); }
.band { fill: var(--band); } .bar { fill: var(--main); fill-opacity: .55; }
circle.valid { fill: var(--soft); fill-opacity: .55; } circle.ineligible { fill: none; stroke: var(--grey); }
circle.kept { fill: var(--kept); stroke: var(--page); }
rect.keep { fill: var(--kept); } rect.discard { fill: var(--main); } rect.disqualified { fill: var(--warn); }
rect.size_blocked { fill: #c9892b; } rect.train_budget_overrun { fill: #a0652f; } rect.eval_budget_overrun { fill: #c46a8a; }
rect.preflight_crash { fill: #d9736b; } rect.crash { fill: var(--bad); } rect.duplicate { fill: #7c8aa0; }
rect.violation { fill: #7a3fa0; } rect.cancelled { fill: var(--line); } rect.infrastructure { fill: var(--grey); }
rect.running { fill: none; stroke: var(--main); }
@media print { nav, input { display: none; } }
`;
