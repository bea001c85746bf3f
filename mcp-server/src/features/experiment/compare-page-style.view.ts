/** Series colours keep apart for colour-blind readers (after Okabe and Ito) and reach 3:1 on their background. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1c2024; --faint: #5b6470; --line: #d5dae0; --stripe: #f5f7f9;
  --axis: #7a8491; --grid: #e4e8ec; --good: #0a6b3d; --bad: #b3261e;
  --series-1: #0072b2; --series-2: #c24e00; --series-3: #00805e; --series-4: #a8458a;
  --series-5: #7a5c00; --series-6: #2f83b8; --series-7: #55606c; --series-8: #8a3ffc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --text: #e6e9ec; --faint: #a3adb8; --line: #3a424a; --stripe: #1c2125;
    --axis: #7f8a96; --grid: #2a3138; --good: #5fd39a; --bad: #ff8a80;
    --series-1: #56b4e9; --series-2: #f0883e; --series-3: #2fc49a; --series-4: #e59ccb;
    --series-5: #f0e442; --series-6: #9ecbff; --series-7: #b8c0c8; --series-8: #c29bff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { font-size: 1.05rem; margin: 0 0 .25rem; }
p { max-width: 45rem; margin: .25rem 0 .75rem; }
.measure, figcaption, .open { color: var(--faint); }
.measure, figcaption { font-size: .9rem; }
.questions { padding-left: 1.5rem; }
.questions > li { margin-bottom: 1.25rem; }
.questions ul { margin: .25rem 0; padding-left: 1.25rem; }
.questions ul li { margin-bottom: .25rem; }
.basis { color: var(--faint); font-weight: 400; font-size: .92em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; margin: .5rem 0; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; vertical-align: top; overflow-wrap: anywhere; }
th { border-bottom: 2px solid var(--line); white-space: nowrap; }
tbody tr { border-bottom: 1px solid var(--line); }
td, tbody th { max-width: 18rem; }
tbody th { white-space: normal; border-bottom: 1px solid var(--line); }
.number { white-space: nowrap; }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
figure { margin: 0 0 2.5rem; }
figure svg { max-width: none; display: block; color: var(--text); }
@media (min-width: 50rem) { figure .scroll > svg { width: 100%; height: auto; } }
.legend { list-style: none; padding: 0; margin: .25rem 0 .5rem; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .9rem; }
.legend li { display: flex; align-items: center; gap: .5rem; overflow-wrap: anywhere; }
.legend svg { flex: none; }
details { margin-top: .5rem; }
summary { cursor: pointer; color: var(--faint); }
@media print { body { font-size: 11pt; } figure { break-inside: avoid; } }
`;
