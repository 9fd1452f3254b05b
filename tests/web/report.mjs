// The report in Debian's Chromium: valid HTML, accessible, no script runs, prints to PDF. Arguments:
// the HTML file, a folder, the name of what is left there.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { HtmlValidate } from "html-validate";
import { chromium } from "playwright-core";
import { LAUNCH } from "./hep.mjs";

const [file, out, name] = process.argv.slice(2);
const validate = new HtmlValidate({ extends: ["html-validate:standard"] });
const judged = await validate.validateString(readFileSync(file, "utf8"));
const wrong = judged.results.flatMap((r) => r.messages).map((m) => `${m.ruleId} at ${m.line}:${m.column}: ${m.message}`);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch(LAUNCH);
const page = await browser.newPage({ viewport: { width: 900, height: 1200 } });
page.on("console", (m) => wrong.push(`console: ${m.text()}`));
page.on("pageerror", (e) => wrong.push(String(e)));
page.on("dialog", (d) => { wrong.push(`dialog ${d.message()}`); d.dismiss(); });
page.on("request", (r) => { if (!r.url().startsWith("file:")) wrong.push(`asks for ${r.url()}`); });
await page.goto(`file://${resolve(file)}`);
await page.pdf({ path: join(out, `${name}.pdf`), preferCSSPageSize: true });
await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
wrong.push(...await page.evaluate(`${axe}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }).then((r) => r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")))`));
await browser.close();
console.log(wrong.length ? wrong.join("\n") : "valid");
process.exit(wrong.length ? 1 : 0);
