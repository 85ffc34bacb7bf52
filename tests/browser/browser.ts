/**
 * What the browser tests do with a browser: open a page as a reader would, and note what it does that it
 * should not. The browser is Debian's `chromium`; where it is not installed, the tests say so and are ignored.
 * puppeteer-core leads it, which can do so with few permissions: playwright-core wants all of them as soon as it is
 * imported, since it looks for a file below /proc.
 *
 * @module
 */
import axe from "npm:axe-core@^4.14.1";
import puppeteer, { type Browser, type Page } from "npm:puppeteer-core@^25.16.0";

const CHROMIUM = "/usr/bin/chromium";

const isInstalled = await Deno.stat(CHROMIUM).then(() => true, () => false);

/** Tests something in a browser, which is started for this test alone. */
export function browserTest(
  name: string,
  run: (browser: Browser, t: Deno.TestContext) => Promise<void>,
): void {
  const fn = async (t: Deno.TestContext) => {
    const home = await Deno.makeTempDir({ prefix: "pingress_browser_" });
    try {
      const browser = await puppeteer.launch({
        executablePath: CHROMIUM,
        // its own sandbox cannot be had by root, as whom containers run; it shows nothing but our pages
        args: ["--no-sandbox", "--disable-dev-shm-usage"],
        env: { HOME: home, PATH: "/usr/bin:/bin" },
        userDataDir: home,
      });
      try {
        await run(browser, t);
      } finally {
        await browser.close();
      }
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  };
  Deno.test({ name: isInstalled ? name : `${name} (there is no ${CHROMIUM})`, ignore: !isInstalled, fn });
}

/** What Chromium says of requests under way when the machine gets or loses an address, as Pods come and go on it. */
const NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED";

/** How a page is looked at. */
export interface Look {
  /** What the reader prefers; `light` when absent. */
  scheme?: "light" | "dark";
  /** In CSS pixels; 1280 when absent. */
  width?: number;
}

/**
 * A page in a window of its own, closed when disposed of. Of the tabs of one window all but one are hidden, and which
 * one is in front after another was closed is up to the browser.
 */
export class Visit implements AsyncDisposable {
  /** The tab. */
  readonly page: Page;
  /** What the page complained of on the console, and what it did not catch. */
  readonly complaints: string[] = [];
  /** The URLs of all that it asked for, itself first. */
  readonly requests: string[] = [];

  #isCutOff = false;

  private constructor(page: Page) {
    this.page = page;
    page.on("console", (message) => {
      const type = message.type();
      if (type !== "error" && type !== "warn") return;
      if (message.text().includes(NETWORK_CHANGED)) this.#isCutOff = true;
      else this.complaints.push(`${type}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`uncaught: ${error}`));
    page.on("request", (request) => this.requests.push(request.url()));
  }

  /** Opens a URL, and waits until it has loaded. @throws {Error} when it cannot be had. */
  static async to(
    browser: Browser,
    url: string,
    { scheme = "light", width = 1280 }: Look = {},
  ): Promise<Visit> {
    const window = await browser.createBrowserContext();
    const visit = new Visit(await window.newPage());
    await visit.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await visit.page.setViewport({ width, height: 800 });
    await visit.#open(url);
    return visit;
  }

  /** Opens a URL in a tab of the same window, which hides this one. The window's end is its end. */
  async another(url: string): Promise<Visit> {
    const other = new Visit(await this.page.browserContext().newPage());
    await other.#open(url);
    await other.page.bringToFront();
    return other;
  }

  /** Once more, where the machine's network has changed meanwhile: a page without one of its modules stays empty. */
  async #open(url: string): Promise<void> {
    await this.page.goto(url);
    for (let attempt = 1; this.#isCutOff && attempt < 10; attempt++) {
      this.#isCutOff = false;
      await this.page.reload();
    }
  }

  /** Waits until something in the page is true. @throws {Error} with what it shows and says, if that takes too long. */
  async until(expression: string): Promise<void> {
    try {
      await this.page.waitForFunction(expression, { timeout: 30_000, polling: 50 });
    } catch (cause) {
      const shown = await this.page.evaluate("document.body.innerText");
      const said = this.complaints.join("\n");
      throw new Error(`Waited in vain for ${expression}. The page shows:\n${shown}\nIt says:\n${said}`, {
        cause,
      });
    }
  }

  /** The URLs that it asked of anybody but the one who gave it; of files, of all but itself. */
  foreignRequests(): string[] {
    const [own = ""] = this.requests;
    const { origin } = new URL(own);
    return this.requests.filter((url) => origin === "null" ? url !== own : new URL(url).origin !== origin);
  }

  /** What axe-core finds serious or critical for people who cannot see, point or tell colours apart. */
  async barriers(): Promise<string[]> {
    // as the browser's own tools do it, which no Content-Security-Policy of the page forbids
    await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate("axe.run()") as axe.AxeResults;
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`)
      );
  }

  /**
   * Presses Tab until the focus has left the page.
   *
   * @returns all that was reached, as `tag text`.
   * @throws {Error} when it does not leave: who has no mouse is caught there.
   */
  async tabStops(): Promise<string[]> {
    const stops: string[] = [];
    while (stops.length < MOST_STOPS) {
      await this.page.keyboard.press("Tab");
      const stop = await this.page.evaluate(FOCUSED) as string | null;
      if (stop === null) return stops;
      stops.push(stop);
    }
    throw new Error(`The focus does not leave the page; it goes from ${stops.slice(-3).join(" to ")}`);
  }

  /** Closes the window. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.page.browserContext().close();
  }
}

const MOST_STOPS = 1000;

/** What has the focus, or null when it has left the page. */
const FOCUSED = `(() => {
  const { activeElement: at } = document;
  return at === null || at === document.body ? null : at.localName + " " + at.textContent.trim().replace(/\\s+/g, " ");
})()`;
