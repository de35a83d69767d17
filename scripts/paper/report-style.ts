/** The report's style sheet. */
export const reportStyle = `
:root { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fafafa; }
main { max-width: 1180px; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid #ddd; padding-bottom: .2rem; }
p { max-width: 52rem; } .lead { font-size: 1.1rem; } .note { color: #555; font-size: .88rem; }
table { border-collapse: collapse; background: #fff; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .3rem .7rem; border: 1px solid #e3e3e3; text-align: right; }
th { background: #f1f1f1; font-weight: 600; }
th:first-child, td:first-child, .text th, .text td { text-align: left; }
tr.full td { font-weight: 700; } tr.absent td { color: #777; font-size: .85rem; text-align: left; max-width: 16rem; }
tr.sum td { border-top: 2px solid #bbb; } tr.paper td { background: #f6f2e4; }
td small { display: block; color: #555; } td.holds { color: #00694b; font-weight: 600; } td.fails { color: #b03000; font-weight: 600; } td.smaller { color: #7a5200; }
.tables { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start; }
details { margin-top: .8rem; } summary { cursor: pointer; margin-bottom: .4rem; }
.tables table { flex: 1 1 20rem; }
.grid { display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); gap: .5rem .4rem; }
.grid b { text-align: center; font-size: .9rem; }
figure { margin: 0; } figcaption { font-size: .75rem; color: #555; text-align: center; line-height: 1.3; }
.grid img { display: block; width: 100%; height: auto; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 1rem; }
.curves figure { background: #fff; border: 1px solid #e3e3e3; padding: .4rem; }
svg { width: 100%; height: auto; font: 10px system-ui, sans-serif; } polyline { fill: none; stroke-width: 1.6; } .grid-line { stroke: #e3e3e3; }
.legend { list-style: none; padding: 0; } .legend span { display: inline-block; width: 1.4rem; height: .25rem; margin-right: .5rem; vertical-align: middle; }
`;
