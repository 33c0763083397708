import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { createRecentFile } from '../../src/audit/file/recent.ts'
import { renderRecord } from '../../src/audit/record.ts'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import type { Config } from '../../src/config/config.ts'
import { chained } from '../audit/file/chained.ts'
import { folder } from '../audit/support.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { useBrowser, VIEWS } from '../support/console/browser.ts'
import { NO_READINGS, startConsole } from '../support/console/console.ts'
import { pageFaults } from '../support/console/page-faults.ts'
import { liveToken, rateReading } from '../support/console/readings.ts'
import { refusal, reloaded, started, vend } from '../support/console/records.ts'
import { canRun } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'

const NOW = virtualClock().now()
const LONG = 'inventory-and-fulfilment-of-the-north-american-region'
const WORD = 'x'.repeat(200)
const PATHS = ['databases', 'records', 'refusals', 'explain', 'decode', 'configuration'] as const

const grant = (name: string, subject: string, more: Partial<GrantSpec> = {}): GrantSpec => ({
  name,
  principal: { issuer: 'hub', subject },
  database: 'orders',
  users: ['migrator'],
  ...more,
})
const CONFIG = {
  issuers: [{ name: 'hub', issuer: 'https://token.actions.githubusercontent.com', audience: 'jeton' }],
  apiKeys: { nightly: ['hash'] },
  databases: [ORDERS, ...Array.from({ length: 20 }, (_none, at) => ({ ...ORDERS, name: `${LONG}-${at}` }))],
  grants: [
    grant('deploy', 'repo:acme/app:**', { notAfter: '2027-01-01T00:00:00Z' }),
    grant('covered', 'repo:acme/app:**'),
    ...Array.from({ length: 60 }, (_none, at) =>
      grant(`of-${at}`, WORD + at, { database: `${LONG}-${at % 20}` }),
    ),
  ],
  store: { type: 'dynamodb', table: 'jeton', encryption: { type: 'files', keys: ['key'] } },
  audit: [{ type: 'stdout' }],
  origin: { sha256: 'b'.repeat(64), files: {} },
  warnings: [
    { path: 'grants[1]', grant: 'covered', message: 'never counts', file: 'jeton.yaml', line: 7, column: 3 },
  ],
} as unknown as Config
const BEFORE = { ...CONFIG, grants: CONFIG.grants.slice(1), origin: { sha256: 'a'.repeat(64), files: {} } }

const CROWD = Array.from({ length: 40 }, (_none, at) => ({ grant: `grant-${at}`, callers: 1 }))
const RATES = [
  rateReading({
    delivered: 1_234_567,
    deliveredBySecond: Array.from({ length: 300 }, (_none, at) => (at * 7) % 17),
    waiting: CROWD,
    fleet: { readAt: NOW - 60_000, nextFreeAt: NOW + 4800, reserved: 79, free: 1 },
  }),
  rateReading({ resource: `123456789012/eu-west-1/db-${'A'.repeat(26)}`, databases: [LONG, `${LONG}-2`] }),
]
const READINGS = {
  ...NO_READINGS,
  rates: () => RATES,
  liveTokens: () => Array.from({ length: 9 }, () => liveToken(NOW, { user: `u${WORD.slice(0, 60)}` })),
  configuration: () => ({ loadedAt: NOW - 60_000, lastReload: { at: NOW - 5000, isOk: false } }),
  expiries: () => [{ of: 'server', kind: 'certificate', notAfter: NOW + 86_400_000 } as const],
}
const LINES = [
  started,
  reloaded,
  ...[
    vend(9000, { cached: false }),
    vend(8000, { principal: { issuer: 'ci', subject: WORD } }),
    vend(8000, { principal: { issuer: 'ci', subject: WORD } }),
    refusal(7000),
    refusal(6000, { decision: 'failed', code: 'upstream_failed', reason: `STS: ${WORD}` }),
  ].map(renderRecord),
]

async function openFullConsole(): Promise<string> {
  const path = join(await folder(), 'audit.jsonl')
  await writeFile(path, chained(LINES).join('\n').concat('\n'))
  const { url } = await startConsole({
    recentRecords: createRecentFile({ path, clock: virtualClock() }),
    currentConfig: () => CONFIG,
    replacedConfig: () => BEFORE,
    readings: READINGS,
  })
  return url
}

/** Shows each page, and what opens on it. */
async function forEachPage(page: Page, { url, visit }: { url: string; visit(name: string): Promise<void> }) {
  for (const path of PATHS) {
    await page.goto(`${url}/${path}`)
    if (path === 'records') await page.locator('summary').click()
    if (path === 'explain') await explain(page)
    if (path === 'decode') {
      await page.locator('#token').fill('postgres://u:p@h/?X-Amz-Signature=0')
      await page.locator('#decoded > *').first().waitFor()
    }
    await visit(path)
  }
  await page.goto(`${url}/records`)
  const record = await page.locator('#records .moment').nth(1).getAttribute('href')
  await page.goto(new URL(record ?? '', url).href)
  await visit('a record')
}

async function explain(page: Page): Promise<void> {
  await page
    .getByLabel('Claims')
    .fill(JSON.stringify({ iss: 'https://token.actions.githubusercontent.com', sub: WORD }))
  await page.getByRole('button', { name: 'Explain' }).click()
  await page.getByRole('heading', { name: 'No grant allows it' }).waitFor()
}

describe.runIf(await canRun(['chromium']))('every page of the console', () => {
  const browser = useBrowser()

  test.each(Object.entries(VIEWS))(
    'has nothing wrong that axe finds, and does not scroll sideways, %s',
    async (name, view) => {
      // in the dark, all but colours is as it is in the light
      const rules = name === 'dark' ? ['color-contrast'] : undefined
      const url = await openFullConsole()
      const page = await browser.open(`${url}/databases`, view)
      await forEachPage(page, {
        url,
        visit: async shown => expect(await pageFaults(page, rules), shown).toEqual([]),
      })
    },
    60_000,
  )

  test('says why it is empty, and is as sound, in colours that the reader forces', async () => {
    const { url } = await startConsole({
      currentConfig: () => ({ ...CONFIG, issuers: [], databases: [], grants: [], apiKeys: {}, warnings: [] }),
    })
    const page = await browser.open(`${url}/databases`, { ...VIEWS.light, forcedColors: 'active' })
    for (const path of PATHS) {
      await page.goto(`${url}/${path}`)
      expect(await pageFaults(page), path).toEqual([])
    }
    await page.goto(`${url}/records`)
    expect(await page.getByRole('main').innerText()).toContain('No record matches')
  })

  test('is gone through by keyboard alone, from the skip link on, with the focus in sight', async () => {
    const url = await openFullConsole()
    const page = await browser.open(`${url}/databases`)
    for (const path of PATHS) {
      await page.goto(`${url}/${path}`)
      await page.evaluate(NOTE_STOPS)
      const stops = await page.evaluate<string[]>(STOPS)
      expect(stops[0]).toBe('Skip to the content')
      expect(await walkedStops(page, stops.length), path).toEqual(stops)
    }
    await page.goto(`${url}/records`)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.closest("main") !== null')).toBe(true)
  })

  test('leaves the focus and the place alone when it is brought up to date, and stands still by Pause', async () => {
    const url = await openFullConsole()
    const page = await browser.open(`${url}/databases`)
    await page.evaluate('scrollTo(0, 400)')
    const updated = () =>
      page.evaluate(
        "new Promise(done => document.addEventListener('jeton:updated', () => done(true), { once: true }))",
      )
    const summary = page.locator('summary').first()
    await summary.focus()
    const before = await page.evaluate('scrollY')
    await updated()
    expect(await summary.evaluate(each => each === each.ownerDocument.activeElement)).toBe(true)
    expect(await page.evaluate('scrollY')).toBe(before)
    await page.getByRole('button', { name: 'Pause' }).press('Enter')
    await page.waitForTimeout(100)
    let requests = 0
    page.on('request', () => requests++)
    await page.waitForTimeout(2300)
    expect(requests).toBe(0)
    expect(await page.getByText('Stands still').count()).toBe(1)
  })
})

/** What can have the focus, in the order of the page. */
const STOPS = `[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
  .filter(each => !each.disabled && each.checkVisibility() && !(each.closest('details:not([open])') && each.tagName !== 'SUMMARY'))
  .map(each => (each.textContent || each.id).trim().slice(0, 40))
  .filter((name, at, all) => name !== all[at - 1])`

/** Presses Tab as often as there are stops, and returns where that led; says so of whatever shows no focus. */
async function walkedStops(page: Page, count: number): Promise<string[]> {
  const walked = async () => page.evaluate<string[]>('globalThis.walked')
  for (let presses = 0; presses < count; presses++) await page.keyboard.press('Tab')
  // a field for a time has several parts
  while ((await walked()).length < count) await page.keyboard.press('Tab')
  return walked()
}

const NOTE_STOPS = `
  globalThis.walked = []
  document.addEventListener('focusin', ({ target }) => {
    const name = (target.textContent || target.id).trim().slice(0, 40)
    const { outlineStyle, outlineWidth } = getComputedStyle(target)
    const { top, bottom } = target.getBoundingClientRect()
    const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px' && bottom > 0 && top < innerHeight
    if (walked.at(-1) !== name) walked.push(name + (isSeen ? '' : ': not in sight'))
  })`
