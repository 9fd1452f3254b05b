// What strangers write into SIP to be run by whoever looks at it: sixty ways.
const calls = ["alert(1)", "window.pwned=1", "fetch('/metrics')", "document.title='x'"];
const shapes = [
  (c) => `<script>${c}</script>`,
  (c) => `<img src=a onerror=${c}>`,
  (c) => `<svg/onload=${c}>`,
  (c) => `</title><script>${c}</script>`,
  (c) => `</textarea><img src=a onerror=${c}>`,
  (c) => `javascript:${c}`,
  (c) => `<a href=javascript:${c}>x</a>`,
  (c) => `<iframe srcdoc=<script>${c}</script>>`,
  (c) => `<details open ontoggle=${c}>`,
  (c) => `{{constructor.constructor(${c})()}}`,
  (c) => `\${${c}}`,
  (c) => `--><script>${c}</script><!--`,
  (c) => `<math><mi xlink:href=data:x,<script>${c}</script>>`,
];
export const PAYLOADS = [
  ...calls.flatMap((c) => shapes.map((s) => s(c))),
  "'; DROP TABLE alerts; --", "=cmd|'/c calc'!A0", "%n%n%n%s", "\u202Egnp.exe", "\u2028\u2029", "\u001b]0;owned\u0007", "<b onmouseover=window.pwned=1>bold</b>", "&lt;script&gt;window.pwned=1&lt;/script&gt;",
];
