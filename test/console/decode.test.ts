import { beforeAll, describe, expect, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { HOST, leakIn, signWithAws } from '../client/decode/support.ts'
import { useBrowser, VIEWS } from '../support/console/browser.ts'
import { startConsole } from '../support/console/console.ts'
import { canRun } from '../support/databases/install.ts'
import { collectRequests, paste } from './paste.ts'

const FIELD = 'Token, or a line with one in it'

describe.runIf(await canRun(['chromium']))('the page Decode', () => {
  const browser = useBrowser()
  let url: string
  let token: string
  let secrets: string[]
  beforeAll(async () => {
    url = `${(await startConsole({ currentConfig: () => ({}) as Config })).url}/decode`
    ;({ token, secrets } = await signWithAws())
  })

  test('reads a token in the browser alone', async () => {
    const page = await browser.open(url)
    const requests = collectRequests(page)
    await paste(page, FIELD, token)
    const shown = page.getByRole('region', { name: 'What the token says' })
    await shown.getByText('nothing is wrong that the text shows').waitFor()
    const text = await shown.innerText()
    for (const fact of [`${HOST}:5432`, 'migrator', 'us-east-1', 'ASIAQNZGKIQY56JQ7WML', sha256Hex(token)])
      expect(text).toContain(fact)
    expect(text).toMatch(/expires at\s+20\S+Z \(in 1[45] min\)/i)
    expect(await page.getByLabel(FIELD).inputValue()).toBe('')
    expect(leakIn(await page.content(), secrets)).toBeUndefined()
    expect(requests.count()).toBe(0)
    await page.getByRole('link', { name: 'Its records' }).click()
    await expect.poll(requests.count).toBeGreaterThan(0)
    expect(requests.text()).toContain(`/console/records?fingerprint=${sha256Hex(token)} `)
    expect(leakIn(requests.text(), secrets)).toBeUndefined()
  })

  test('says what is wrong with a line of a driver, and when a token ends', async () => {
    const page = await browser.open(url)
    await page.clock.install({ time: Date.now() })
    await page.reload()
    const requests = collectRequests(page)
    await paste(page, FIELD, `PGPASSWORD="${token.slice(0, 1024)}"`)
    await page.getByText('it is cut: it ends after').waitFor()
    expect(leakIn(await page.content(), secrets)).toBeUndefined()
    await paste(page, FIELD, token)
    await page.getByText(/in 1[45] min/).waitFor()
    await page.clock.runFor('15:02')
    await page.getByText('it has expired').waitFor()
    await page.getByText(/^20\S+Z \(\d+ s ago\)$/).waitFor()
    expect(requests.count()).toBe(0)
  })

  test('has nothing left for whoever comes back, nor after a late answer', async () => {
    const page = await browser.open(url)
    await paste(page, FIELD, token)
    await page.getByText(HOST).waitFor()
    await page.evaluate("dispatchEvent(new Event('pagehide'))")
    expect(await page.getByRole('main').innerText()).not.toContain(HOST)
    await paste(page, FIELD, token)
    await page.getByText(HOST).waitFor()
    await page.getByRole('link', { name: 'Explain' }).click()
    await page.goBack()
    expect(await page.getByRole('main').innerText()).not.toContain(HOST)
    await page.getByLabel(FIELD).fill(token)
    await page.getByText(HOST).waitFor()
    await page.getByRole('button', { name: 'Clear' }).press('Enter')
    expect(await page.getByRole('main').innerText()).not.toContain(HOST)
  })

  test('sends nothing without its script', async () => {
    const page = await browser.open(url, { ...VIEWS.light, javaScriptEnabled: false })
    expect(await page.locator('form, [name]:not(meta)').count()).toBe(0)
    expect(await page.getByRole('button', { name: 'Decode' }).isDisabled()).toBe(true)
  })
})
