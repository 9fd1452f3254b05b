// The live page in Debian's Chromium, as a person would use it. Arguments: the page's address, the
// port of Ringfence's HEP listener, a folder for screenshots. Prints what was seen; exits 1 on a fault.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { LAUNCH, Office } from "./hep.mjs";
import { PAYLOADS } from "./payloads.mjs";

const [url, port, out] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const faults = [];
const check = (ok, what) => { console.log(`${ok ? "ok" : "FAULT"}: ${what}`); if (!ok) faults.push(what); };
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

const office = new Office(Number(port));
const browser = await chromium.launch(LAUNCH);

async function open(size, colorScheme) {
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme, locale: "en-GB", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.said = [];
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) page.said.push(m.text()); });
  page.on("pageerror", (e) => page.said.push(String(e)));
  page.on("dialog", (d) => { page.said.push(`dialog ${d.message()}`); d.dismiss(); });
  await page.goto(url, { waitUntil: "load" });
  return page;
}
async function accessible(page, what) {
  const found = await page.evaluate(`${axe}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }).then((r) => r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")))`);
  check(found.length === 0, `axe-core finds nothing on ${what}${found.length ? `: ${found.join("; ")}` : ""}`);
}
// In light and in dark colours.
async function shoot(page, name) {
  const asked = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(out, `${name}-${colorScheme}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: asked });
}
// From the top of the page to its end with the Tab key: whatever can be used is reached, in the order in
// which it is read, and can be seen to have the focus.
async function walked(page, what) {
  await page.evaluate(() => { document.activeElement.blur(); window.scrollTo(0, 0); });
  const seen = [];
  for (let n = 0; n < 400; n += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
      if (e === document.body || e === document.documentElement) return null;
      const all = [...document.querySelectorAll("a[href], summary, [tabindex='0']")].filter((x) => x.checkVisibility());
      return { at: all.indexOf(e), all: all.length, text: e.textContent.slice(0, 40), ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2, shown: box.width > 0 && box.right > 0 && box.top < innerHeight && box.bottom > 0 };
    });
    if (!at || (seen.length && at.at === seen[0].at)) break;
    seen.push(at);
  }
  const inOrder = seen.every((e, n) => e.at === n), whole = seen.length > 0 && seen.length === seen[0].all;
  const hidden = seen.filter((e) => !e.ring || !e.shown).map((e) => e.text);
  check(inOrder && whole && hidden.length === 0, `the Tab key walks over all ${seen.length} things to use of ${what}, in order, each with a ring around it${hidden.length ? `, but not ${hidden.join(", ")}` : ""}${whole ? "" : `: of ${seen[0] && seen[0].all}`}`);
}

try {
  await office.register("201", "10.0.3.11");
  await office.register("202", "10.0.3.12", "snomD785/10.1.159.12");
  await office.register("203", "10.0.3.13", "Grandstream GXP2135 1.0.9.108");
  await office.call("201", "10.0.3.11", "02079460123");

  const desktop = await open("desktop", "light"), phone = await open("phone", "dark");
  for (const page of [desktop, phone]) await page.getByText("all quiet").first().waitFor({ timeout: 15000 });
  check(true, "a quiet office says that all is quiet");
  await desktop.locator("#handset-table").getByText("203").first().waitFor({ timeout: 10000 });
  const make = desktop.locator("#handset-table").getByText("Yealink").first();
  check(await make.waitFor({ timeout: 15000 }).then(() => true, () => false), "the handsets show their make");
  await accessible(desktop, "the quiet page in light colours");
  await accessible(phone, "the quiet page in dark colours on a phone");
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(wide <= 0, "a phone needs no sideways scrolling");
  await walked(desktop, "the quiet page");
  await shoot(desktop, "quiet-desktop"); await shoot(phone, "quiet-phone");

  const began = Date.now();
  for (const tail of ["111", "112", "113", "114", "115", "116"]) await office.call("202", "10.0.3.12", `00882161234${tail}`);
  await desktop.locator(".incident.s-warning, .incident.s-critical").first().waitFor({ timeout: 20000 });
  check(true, `an incident came up without a reload, ${Date.now() - began} ms after the first call of the attack was sent`);
  await desktop.getByText("What to do now").first().waitFor({ timeout: 5000 });
  await phone.locator(".incident.s-warning, .incident.s-critical").first().waitFor({ timeout: 20000 });
  check(/^\(\d+\)/.test(await desktop.title()), "the title counts open incidents");
  const todo = await desktop.locator(".incident .todo li").allTextContents();
  check(todo.length >= 3 && todo[0].includes("202") && !todo.some((step) => /[{}]|undefined|null/.test(step)), `what to do now: ${todo.join(" ")}`);
  // Calls are over: from here on only time adds to the figure, at the rate that is shown beside it.
  await desktop.waitForTimeout(1500);
  const amount = async () => Number((await desktop.locator(".money").first().textContent()).replaceAll(/[^0-9.]/g, ""));
  const [rate, before, from] = [await desktop.locator(".money").first().evaluate((e) => Number(e.dataset.rate)), await amount(), Date.now()];
  await desktop.waitForTimeout(4000);
  const [more, due] = [(await amount()) - before, (rate * (Date.now() - from)) / 3600e3];
  check(rate > 0 && Math.abs(more - due) <= rate / 3600 * 1.6 + 0.02, `the money ticks: ${more.toFixed(2)} more, ${due.toFixed(2)} by the rate of ${rate} an hour`);
  await walked(desktop, "the page with an incident");
  await desktop.keyboard.press("Tab");
  await desktop.evaluate(() => { document.activeElement.blur(); window.scrollTo(0, 0); });
  await desktop.keyboard.press("Tab");
  await desktop.keyboard.press("Enter");
  check(await desktop.evaluate(() => document.activeElement.id) === "now", "the first key stroke skips to what is going on");
  await desktop.keyboard.press("Tab");
  await desktop.keyboard.press("Enter");
  check(await desktop.locator(".incident details[open]").count() > 0, "the next one opens the evidence");
  await desktop.waitForTimeout(6000);
  check(await desktop.locator(".incident details[open]").count() > 0 && await desktop.evaluate(() => document.activeElement.tagName) === "SUMMARY", "it stays open and keeps the focus while the page goes on");
  const heard = await desktop.locator("body").ariaSnapshot();
  for (const said of [/banner/, /navigation "Sections"/, /status: \d open incidents?/, /heading "Ringfence.*\[level=1\]/, /region "Now"/, /article "(critical|warning): 202"/, /heading "What to do now"/, /img "Calls by half hour: .*\d incidents? marked"/, /region "All handsets"/, /row .*202/, /img "\d+ calls? in 24 hours"/, /region "Handset security"/, /region "What I can.t see"/, /contentinfo/])
    check(said.test(heard), `a screen reader hears ${said.source}`);
  await accessible(desktop, "an incident in light colours");
  await accessible(phone, "an incident in dark colours on a phone");
  await shoot(desktop, "incident-desktop"); await shoot(phone, "incident-phone");

  for (const [i, payload] of PAYLOADS.entries()) {
    const line = payload.replaceAll("\r", "").replaceAll("\n", "");
    const ip = `10.0.4.${i + 1}`;
    await office.register(`u${i}`, ip, line);
    await office.call(line.replaceAll(/[@;>\s]/g, ""), ip, `0088216777${String(i).padStart(4, "0")}`, { name: line.replaceAll('"', "'"), callId: `${line.replaceAll(/\s/g, "")}${i}`, agent: line });
    await office.call("202", "10.0.3.12", `008821655${String(i).padStart(5, "0")}`, { name: line.replaceAll('"', "'"), callId: `${line.replaceAll(/\s/g, "")}x${i}`, agent: line });
  }
  // The inventory is read every five seconds.
  await desktop.waitForTimeout(7000);
  await desktop.reload({ waitUntil: "load" });
  await desktop.locator(".incident").first().waitFor({ timeout: 20000 });
  await desktop.waitForTimeout(1500);
  const seen = await desktop.evaluate(() => ({
    pwned: window.pwned ?? null, scripts: document.scripts.length, title: document.title,
    strange: document.querySelectorAll("main img, main iframe, main script, main math, main [onerror], main [onload], main [ontoggle], main [onmouseover], main a[href^='javascript' i]").length,
    literal: document.body.textContent.includes("<script>") || document.body.textContent.includes("<img") || document.body.textContent.includes("<svg"),
  }));
  check(seen.pwned === null && seen.scripts === 1 && seen.strange === 0, `${PAYLOADS.length} payloads stayed text: ${JSON.stringify(seen)}`);
  check(await desktop.locator("#handset-table").getByText("u59", { exact: true }).waitFor({ timeout: 15000 }).then(() => true, () => false), "all sixty handsets are in the table");
  check(seen.literal, "payloads are shown as they were sent, so the test saw them");
  await shoot(desktop, "hostile-desktop");
  for (const [name, page] of [["desktop", desktop], ["phone", phone]]) check(page.said.length === 0, `the console of the ${name} stayed silent${page.said.length ? `: ${page.said.join("; ")}` : ""}`);
} catch (e) {
  check(false, String(e));
} finally {
  await browser.close();
  office.close();
}
process.exit(faults.length ? 1 : 0);
