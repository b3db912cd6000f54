/** The style of `/docs`: system fonts, light and dark, wide and narrow. */
export const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --soft: color-mix(in srgb, currentColor 6%, transparent) }
* { box-sizing: border-box }
body { margin: 0; display: grid; grid-template-columns: 13rem minmax(0, 1fr); font: 16px/1.55 system-ui, sans-serif }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem; display: flex; flex-direction: column; gap: .45rem; border-right: 1px solid var(--line) }
nav a { text-decoration: none; color: inherit }
nav a:hover { text-decoration: underline }
main { max-width: 62rem; padding: 1.5rem 2rem 6rem }
h1 small { font-weight: 400; font-size: 1rem; opacity: .65 }
h2 { margin: 2.5rem 0 .5rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line) }
h4 { margin: 1rem 0 .3rem }
details { margin: .4rem 0; border: 1px solid var(--line); border-radius: 6px }
details > :not(summary) { margin-left: 1rem; margin-right: 1rem }
summary { cursor: pointer; padding: .45rem .8rem; list-style: none }
summary::-webkit-details-marker { display: none }
summary span { opacity: .75; margin-left: .5rem }
details[open] > summary { background: var(--soft); border-bottom: 1px solid var(--line) }
summary b { display: inline-block; width: 4.2rem; font: 700 .8rem ui-monospace, monospace }
.get, .head { color: #0b7a52 } .post, .put { color: #1d5fc2 } .delete { color: #b3261e }
@media (prefers-color-scheme: dark) { .get, .head { color: #5fd6a5 } .post, .put { color: #8ab4ff } .delete { color: #ff8a80 } a { color: #8ab4ff } }
code { overflow-wrap: anywhere }
code, pre { font: .875rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace }
pre { overflow: auto; padding: .7rem .9rem; background: var(--soft); border-radius: 6px; white-space: pre }
pre em { opacity: .65 } pre i { opacity: .65; font-style: normal }
table { border-collapse: collapse; width: calc(100% - 2rem) }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line) }
@media (max-width: 48rem) { body { display: block } nav { position: static; height: auto; border: 0; flex-flow: wrap; gap: .2rem .9rem; padding: 1rem } main { padding: 1rem } }
`
