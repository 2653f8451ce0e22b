// Every page of an audit view in Chromium, as people with different screens, colours, keyboards and tools meet it.
// Usage: node pages.js http://127.0.0.1:PORT [SCREENSHOTS]. Prints what is wrong, and exits 1 where something is.
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [base, screenshots] = process.argv.slice(2);
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const LARGEST = 50_000;
// Of pages that differ only in a name so many are looked at.
const OF_A_KIND = 2;
const wrong = [];

/** What pages have in common that differ only in a name: their path without it. */
function kind(url) {
  const { pathname, searchParams } = new URL(url);
  const names = [...searchParams.keys()].sort().join("&");
  return pathname.replace(/\/r\/[^/]+\/(sessions|commits|chains)\/.*/, "/r/*/$1/*").replace(/\/code\/.*?([^/]*)$/, (_, file) => `/code/${file ? "file" : "folder"}`)
    .replace(/\/records\/[0-9a-f]+/, "/records/*").replace(/\/r\/[^/]+/, "/r/*") + (names && `?${names}`);
}

/** Waits until every ledger was verified. */
async function settled(page) {
  for (let waited = 0; waited < 600; waited += 1) {
    const { rows } = await (await page.request.get(`${base}/overview.json`)).json();
    if (rows.length > 0 && rows.every((row) => row.verdict && row.doing === "waiting")) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error("the ledgers were not verified in two minutes");
}

/** Follows every link from the first page on; an address of each kind of page. */
async function crawl(page) {
  const [seen, kinds, found] = [new Set(), new Map(), []];
  const waiting = ["/", "/sign-in", "/search?q=cents", "/search", "/nowhere"].map((start) => base + start);
  while (waiting.length > 0) {
    const url = waiting.shift().split("#")[0];
    const of = kind(url);
    if (seen.has(url) || (kinds.get(of) ?? 0) >= OF_A_KIND) continue;
    seen.add(url);
    const answer = await page.request.get(url, { maxRedirects: 0 });
    if (!(answer.headers()["content-type"] ?? "").startsWith("text/html")) continue;
    kinds.set(of, (kinds.get(of) ?? 0) + 1);
    found.push(url);
    const body = await answer.body();
    if (body.length > LARGEST) wrong.push(`${url}: ${body.length} bytes of HTML`);
    if (answer.status() >= 500 || (answer.status() >= 400 && !url.endsWith("/nowhere"))) wrong.push(`${url}: ${answer.status()}`);
    await page.goto(url);
    const links = await page.$$eval("a[href]", (all) => all.map((link) => new URL(link.getAttribute("href"), location).href));
    waiting.push(...links.filter((link) => link.startsWith(base + "/")));
  }
  return found;
}

async function look(page, url, how) {
  const errors = [];
  const listen = (message) => message.type() === "error" && !/404/.test(message.text()) && errors.push(message.text());
  page.on("console", listen);
  await page.goto(url);
  page.off("console", listen);
  for (const error of errors) wrong.push(`${how} ${url}: ${error}`);
  await page.evaluate(axe);
  const { violations } = await page.evaluate((values) => globalThis.axe.run({ runOnly: values }), RULES);
  for (const { id, nodes } of violations) {
    wrong.push(`${how} ${url}: ${id} (${nodes.length}): ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary.split("\n")[1]}`);
  }
  if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)) {
    wrong.push(`${how} ${url}: scrolls sideways`);
  }
}

/** Keys lead where the help says. */
async function keys(page) {
  await page.goto(`${base}/sessions`);
  const at = () => page.evaluate(() => document.activeElement?.closest("tr")?.rowIndex ?? document.activeElement?.id);
  await page.keyboard.press("/");
  if ((await at()) !== "q") wrong.push("the key / does not lead to the search");
  await page.keyboard.type("j");
  if ((await page.inputValue("#q")) !== "j") wrong.push("keys are taken from who types");
  await page.evaluate(() => document.activeElement.blur());
  for (const [key, row] of [["j", 1], ["j", 2], ["k", 1]]) {
    await page.keyboard.press(key);
    if ((await at()) !== row) wrong.push(`the key ${key} leads to ${await at()}, not to row ${row}`);
  }
  // Each stop of the tabulator can be seen.
  await page.goto(`${base}/`);
  for (let stop = 0; stop < 12; stop += 1) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return outlineStyle !== "none" && outlineWidth !== "0px";
    });
    if (!seen) wrong.push(`stop ${stop + 1} of the tabulator cannot be seen`);
  }
}

/** Pages say the same where no script runs. */
async function withoutScripts(browser, urls) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  for (const url of urls) {
    await page.goto(url);
    if (!(await page.locator("h1").innerText()).trim()) wrong.push(`${url}: nothing without scripts`);
  }
  await context.close();
}

async function shoot(browser, urls) {
  for (const [colorScheme, width] of [["light", 1200], ["dark", 1200], ["light", 320], ["dark", 320]]) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
    const page = await context.newPage();
    for (const url of urls) {
      await page.goto(url);
      const name = kind(url).replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "overview";
      await page.screenshot({ path: path.join(screenshots, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
    await context.close();
  }
}

async function main() {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(fs.existsSync);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"] });
  const first = await browser.newPage();
  await settled(first);
  const urls = await crawl(first);
  await keys(first);
  for (const [colorScheme, width] of [["light", 1200], ["dark", 320]]) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
    const page = await context.newPage();
    for (const url of urls) await look(page, url, `${colorScheme} ${width}`);
    await context.close();
  }
  await withoutScripts(browser, urls);
  if (screenshots) await shoot(browser, urls);
  await browser.close();
  for (const what of wrong) console.log(what);
  console.log(`${urls.length} pages: ${wrong.length} things are wrong`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

main().catch((error) => {
  console.log(error.stack);
  process.exit(2);
});
