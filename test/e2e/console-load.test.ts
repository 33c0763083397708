import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { useBrowser } from '../support/console/browser.ts'
import { canRun } from '../support/databases/install.ts'
import { useServers } from './servers.ts'

const VENDS = 4000
const CALLERS = 24
const AT_ONCE = 48

/** Notes whatever a page shows meanwhile that would be a lie or a flicker. */
const WATCH = `
  globalThis.seen = { updates: 0, isLost: false, isEmpty: false }
  document.addEventListener('jeton:updated', () => seen.updates++)
  document.querySelectorAll('canvas').forEach(each => each.setAttribute('data-first', ''))
  new MutationObserver(() => {
    seen.isLost ||= document.documentElement.hasAttribute('data-lost')
    seen.isEmpty ||= document.querySelectorAll('main tbody tr').length === 0
  }).observe(document.documentElement, { subtree: true, childList: true, attributes: true })`

interface Seen {
  readonly updates: number
  readonly isLost: boolean
  readonly isEmpty: boolean
}

describe.runIf(await canRun(['chromium']))('jeton serve with the console open', () => {
  const { startServer, bearer, auditRecords } = useServers()
  const browser = useBrowser()

  test('tells the truth of thousands of vends as they happen, and nothing flickers', async () => {
    const jeton = await startServer({
      server: { admin: { port: 0, console: true } },
      grants: [
        {
          name: 'each',
          principal: { issuer: 'ci', claims: { repository: 'acme/orders' } },
          database: 'orders',
          users: ['migrator'],
          session: 'per-principal',
        },
      ],
    })
    const credentials = await Promise.all(
      Array.from({ length: CALLERS }, (_none, at) => bearer({ sub: `caller-${at}` })),
    )
    let next = 0
    const vend = async () => {
      const authorization = credentials[next++ % CALLERS] ?? ''
      return (await jeton.requestToken(authorization, { database: 'orders', user: 'migrator' })).status
    }
    await vend()
    const [databases, records] = await Promise.all(
      ['databases', 'records'].map(path => browser.open(`${jeton.console}/${path}`)),
    )
    if (!databases || !records) throw new Error('a page is missing')
    await databases.locator('canvas').first().waitFor()
    for (const page of [databases, records]) await page.evaluate(WATCH)

    const worker = async () => {
      const statuses: number[] = []
      while (next < VENDS) statuses.push(await vend())
      return statuses
    }
    const statuses = (await Promise.all(Array.from({ length: AT_ONCE }, worker))).flat()
    expect(new Set(statuses)).toEqual(new Set([200]))

    const written = (await auditRecords()).filter(({ decision }) => decision === 'vended')
    expect(written.length).toBe(statuses.length + 1)
    const orders = databases.getByRole('region', { name: /^orders/ })
    await orders.getByText(`${CALLERS} new tokens in the last 5 minutes`).waitFor()
    const counts = await orders.locator('[data-counts]').getAttribute('data-counts')
    expect((counts ?? '').split(' ').reduce((sum, count) => sum + Number(count), 0)).toBe(CALLERS)
    expect(await databases.locator('canvas[data-first]').count()).toBe(
      await databases.locator('canvas').count(),
    )

    const newest =
      written
        .map(({ time, id }) => `${time} ${id}`)
        .sort()
        .at(-1) ?? ''
    await expect.poll(() => idOf(records)).toBe(newest.split(' ')[1])
    for (const page of [databases, records]) {
      const { updates, ...faults } = await page.evaluate<Seen>('globalThis.seen')
      expect(updates).toBeGreaterThan(0)
      expect(faults).toEqual({ isLost: false, isEmpty: false })
    }
  }, 60_000)
})

/** Returns the id of the record that a page shows first. */
async function idOf(page: Page): Promise<string | undefined> {
  const href = await page.locator('#records .moment').first().getAttribute('href')
  return /records\/([\w-]+)/.exec(href ?? '')?.[1]
}
