import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll } from 'vitest'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** How a page may be seen. */
export const VIEWS = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const satisfies Record<string, BrowserContextOptions>

export interface TestBrowser {
  /** Opens a page in a context of its own, which a failed test leaves to the end of the file. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>
}

/** Starts Debian's Chromium when a page is first opened, and ends it after the tests of the file. */
export function useBrowser(): TestBrowser {
  let browser: Promise<Browser> | undefined
  afterAll(async () => (await browser)?.close())
  return {
    async open(url, options = VIEWS.light) {
      browser ??= chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
      const context = await (await browser).newContext(options)
      const page = await context.newPage()
      await page.goto(url)
      return page
    },
  }
}

/** Returns what axe-core finds wrong with a page: the rule, and where. Without `rules` it tries all. */
export async function axeViolations(page: Page, rules?: readonly string[]): Promise<string[]> {
  // by the protocol of the browser, since the page's own policy allows no foreign script
  await page.evaluate(await readFile(AXE, 'utf8'))
  const options = { resultTypes: ['violations'], ...(rules && { runOnly: rules }) }
  const violations = await page.evaluate(async options => {
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }
    return (await axe.run(options)).violations
  }, options)
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`))
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { readonly target: readonly string[] }[]
  }[]
}
