import { chromium, type Page } from 'playwright-core'
import type { Scene } from './scene.ts'

const SIZE = { width: 1200, height: 720 }
/** Of pages that have what matters further down: a chart, or what a form was answered with. */
const TALL_PAGES = new Map([
  ['databases', 940],
  ['explain', 1050],
  ['decode', 1050],
])
/** What is empty at the end of a page, and need not be seen. */
const MARGIN = 40

export interface Picture {
  /** That of the page's file in `src/console/pages/`, and `-dark` if it is dark. */
  readonly name: string
  readonly png: Buffer
}

/** Shows a page, and what is to be seen of it: by the names of their files. */
const PAGES: Record<string, (page: Page, shown: Shown) => Promise<unknown>> = {
  databases: (page, { url }) => page.goto(`${url}/databases`),
  records: (page, { url }) => page.goto(`${url}/records`),
  record: async (page, { url }) => {
    await page.goto(`${url}/records?decision=vended`)
    await follow(page, '#records .moment')
  },
  refusals: (page, { url }) => page.goto(`${url}/refusals`),
  explain: async (page, { url }) => {
    await page.goto(`${url}/records?code=access_denied`)
    await follow(page, '#records .moment')
    await follow(page, 'a[href*="/explain?"]')
    await page.locator('#explain-button').click()
    await page.locator('#explained h2').waitFor()
  },
  decode: async (page, { url, token }) => {
    await page.goto(`${url}/decode`)
    await page.locator('#token').fill(token)
    await page.locator('#decoded a').waitFor()
  },
  configuration: (page, { url }) => page.goto(`${url}/configuration`),
}

interface Shown {
  readonly url: string
  readonly token: string
}

/** Takes a picture of each page of a server's console, and a dark one of the first. */
export async function takePictures({ server, token }: Scene): Promise<Picture[]> {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  try {
    const take = async (name: string, colorScheme: 'light' | 'dark'): Promise<Picture> => {
      const page = await browser.newPage({ viewport: SIZE, colorScheme })
      const show = PAGES[name]
      await show?.(page, { url: server.console ?? '', token })
      await page.evaluate(WITHOUT_MACHINE)
      // nothing is to have the focus
      await page.evaluate('document.activeElement?.blur()')
      await page.evaluate('scrollTo(0, 0)')
      const end = await page.evaluate<number>('document.querySelector("main").getBoundingClientRect().bottom')
      const height = Math.min(end - MARGIN, TALL_PAGES.get(name) ?? SIZE.height)
      const png = await page.screenshot({ clip: { x: 0, y: 0, width: SIZE.width, height }, fullPage: true })
      return { name: `${name}${colorScheme === 'dark' ? '-dark' : ''}`, png }
    }
    const pictures: Picture[] = []
    for (const name of Object.keys(PAGES)) pictures.push(await take(name, 'light'))
    return [...pictures, await take('databases', 'dark')]
  } finally {
    await browser.close()
  }
}

async function follow(page: Page, selector: string): Promise<void> {
  const href = await page.locator(selector).first().getAttribute('href')
  await page.goto(new URL(href ?? '', page.url()).href)
}

/** Replaces what a server says of its machine: its host's name and its process. */
const WITHOUT_MACHINE = `(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const text = walker.currentNode.data
    const shown = text.replace(/^dev:[^\\s/]+\\/\\d+$/, 'host-1/7')
    if (shown !== text) walker.currentNode.data = shown
  }
})()`
