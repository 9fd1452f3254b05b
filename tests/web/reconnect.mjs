// The live page over a restart of Ringfence. Arguments: the page's address, the port of its HEP listener.
// Prints "open" when the page is up; whoever reads that stops Ringfence and starts it again.
import { chromium } from "playwright-core";
import { LAUNCH, Office } from "./hep.mjs";

const [url, port] = process.argv.slice(2);
const office = new Office(Number(port));
const browser = await chromium.launch(LAUNCH);
let fault = "";
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(url, { waitUntil: "load" });
  await office.register("202", "10.0.3.12");
  await page.locator("#pill").getByText("all quiet").waitFor({ timeout: 20000 });
  await page.evaluate(() => { window.kept = true; });
  console.log("open");
  await page.locator("#pill").getByText("no connection to Ringfence").waitFor({ timeout: 30000 });
  const lost = Date.now();
  console.log("lost");
  await page.locator("#pill").getByText(/all quiet|seeing nothing/).waitFor({ timeout: 40000 });
  console.log(`back after ${Date.now() - lost} ms`);
  const began = Date.now();
  for (const tail of ["111", "112", "113", "114", "115", "116"]) await office.call("202", "10.0.3.12", `00882161234${tail}`);
  // The half-minutely look at everything must not be what brings it.
  await page.locator(".incident.s-warning, .incident.s-critical").first().waitFor({ timeout: 8000 });
  if (!(await page.evaluate(() => window.kept))) fault = "the page was loaded anew";
  console.log(`an incident after ${Date.now() - began} ms`);
} catch (e) {
  fault = String(e);
} finally {
  await browser.close();
  office.close();
}
if (fault) console.log(fault);
process.exit(fault ? 1 : 0);
