import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { createRecentFile } from '../../src/audit/file/recent.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import type { Config } from '../../src/config/config.ts'
import { chained } from '../audit/file/chained.ts'
import { folder } from '../audit/support.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { useBrowser } from '../support/console/browser.ts'
import { startConsole } from '../support/console/console.ts'
import { refusal, reloaded, started, vend } from '../support/console/records.ts'
import { canRun } from '../support/databases/install.ts'

const NOW = virtualClock().now()
const HOSTILE = `<script>alert(1)</script><img src=x onerror=alert(2)>"'\`&amp; javascript:alert(3) \u202egro.live ${'\u05d0'.repeat(20)}`
const textOf = (records: readonly AuditRecord[]) => records.map(each => `${renderRecord(each)}\n`).join('')

/** A console over a file with these lines, and the path of the file. */
async function openConsole(lines: readonly string[]) {
  const path = join(await folder(), 'audit.jsonl')
  await writeFile(
    path,
    chained(lines)
      .map(line => `${line}\n`)
      .join(''),
  )
  const recentRecords = createRecentFile({ path, clock: virtualClock() })
  const { url } = await startConsole({ recentRecords, currentConfig: () => ({}) as Config })
  return { url, path }
}

/** Fails the test for whatever a page tries that its policy forbids, for dialogs and for errors of scripts. */
function watch(page: Page): string[] {
  const faults: string[] = []
  page.on('dialog', dialog => {
    faults.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('pageerror', error => faults.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error') faults.push(message.text())
  })
  return faults
}

/** Presses Tab until what has the focus has this text; fails if it never does. */
async function tabTo(page: Page, text: string | RegExp): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate<string>('document.activeElement.textContent.trim()')
    if (typeof text === 'string' ? focused === text : text.test(focused)) return
  }
  expect.fail(`nothing with the text ${text} can be reached by the keyboard`)
}

describe.runIf(await canRun(['chromium']))('who got what', () => {
  const browser = useBrowser()

  test('filters by what is followed, takes filters away, and opens a record and its command, by keyboard alone', async () => {
    const other = { issuer: 'ci', subject: 'repo:acme/other' }
    const { url } = await openConsole([
      started,
      ...[vend(9000), vend(8000, { principal: other, grant: 'others' }), refusal(7000)].map(renderRecord),
    ])
    const page = await browser.open(`${url}/records`)
    const faults = watch(page)
    const rows = page.locator('#records tbody tr')
    expect(await rows.count()).toBe(4)
    expect(await page.locator('#records .source').innerText()).toContain('this instance alone')

    await tabTo(page, 'ci/repo:acme/other')
    await page.keyboard.press('Enter')
    await page.waitForURL(/principal=ci%2Frepo%3Aacme%2Fother$/)
    expect(await rows.count()).toBe(1)
    await tabTo(page, 'others')
    await page.keyboard.press('Enter')
    await page.waitForURL(/principal=.*&grant=others$/)
    await tabTo(page, 'remove')
    await page.keyboard.press('Enter')
    await page.waitForURL(/records\?grant=others$/)
    await tabTo(page, 'remove')
    await page.keyboard.press('Enter')
    await page.waitForURL(/records$/)

    await tabTo(page, /^\d\d:\d\d:\d\d\.\d{3}$/)
    await page.keyboard.press('Enter')
    await page.waitForURL(/records\/00000000-/)
    expect(await page.locator('.summary').innerText()).toBe(
      'repo:acme/shop was refused a token for app of orders.',
    )
    expect(await page.locator('.facts').innerText()).toMatch(
      /nearest grant shop-orders: claim ref is "refs\/heads\/x"/,
    )
    expect(await page.locator('#query-command').innerText()).toMatch(
      /^jeton audit query --id 00000000-[-\d]+ --from 2026-\S+Z --to 2026-\S+Z$/,
    )
    expect(
      await page.getByRole('link', { name: 'Explain what each grant misses now' }).getAttribute('href'),
    ).toMatch(/\/console\/explain\?record=00000000-[-\d]+&at=[\d-]+$/)
    await page.goBack()
    await page.waitForURL(/records$/)
    expect(await rows.count()).toBe(4)
    expect(faults).toEqual([])
  })

  test('says of a vend what CloudTrail, RDS’s log and the neighbours have, and of a reload what changed', async () => {
    const { url } = await openConsole([started, reloaded, ...[vend(9000), vend(8000)].map(renderRecord)])
    const page = await browser.open(`${url}/records`)
    await page.locator('#records .moment').first().click()
    const main = page.getByRole('main')
    expect(await main.innerText()).toContain('assumed-role/jeton-orders/orders.app')
    expect(await page.locator('#cloudtrail-command').innerText()).toContain(
      "contains(CloudTrailEvent, 'orders.app')",
    )
    expect(
      await page.getByRole('table', { name: 'The same principal before' }).locator('tbody tr').count(),
    ).toBe(1)
    expect(await page.getByRole('table', { name: 'The same token before' }).locator('tbody tr').count()).toBe(
      1,
    )
    await page.goto(`${url}/records?type=reloaded`)
    await page.locator('#records .moment').first().click()
    expect(await main.innerText()).toMatch(
      /another configuration into use[\s\S]*grants: added shop-orders, removed old/,
    )
  })

  test('shows new records without a reload, marks them, holds still on demand, and folds what repeats', async () => {
    const { url, path } = await openConsole([vend(9000), vend(8000)].map(renderRecord))
    const page = await browser.open(`${url}/records`)
    const faults = watch(page)
    const rows = page.locator('#records tbody tr')
    await page.evaluate('document.body.dataset.isSamePage = "yes"')
    await appendFile(path, textOf([refusal(500)]))
    await rows.nth(2).waitFor()
    expect(await page.locator('tr[data-new]').innerText()).toContain('access_denied')

    await page.getByRole('button', { name: 'Pause' }).click()
    const crowd = Array.from({ length: 4000 }, (_, i) =>
      vend(400 - Math.floor(i / 20), { principal: { issuer: 'ci', subject: `repo:acme/${i % 4}` } }),
    )
    await appendFile(path, textOf(crowd))
    await page.waitForTimeout(2500)
    expect(await rows.count()).toBe(3)
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.mouse.move(0, 0)
    await page.getByText('250 times in this second').first().waitFor()
    expect(await rows.count()).toBe(4)
    expect(await page.locator('tr[data-new]').count()).toBe(0)
    expect(await page.evaluate('document.body.dataset.isSamePage')).toBe('yes')

    await page.getByText('250 times in this second').first().click()
    await page.waitForURL(/each=yes$/)
    expect(await rows.count()).toBe(100)
    await page.getByRole('link', { name: 'Look further back' }).click()
    await page.waitForURL(/before=/)
    expect(await rows.count()).toBe(100)
    expect(faults).toEqual([])
  })

  test('leaves what callers send as text, on every page of records', async () => {
    const principal = {
      issuer: 'ci',
      subject: HOSTILE,
      claims: { ref: HOSTILE, list: [HOSTILE], long: 'x'.repeat(8000) },
    }
    const hostile = { principal, userAgent: HOSTILE, database: HOSTILE, user: HOSTILE }
    const { url } = await openConsole(
      [
        vend(9000, { ...hostile, id: '<script>alert(1)</script>\u202e', instance: HOSTILE, grant: HOSTILE }),
        refusal(8000, { ...hostile, reason: `nearest grant a: claim <b>x</b> is ${HOSTILE}` }),
        refusal(7000, { ...hostile, code: HOSTILE, reason: HOSTILE }),
      ].map(renderRecord),
    )
    const page = await browser.open(`${url}/records`)
    const faults = watch(page)
    const check = async () => {
      expect(await page.locator('main :is(script, img, b > :not(bdi), svg, iframe, style)').count()).toBe(0)
      const text = await page.getByRole('main').innerText()
      expect(text).toContain('<script>alert(1)</script>')
      expect(text).not.toContain('\u202e')
      expect(await page.locator('main a:not([href^="/console/"])').count()).toBe(0)
    }
    await check()
    await page.locator('#records tbody a', { hasText: 'ci/<script>' }).first().click()
    await page.waitForURL(/principal=ci%2F%3Cscript/)
    expect(await page.locator('#records tbody tr').count()).toBe(3)
    await check()
    for (let index = 0; index < 3; index++) {
      await page.locator('#records .moment').nth(index).click()
      await page.waitForURL(/records\//)
      await check()
      await page.goBack()
    }
    await page.goto(`${url}/refusals`)
    await check()
    expect(faults).toEqual([])
  })

  test('counts refusals by reason, with who and when, and leads to them', async () => {
    const flood = renderRecord({
      ...refusal(3000, {
        code: 'unauthenticated',
        principal: undefined,
        reason: 'a flood from one source: counted, not written one by one',
      }),
      count: 1234,
      since: new Date(NOW - 60_000).toISOString(),
    })
    const subjects = ['a', 'b', 'c', 'd', 'e']
    const { url } = await openConsole([
      renderRecord(vend(9500)),
      ...subjects.map((subject, i) =>
        renderRecord(
          refusal(9000 - i, {
            principal: { issuer: 'ci', subject },
            reason: `nearest grant shop-orders: claim ref is "${subject}", wanted main`,
          }),
        ),
      ),
      renderRecord(refusal(8000, { reason: 'nearest grant shop-orders: user is "root", wanted app' })),
      flood,
    ])
    const page = await browser.open(`${url}/refusals`)
    const rows = page.locator('#refusals tbody tr')
    expect(await rows.count()).toBe(3)
    expect(await rows.nth(0).innerText()).toMatch(/unauthenticated[\s\S]*1,234/)
    expect(await rows.nth(0).locator('time').nth(1).getAttribute('datetime')).toBe(
      new Date(NOW - 60_000).toISOString(),
    )
    expect(await rows.nth(1).innerText()).toMatch(
      /access_denied[\s\S]*claim ref missed grant shop-orders[\s\S]*\t5\t[\s\S]*and 2 others/,
    )
    await rows.nth(1).getByRole('link', { name: 'its records' }).click()
    await page.waitForURL(/reason=/)
    expect(await page.locator('#records tbody tr').count()).toBe(5)
  })
})
