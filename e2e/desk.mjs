// A person at a desk of the demo: a browser that is signed in, and what is insisted on for every page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { BOUND, Demo, startBrowser } from "./demo.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export class Desk {
  static async open() {
    const desk = new Desk();
    desk.demo = await Demo.start();
    desk.origin = desk.demo.origin;
    desk.browser = await startBrowser();
    const context = await desk.browser.newContext();
    const page = await context.newPage();
    await page.goto(desk.demo.signIn);
    assert.equal(page.url(), `${desk.origin}/`, "the link signs in and leads to the items");
    desk.session = await context.storageState();
    await context.close();
    return desk;
  }

  async close() {
    await this.browser?.close();
    await this.demo?.stop();
  }

  /** Opens a page in a context of its own, gives it to `work`, and insists that nothing went wrong unseen. */
  async visit(path, work, options = {}) {
    const context = await this.browser.newContext({ storageState: this.session, viewport: DESKTOP, acceptDownloads: true, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(BOUND);
    const wrong = [];
    page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
    page.on("console", (message) => {
      // A browser that keeps a sealed frame from opening a window says so; that is what the frame is sealed for.
      // A form that is sent back says so with its status, and the browser repeats that.
      const kept = /^Blocked opening|status of 422/.test(message.text());
      if (message.type() === "error" && !kept) wrong.push(`console: ${message.text()}`);
    });
    page.on("dialog", (dialog) => (wrong.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.origin) && !url.startsWith("data:")) wrong.push(`request to ${url}`);
    });
    try {
      await page.goto(this.origin + path);
      await work(page, context);
      assert.deepEqual(wrong, [], path);
    } finally {
      await context.close();
    }
  }
}

/** Presses Tab until the focus is on something that fits `selector`. */
export async function tabTo(page, selector) {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
  }
  assert.fail(`no way to ${selector} by keyboard`);
}

/** Insists that axe-core finds nothing to complain about, with everything unfolded. */
export async function withoutBarriers(page, where) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  await page.evaluate(AXE);
  const found = await page.evaluate(() =>
    axe.run(document, { iframes: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  const told = found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html} ${node.failureSummary}`));
  assert.deepEqual(told, [], where);
}
