// The report in Debian's Chromium: valid HTML, prints to PDF. Arguments: the HTML file, a folder.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { HtmlValidate } from "html-validate";
import { chromium } from "playwright-core";

const [file, out] = process.argv.slice(2);
const validate = new HtmlValidate({ extends: ["html-validate:standard"] });
const judged = await validate.validateString(readFileSync(file, "utf8"));
const wrong = judged.results.flatMap((r) => r.messages).map((m) => `${m.ruleId} at ${m.line}:${m.column}: ${m.message}`);
console.log(wrong.length ? wrong.join("\n") : "valid");
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const page = await browser.newPage();
await page.goto(`file://${resolve(file)}`);
await page.pdf({ path: join(out, "report.pdf"), preferCSSPageSize: true });
await page.screenshot({ path: join(out, "report.png"), fullPage: true });
await browser.close();
process.exit(wrong.length ? 1 : 0);
