// Starts `postroom demo` on a free port and a browser, and stops both.
//
// POSTROOM_BIN: the program to try (otherwise the debug build of this tree).
// POSTROOM_CHROMIUM: the browser (otherwise Debian's).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

/** The longest that anything here is waited for, in milliseconds. */
export const BOUND = 20_000;

const BUILT = fileURLToPath(new URL("../target/debug/postroom", import.meta.url));
const BROWSER = process.env.POSTROOM_CHROMIUM ?? "/usr/bin/chromium";

export async function startBrowser() {
  return chromium.launch({
    executablePath: BROWSER,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
  });
}

export class Demo {
  static async start() {
    const binary = process.env.POSTROOM_BIN ?? BUILT;
    if (!existsSync(binary)) throw new Error(`${binary} is not there: cargo build -p postroom`);
    const child = spawn(binary, ["demo", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
    const demo = new Demo();
    demo.child = child;
    const late = setTimeout(() => child.kill("SIGKILL"), BOUND);
    for await (const line of createInterface({ input: child.stdout })) {
      const [, name, value] = /^(sign in|maildir): (\S+)/.exec(line) ?? [];
      if (name === "sign in") demo.signIn = value;
      if (name === "maildir") demo.maildir = value;
      if (demo.signIn && demo.maildir) break;
    }
    clearTimeout(late);
    if (!demo.maildir) throw new Error("the demo ended before it said where it is");
    child.stdout.resume();
    demo.origin = new URL(demo.signIn).origin;
    return demo;
  }

  async stop() {
    if (this.child.exitCode !== null) return;
    const late = setTimeout(() => this.child.kill("SIGKILL"), BOUND);
    const ended = once(this.child, "exit");
    this.child.kill("SIGTERM");
    await ended;
    clearTimeout(late);
  }

  /** Drops a message into the Maildir as a mail system does: written aside, then moved in at once. */
  async drop(name, lines) {
    const aside = join(this.maildir, "tmp", name);
    await writeFile(aside, lines.join("\r\n") + "\r\n");
    await rename(aside, join(this.maildir, "new", name));
  }
}
