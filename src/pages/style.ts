/** The one style of every page, small enough to be sent along each time. Its hash is in the policy of the page. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--ground:#f5f6f8;--card:#fff;--text:#1c2128;--quiet:#535c68;--line:#dde1e7;--code:#eef1f5;--link:#0a57b8;
--good:#0b6b39;--good-ground:#e2f6e9;--unknown:#5a5f6b;--unknown-ground:#e9ebef;--refused:#a5232b;--refused-ground:#fdebeb;--waiting:#7f5200;--waiting-ground:#fff3d6}
@media (prefers-color-scheme:dark){:root{--ground:#0f1318;--card:#181d24;--text:#e6e9ee;--quiet:#a3adb9;--line:#2c343e;--code:#232a33;--link:#7db7ff;
--good:#6fdd9b;--good-ground:#12301f;--unknown:#b8c0cb;--unknown-ground:#252c35;--refused:#ff9c9a;--refused-ground:#3a1a1d;--waiting:#f3c969;--waiting-ground:#352909}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main,footer{max-width:46rem;margin:0 auto;padding:0 1rem}
main{padding-top:clamp(1rem,6vh,4rem)}
header,section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.25rem 1.5rem;margin:0 0 1rem}
header{display:flex;gap:1.1rem;padding:1.5rem;border-color:currentColor}
header>div{min-width:0;flex:1;color:var(--text)}
header svg{flex:none;width:3rem;height:3rem;fill:none;stroke:currentColor;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round}
.good{color:var(--good);background:var(--good-ground)}.unknown{color:var(--unknown);background:var(--unknown-ground)}
.refused{color:var(--refused);background:var(--refused-ground)}.waiting{color:var(--waiting);background:var(--waiting-ground)}
.kicker{margin:0;color:var(--quiet);font-size:.9rem}
h1{margin:.1rem 0 .4rem;font-size:1.6rem;line-height:1.25;overflow-wrap:anywhere}
h2{margin:0 0 .5rem;font-size:1.05rem}
p{margin:.5rem 0}
header p:last-child,section>:last-child{margin-bottom:0}
.quiet{color:var(--quiet);font-size:.9rem}
code{font:.9em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere;background:var(--code);border-radius:5px;padding:.1em .35em}
a{color:var(--link)}
dl{margin:.25rem 0 0}
dl>div{display:grid;grid-template-columns:minmax(9rem,15rem) 1fr;gap:0 1rem;padding:.5rem 0;border-top:1px solid var(--line)}
dt,dd{margin:0;min-width:0;overflow-wrap:anywhere}
dl>div:last-child{padding-bottom:0}
dt small{margin-left:.25rem;color:var(--quiet);font-size:.85rem}
dt code,dd>code{background:none;padding:0}
dt code{font-weight:600}
dd small{color:var(--quiet);font-size:.85rem}
ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.3rem}
footer{padding-bottom:2rem;color:var(--quiet);font-size:.85rem}
footer p{margin:.2rem 0}footer code{padding:0;background:none}
@media (max-width:36rem){header,section{padding:1rem}header svg{width:2.25rem;height:2.25rem}h1{font-size:1.35rem}dl>div{grid-template-columns:1fr}}
`
