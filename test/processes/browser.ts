// A page in a headless Chromium, with the bundled client, the network file and a web server for them: all on this machine.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'

const root = fileURLToPath(new URL('../../', import.meta.url))
const chromiumPath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'

/** Null, or why there is no browser to test with. */
export function missingBrowser(): string | null {
  if (existsSync(chromiumPath)) return null
  return `${chromiumPath} is not there: apt-get install chromium, or name another one in CHROMIUM_PATH`
}

/** Bundles the client of a compiled package, and answers with the module's text. */
export function bundleClient(packageFolder: string): string {
  execFileSync(process.execPath, [join(root, 'scripts/bundle-client.mjs'), packageFolder], { cwd: root })
  return readFileSync(join(packageFolder, 'dist/browser/quorate-client.js'), 'utf8')
}

export interface OpenedPage {
  page: Page
  /** What the page threw and nobody caught. */
  uncaught: string[]
  /** Everything that its console said, for a person who looks into a failure. */
  said: string[]
  close(): Promise<void>
}

/** Serves the page with these files beside it, and opens it. */
export async function openPage(files: Readonly<Record<string, string>>): Promise<OpenedPage> {
  const server = await serve({ '/': readFileSync(join(root, 'test/processes/browser-page.html'), 'utf8'), ...files })
  let browser: Browser | null = null
  const close = async (): Promise<void> => {
    await browser?.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  try {
    browser = await chromium.launch({
      executablePath: chromiumPath,
      // Nothing but this machine is there for it.
      args: [
        '--no-sandbox',
        '--disable-dev-shm-usage',
        '--no-proxy-server',
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      ],
    })
    const page = await browser.newPage()
    const uncaught: string[] = []
    const said: string[] = []
    page.on('pageerror', (error) => uncaught.push(String(error)))
    page.on('console', (message) => said.push(message.text()))
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.locator('#said', { hasText: 'loaded' }).waitFor()
    return { page, uncaught, said, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function serve(files: Readonly<Record<string, string>>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const text = files[path]
    const type = path.endsWith('.js') ? 'text/javascript' : path.endsWith('.json') ? 'application/json' : 'text/html'
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` }).end(text ?? '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
