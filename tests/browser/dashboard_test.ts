/**
 * The dashboard in a browser: its pages on a made-up cluster of 5,000 Ingresses, and the demo's own dashboard
 * while its Ingress is edited. With PINGRESS_UPDATE=1 the pages are drawn into docs/images, too.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "npm:puppeteer-core@^25.16.0";
import { Peer } from "../peers.ts";
import { pause } from "../testing.ts";
import { browserTest, type Look, Visit } from "./browser.ts";
import { makeCluster } from "./dashboard_data.ts";
import { DashboardServer } from "./dashboard_server.ts";
import { DemoProgram } from "./demo_program.ts";

const PAGES: [name: string, place: string, heading: string, shown: string][] = [
  ["overview", "#/", "Overview", ".tiles"],
  ["routes", "#/routes", "Routes", "table .path"],
  ["url", "#/routes?url=https%3A%2F%2Fcart.shop.example.com%2Fapi%2Fv1", "Routes", ".outcome"],
  ["ingresses", "#/ingresses", "Ingresses", "table .state"],
  ["ingress", "#/ingresses/shop/checkout", "checkout", ".yaml"],
  ["certificates", "#/certificates", "Certificates", "table .expiry"],
  ["proxies", "#/proxies", "Proxies", "tbody tr"],
];

const LOOKS: Look[] = [{ scheme: "light" }, { scheme: "dark" }, { scheme: "light", width: 360 }];

const isUpdate = Deno.env.get("PINGRESS_UPDATE") === "1";

/** What a page shows at a selector, as text. */
function textOf(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => (element as unknown as { innerText: string }).innerText);
}

/** Nobody needs more than what the dashboard's own server gives, and nothing went wrong on the way. */
function assertQuiet(visit: Visit): void {
  assertEquals(visit.complaints, []);
  assertEquals(visit.foreignRequests(), []);
}

function heading(page: Page): Promise<string> {
  return textOf(page, "h1");
}

async function draw(page: Page, file: string): Promise<void> {
  // a chart that has just been made is drawn with the next frame
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  await page.screenshot({ path: `docs/images/${file}.png` });
}

browserTest("the dashboard's pages can be read by everybody", async (browser, t) => {
  await using server = new DashboardServer(makeCluster(5000, Date.now()));
  for (const [name, place, title, shown] of PAGES) {
    for (const look of LOOKS) {
      const { scheme, width } = look;
      await t.step(`${name}, ${scheme}${width === undefined ? "" : `, ${width} px`}`, async () => {
        await using visit = await Visit.to(browser, server.url + place, look);
        await visit.page.waitForSelector(shown);
        assertEquals(await heading(visit.page), title);
        assertEquals(await visit.barriers(), []);
        assertEquals(await visit.page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
        assertQuiet(visit);
        if (isUpdate && width === undefined) await draw(visit.page, `dashboard-${name}-${scheme}`);
      });
    }
  }
});

browserTest("the dashboard finds what is searched for, and the way back", async (browser) => {
  await using server = new DashboardServer(makeCluster(5000, Date.now()));
  await using visit = await Visit.to(browser, `${server.url}#/routes`);
  const { page } = visit;
  const rows = "document.querySelectorAll('tbody tr').length";
  await page.waitForSelector("table .path");
  assertEquals(await page.$eval("table", (table) => table.getAttribute("aria-rowcount")), "10001");
  assert(await page.evaluate(rows) as number < 60, "only rows in sight are in the document");

  await page.evaluate("scrollTo(0, 200000)");
  await visit.until("[...document.querySelectorAll('tbody tr')].some((row) => row.ariaRowIndex > 4900)");
  await visit.until("document.querySelectorAll('.coming').length === 0");
  await page.evaluate("[...document.querySelectorAll('td.ingress a')].at(20).click()");
  await page.waitForSelector(".yaml");
  assertEquals(await page.evaluate("document.activeElement.localName"), "h1");
  assertEquals(await page.evaluate("scrollY"), 0);
  await page.goBack();
  await visit.until("scrollY > 199000 && document.querySelectorAll('td.ingress a').length > 0");

  await page.keyboard.down("Control");
  await page.keyboard.press("k");
  await page.keyboard.up("Control");
  await page.keyboard.type("checkout-181.auth");
  await visit.until("document.querySelector('.page-head [role=status]').innerText === '2 routes'");
  assertEquals(await page.evaluate("location.hash"), "#/routes?search=checkout-181.auth");
  await page.reload();
  await visit.until("document.querySelector('.page-head [role=status]')?.innerText === '2 routes'");
  assertEquals(
    await page.$eval("input[type=search]", (input) => (input as unknown as { value: string }).value),
    "checkout-181.auth",
  );
  await page.select("select", "billing");
  await visit.until("document.querySelector('.empty-title')?.innerText === 'No route matches'");
  assertQuiet(visit);
});

browserTest("the dashboard works by keyboard alone, in the theme that was chosen", async (browser) => {
  await using server = new DashboardServer(makeCluster(40, Date.now()));
  await using visit = await Visit.to(browser, `${server.url}#/`);
  const { page } = visit;
  await page.waitForSelector(".tiles");
  const stops = await visit.tabStops();
  assertEquals(stops.slice(0, 3), ["button Skip to the page", "a Pingress", "a Overview"]);
  for (const stop of ["a Proxies", "a shop/checkout", "a All certificates"]) {
    assert(stops.some((reached) => reached.startsWith(stop)), `${stop} is among ${stops}`);
  }

  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assertEquals(await page.evaluate("document.activeElement.localName"), "main");
  const background = "getComputedStyle(document.body).backgroundColor";
  const light = await page.evaluate(background);
  await page.focus(".icon-button");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  assertMatch(await page.$eval(".icon-button", (button) => button.ariaLabel ?? ""), /^Theme: dark/);
  await page.reload();
  await page.waitForSelector(".tiles");
  assert(await page.evaluate(background) !== light, "the chosen theme is remembered");

  await page.goto(`${server.url}#/routes`);
  await page.waitForSelector("td.health button");
  await page.focus("td.health button");
  await page.keyboard.press("Enter");
  await visit.until("document.querySelector('.popover:popover-open')?.innerText.includes('10.42.')");
  await page.keyboard.press("Escape");
  await visit.until("document.querySelector('.popover:popover-open') === null");
  await page.focus(".url-box input");
  await page.keyboard.type("cart.shop.example.com/nothing/here");
  await page.keyboard.press("Enter");
  await visit.until("document.querySelector('.outcome')?.innerText.includes('shop/cart')");
  await page.click(".url-box .button:not(.primary)");
  await page.type(".url-box input", "http://nowhere.test/");
  await page.keyboard.press("Enter");
  await visit.until("document.querySelector('.outcome')?.innerText.includes('404')");
  assertQuiet(visit);
});

browserTest("the dashboard follows changes, and takes nothing from who is at work", async (browser) => {
  await using server = new DashboardServer(makeCluster(200, Date.now()));
  await using visit = await Visit.to(browser, `${server.url}#/ingresses?search=a`);
  const { page } = visit;
  await page.waitForSelector("table .state");
  await visit.until("document.querySelector('.live [role=status]').innerText.startsWith('Live')");
  await page.focus("input[type=search]");
  await page.keyboard.type("pi");
  await visit.until("document.querySelector('.page-head [role=status]').innerText === '20 Ingresses'");
  await page.evaluate("scrollTo(0, 100)");

  server.cluster = makeCluster(400, Date.now());
  server.cluster.overview.revision = "c0ffee000000";
  server.push();
  await visit.until("document.querySelector('.page-head [role=status]').innerText === '40 Ingresses'");
  assertEquals(await page.evaluate("[document.activeElement.value, scrollY]"), ["api", 100]);

  const pulse = "getComputedStyle(document.querySelector('.pulse')).backgroundColor";
  const alive = await page.evaluate(pulse);
  server.hangUp();
  await visit.until(
    `document.querySelector('.live').innerText.includes('Reconnecting') && ${pulse} !== '${alive}'`,
  );
  await visit.until("document.querySelector('.live').innerText.includes('last seen')");
  await visit.until("document.querySelector('.live').innerText.includes('Live')");
  assertEquals(await page.evaluate("[document.activeElement.value, scrollY]"), ["api", 100]);
  assertEquals(visit.foreignRequests(), []);
});

browserTest("a page that nobody sees holds no connection", async (browser) => {
  await using server = new DashboardServer(makeCluster(40, Date.now()));
  await using visit = await Visit.to(browser, `${server.url}#/`);
  await visit.until("document.querySelector('.live [role=status]')?.innerText.startsWith('Live')");
  assertEquals(server.followers, 1);
  const other = await visit.another(`${server.url}#/nowhere`);
  await other.until("document.querySelector('.live [role=status]')?.innerText.startsWith('Live')");
  await visit.until("document.hidden");
  server.cluster.overview.revision = "c0ffee000000";
  server.push();
  await other.until("document.querySelector('.live [role=status]').textContent.includes('c0ffee')");
  assertEquals(server.followers, 1);
  await visit.page.bringToFront();
  await visit.until("document.querySelector('.live [role=status]').textContent.includes('c0ffee')");
});

browserTest("the dashboard says what to do where there is nothing", async (browser) => {
  await using server = new DashboardServer(makeCluster(0, Date.now()));
  server.cluster.proxies = [];
  const cases: [place: string, text: string][] = [
    ["#/", "spec.ingressClassName: pingress"],
    ["#/routes", "spec.ingressClassName: pingress"],
    ["#/ingresses", "spec.ingressClassName: pingress"],
    ["#/certificates", "spec.tls"],
    ["#/proxies", "kubectl -n pingress-system get pods"],
    ["#/ingresses/shop/none", "kubectl -n shop get ingress none"],
    ["#/nowhere", "Go to the overview"],
  ];
  for (const [place, text] of cases) {
    await using visit = await Visit.to(browser, server.url + place);
    await visit.until(`document.querySelector(".empty")?.innerText.includes(${JSON.stringify(text)})`);
    assertEquals(await visit.barriers(), []);
  }
});

browserTest("the dashboard shows which endpoints are passed over, in words", async (browser) => {
  await using server = new DashboardServer(makeCluster(5000, Date.now()));
  await using visit = await Visit.to(browser, `${server.url}#/`);
  const { page } = visit;
  await visit.until("document.querySelector('.tiles')?.innerText.includes('5 passed over')");
  await visit.until("document.querySelectorAll('.ending li').length === 6");
  const asked = visit.requests.filter((url) => url.includes("/certificates")).map((url) =>
    new URL(url).search
  );
  assertEquals(asked, ["?limit=6"], "no more than are shown");
  await page.evaluate(
    "[...document.querySelectorAll('.tile')].find((tile) => tile.innerText.includes('Endpoints')).click()",
  );
  await visit.until("document.querySelector('.page-head [role=status]')?.innerText === '8 routes'");
  assertEquals(await page.evaluate("location.hash"), "#/routes?passedOver=1");
  await visit.until("document.querySelectorAll('td.health').length === 8");
  const rows = await page.evaluate(`[...document.querySelectorAll('tbody tr')].map((row) =>
    [row.querySelector('.health').innerText, getComputedStyle(row).backgroundColor])`) as [string, string][];
  const [[some, usual] = ["", ""]] = rows;
  assertEquals(some, "1 of 4 passed over");
  assertEquals(rows.map(([words]) => words).slice(1, 5), [
    "Both passed over",
    "Passed over",
    "Passed over",
    "1 of 2 passed over",
  ]);
  for (const [words, colour] of rows) assertEquals(colour !== usual, !words.includes(" of "), words);

  for (const [index, words] of ["passed over by 2 of 5 proxies", "passed over by all 5 proxies"].entries()) {
    await page.evaluate(`document.querySelectorAll('td.health button')[${index}].click()`);
    await visit.until(`document.querySelector('.popover:popover-open')?.innerText.includes('${words}')`);
    const text = await textOf(page, ".popover:popover-open");
    assertEquals(text.includes("not known to be down"), index === 0);
    assertMatch(text, /could not reach, and tries it again/);
    assertEquals(await visit.barriers(), []);
    const isInSight = "(({ right, bottom }) => right <= innerWidth && bottom <= innerHeight)";
    assert(
      await page.evaluate(
        `${isInSight}(document.querySelector('.popover:popover-open').getBoundingClientRect())`,
      ),
    );
    await page.keyboard.press("Escape");
  }

  await page.setViewport({ width: 360, height: 800 });
  await page.evaluate("document.querySelectorAll('td.health button')[0].click()");
  await visit.until("document.querySelector('.popover:popover-open')?.innerText.includes('not known')");
  const sides = "(({ left, right }) => [left, right])";
  const [left = 0, right = 0] = await page.evaluate(
    `${sides}(document.querySelector('.popover:popover-open').getBoundingClientRect())`,
  ) as number[];
  assert(left >= 0 && right <= 360 && right - left > 300, `it is from ${left} to ${right}`);
  await page.setViewport({ width: 1280, height: 800 });
  await page.keyboard.press("Escape");

  await page.evaluate("document.querySelectorAll('td.ingress a')[0].click()");
  await visit.until(
    "document.querySelector('.endpoints')?.innerText.includes('passed over by 2 of 5 proxies')",
  );
  await page.goto(`${server.url}#/ingresses/shop/invoices`);
  const items = "document.querySelector('.endpoints')?.querySelectorAll('li').length";
  await visit.until(`${items} === 20`);
  await page.click("::-p-text(Show all 64)");
  await visit.until(`${items} === 64`);
  await page.goto(`${server.url}#/proxies`);
  await visit.until("document.querySelector('tbody')?.innerText.includes('5 endpoints passed over')");
  // before somebody looked nobody knew
  await visit.until("document.querySelector('tbody').innerText.includes('behind for at least 1 min')");
  assertQuiet(visit);
});

browserTest("the demo's dashboard shows an endpoint that is dead, and that it is back", async (browser) => {
  await using demo = await DemoProgram.start();
  const serve = (port: number) =>
    Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, () => new Response("pear"));
  await using steady = serve(0);
  await using dying = serve(0);
  const { port } = dying.addr;
  await Deno.writeTextFile(`${demo.manifests}/pear.json`, pear([steady.addr.port, port]));
  await using visit = await Visit.to(browser, `${demo.dashboard}#/routes?search=pear`);
  const { page } = visit;
  const health = "document.querySelector('td.health button')?.innerText";
  await visit.until(`${health} === '2 endpoints'`);

  let isOver = false;
  const requests = (async () => {
    for (; !isOver; await pause(50)) {
      using client = await Peer.connect(demo.http);
      const { start } = await client.exchange("GET / HTTP/1.1\r\nHost: pear.example.com\r\n\r\n");
      assertEquals(start, "HTTP/1.1 200 OK");
    }
  })();
  try {
    await visit.until("parseFloat(document.querySelector('td.traffic').innerText) > 0");
    await dying.shutdown();
    await visit.until(`${health} === '1 of 2 passed over'`);
    await page.click("td.health button");
    const list =
      "document.querySelector('.popover:popover-open .endpoints')?.innerText.replaceAll(/\\s+/g, ' ')";
    await visit.until(`${list}?.includes('127.0.0.1:${port} passed over by the proxy')`);
    await visit.until(`${list}.includes('127.0.0.1:${steady.addr.port} not known to be down')`);
    await using _back = serve(port);
    await visit.until(`${list}.includes('127.0.0.1:${port} not known to be down')`);
    await visit.until(`${health} === '2 endpoints'`);
  } finally {
    isOver = true;
    await requests;
  }
  assertQuiet(visit);
});

browserTest("the demo's dashboard shows an edit of its Ingress, and 5,000 more", async (browser, t) => {
  await using demo = await DemoProgram.start();
  const file = `${demo.manifests}/ingress.yaml`;
  const status = "document.querySelector('.page-head [role=status]')?.innerText";
  {
    await using visit = await Visit.to(browser, `${demo.dashboard}#/routes`);
    const { page } = visit;
    await visit.until(`${status} === '5 routes'`);
    const yaml = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, yaml.replace("path: /banana", "path: /yellow"));
    await visit.until("document.querySelector('tbody').innerText.includes('/yellow')");

    await page.type(".url-box input", "https://apple.example.com/yellow");
    await page.keyboard.press("Enter");
    await visit.until("document.querySelector('.outcome')?.innerText.includes('default/banana')");
    assertEquals(await visit.barriers(), []);

    await Deno.writeTextFile(file, yaml.replaceAll("name: banana,", "name: cherry,"));
    await page.goto(`${demo.dashboard}#/`);
    await visit.until("document.querySelector('.problems')?.innerText.includes('cherry')");
    await page.click(".problems a");
    await visit.until("document.querySelector('h1').innerText === 'fruit'");
    await visit.until("document.querySelector('.problems')?.innerText.includes('cherry')");
    await visit.until("document.querySelector('.yaml')?.innerText.includes('name: cherry')");
    assertEquals(await visit.barriers(), []);

    await page.goto(`${demo.dashboard}#/proxies`);
    await visit.until("document.querySelector('tbody')?.innerText.includes('Ready')");
    await page.goto(`${demo.dashboard}#/certificates`);
    await visit.until("document.querySelector('tbody')?.innerText.includes('banana.example.com')");
    assertQuiet(visit);
  }

  await t.step("first paint and search with 5,000 Ingresses", async () => {
    await Deno.writeTextFile(`${demo.manifests}/many.json`, manyIngresses(5000));
    await using visit = await Visit.to(browser, `${demo.dashboard}#/routes`);
    const { page } = visit;
    await visit.until(`${status} === '10,005 routes'`);
    await page.reload();
    await visit.until(`${status} === '10,005 routes'`);
    const paint = await page.evaluate("performance.now()") as number;
    const search = await page.evaluate(`new Promise((done) => {
      const from = performance.now();
      const input = document.querySelector("input[type=search]");
      input.value = "host-4321";
      input.dispatchEvent(new Event("input", { bubbles: true }));
      new MutationObserver(() => ${status} === "2 routes" && done(performance.now() - from))
        .observe(document.querySelector("main"), { subtree: true, childList: true, characterData: true });
    })`) as number;
    // deno-lint-ignore no-console -- a figure for who reads the test's output
    console.log(`first paint with all rows in sight: ${paint.toFixed()} ms, search: ${search.toFixed()} ms`);
    assertQuiet(visit);
  });
});

/** An Ingress whose Service has endpoints at some ports of this machine, as a file of the demo. */
function pear(ports: number[]): string {
  const metadata = { name: "pear" };
  const backend = { service: { name: "pear", port: { number: 80 } } };
  const items = [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata,
      spec: {
        ingressClassName: "pingress",
        rules: [{ host: "pear.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      },
    },
    { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } },
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata,
      subsets: ports.map((port) => ({ addresses: [{ ip: "127.0.0.1" }], ports: [{ port }] })),
    },
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

/** As many Ingresses of two routes each, as a file of the demo. */
function manyIngresses(count: number): string {
  const path = (path: string) => ({
    path,
    pathType: "Prefix",
    backend: { service: { name: "apple", port: { number: 80 } } },
  });
  const items = Array.from({ length: count }, (_, index) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: `many-${index}` },
    spec: {
      ingressClassName: "pingress",
      rules: [{ host: `host-${index}.example.com`, http: { paths: [path("/"), path("/api")] } }],
    },
  }));
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}
