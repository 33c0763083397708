import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import type { Config } from '../../src/config/config.ts'
import { leakIn } from '../client/decode/support.ts'
import { useBrowser, VIEWS } from '../support/console/browser.ts'
import { startConsole } from '../support/console/console.ts'
import { canRun } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { collectRequests, paste } from './paste.ts'

const OWN = { name: 'own', issuer: 'https://issuer.example', audience: 'jeton' }
const grant = (name: string, principal: GrantSpec['principal']): GrantSpec => ({
  name,
  principal,
  database: 'orders',
  users: ['migrator'],
})
const GRANTS = [
  grant('deploy', { issuer: 'own', subject: 'deployer', claims: { team: 'x' } }),
  ...Array.from({ length: 3000 }, (_, i) =>
    grant(`other-${i}`, { issuer: 'own', subject: `s${i}`, claims: { team: 'y' } }),
  ),
]
const CONFIG = { issuers: [OWN], databases: [ORDERS], grants: GRANTS, warnings: [] } as unknown as Config

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const SIGNATURE = randomBytes(256).toString('base64url')
const jwtOf = (claims: object) =>
  `${part({ alg: 'RS256' })}.${part({ iss: OWN.issuer, aud: 'jeton', sub: 'deployer', ...claims })}.${SIGNATURE}`
const JWT = jwtOf({ team: 'x', exp: 1 })
const JWE = `${part({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.${SIGNATURE}.${SIGNATURE.slice(0, 16)}.${SIGNATURE}.${SIGNATURE.slice(0, 22)}`

const CLAIMS = 'Claims, as JSON or as a JWT'
/** What is pasted, and what the page then says. */
const PASTED: readonly (readonly [name: string, text: string, shown: RegExp])[] = [
  ['a JWT', JWT, /^deploy allows it/],
  ['a JWT with its scheme', `Authorization: Bearer ${JWT}`, /^deploy allows it/],
  ['a JWT over several lines', JWT.replace(/.{60}/g, '$&\n  '), /^deploy allows it/],
  [
    'a JWT within a command',
    `curl -H 'Authorization: Bearer ${JWT}' https://jeton.example/v1/token`,
    /^deploy allows it/,
  ],
  ['the reply of an issuer', JSON.stringify({ id_token: JWT, expires_in: 300 }), /^deploy allows it/],
  ['a JWT without its beginning', JWT.slice(6), /Nothing was sent/],
  ['two JWTs', `${JWT}\n${JWT}`, /several JWTs.*Nothing was sent/],
  ['an encrypted JWT', JWE, /Nothing was sent/],
  [
    'claims with a JWT in them',
    JSON.stringify({ iss: OWN.issuer, aud: 'jeton', sub: JWT }),
    /No grant allows it/,
  ],
  [
    'claims with one behind an escape',
    JSON.stringify({ iss: OWN.issuer, aud: 'jeton', sub: 'deployer', team: JWT }).replaceAll(
      `.${SIGNATURE}`,
      `\\u002e${SIGNATURE}`,
    ),
    /No grant allows it/,
  ],
  ['a JWT with one in its claims', jwtOf({ act: { token: JWT } }), /No grant allows it/],
  [
    'a JWS as JSON',
    JSON.stringify({ protected: part({ alg: 'RS256' }), payload: part({ sub: 'x' }), signature: SIGNATURE }),
    /Nothing was sent/,
  ],
  ['an API key', `{"sub":"jeton_${SIGNATURE.slice(0, 43)}"}`, /Nothing was sent/],
  ['a word', SIGNATURE, /Nothing was sent/],
]

describe.runIf(await canRun(['chromium']))('the page Explain', () => {
  const browser = useBrowser()
  let url: string
  beforeAll(async () => {
    url = `${(await startConsole({ currentConfig: () => CONFIG })).url}/explain`
  })

  test('says by the keyboard alone which grant it would be', async () => {
    const page = await browser.open(url)
    await paste(
      page,
      CLAIMS,
      JSON.stringify({ iss: OWN.issuer, aud: 'jeton', sub: 'deployer', team: '<b>z</b>\u202e' }),
    )
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.type('orders')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'No grant allows it' }).waitFor()
    const text = await page.getByRole('region', { name: 'Explanation' }).innerText()
    expect(text).toMatch(/^No grant allows it/)
    expect(text.indexOf('deploy 1 of 4 conditions misses')).toBeLessThan(text.indexOf('other-0'))
    expect(text).toContain('"<b>z</b>\\u202e"')
    expect(text).toContain('and 2981 more grants, none of them nearer')
    expect(await page.evaluate('document.activeElement.id')).toBe('explained')
  })

  test('sends no signature, whatever is pasted', async () => {
    const page = await browser.open(url)
    const requests = collectRequests(page)
    for (const [name, text, shown] of PASTED) {
      await page.getByLabel(CLAIMS).fill('')
      await paste(page, CLAIMS, text)
      await page.locator('#explained').evaluate(part => part.replaceChildren())
      await page.getByRole('button', { name: 'Explain' }).click()
      await page.locator('#explained:not([aria-busy]) > *').first().waitFor()
      expect(await page.locator('#explained').innerText(), name).toMatch(shown)
      expect(leakIn(decoded(requests.text()), [SIGNATURE]), name).toBeUndefined()
      expect(leakIn(await page.content(), [SIGNATURE]), name).toBeUndefined()
    }
    expect(requests.count()).toBe(PASTED.filter(([, , shown]) => !shown.source.includes('Nothing')).length)
    await page.getByLabel(CLAIMS).fill('{"sub":"x"}')
    for (const label of ['Database', 'Database user'])
      for (const secret of [JWT, `jeton_${SIGNATURE.slice(0, 43)}`]) {
        const field = page.getByLabel(label, { exact: true })
        await field.fill(secret)
        await field.press('Enter')
        await page.getByText('in the place of the database or its user. Nothing was sent').waitFor()
        await page.locator('#explained').evaluate(part => part.replaceChildren())
        await field.fill('')
      }
    expect(leakIn(decoded(requests.text()), [SIGNATURE, SIGNATURE.slice(0, 43)])).toBeUndefined()
  })

  test('takes a signature out of what is typed and dropped, too', async () => {
    const page = await browser.open(url)
    const field = page.getByLabel(CLAIMS)
    await field.fill(JWT)
    expect(await field.inputValue()).toBe(JWT.replace(SIGNATURE, ''))
    expect(await page.locator('#claims-state').innerText()).toContain('A signature was taken out')
  })

  test('sends nothing without its script', async () => {
    const page = await browser.open(url, { ...VIEWS.light, javaScriptEnabled: false })
    const requests = collectRequests(page)
    await page.getByLabel(CLAIMS).fill(JWT)
    await page.getByLabel('Database', { exact: true }).press('Enter')
    expect(await page.getByRole('button', { name: 'Explain' }).isDisabled()).toBe(true)
    expect(requests.count()).toBe(0)
    await page.evaluate("document.querySelector('form').submit()")
    await expect.poll(requests.count).toBeGreaterThan(0)
    expect(leakIn(requests.text(), [SIGNATURE, part({ alg: 'RS256' })])).toBeUndefined()
  })

  test('has nothing left of what was pasted when somebody comes back', async () => {
    const page = await browser.open(url)
    await paste(page, CLAIMS, JWT)
    await page.evaluate("dispatchEvent(new Event('pagehide'))")
    expect(await page.getByLabel(CLAIMS).inputValue()).toBe('')
    await paste(page, CLAIMS, JWT)
    await page.goto(url.replace('/explain', '/decode'))
    await page.goBack()
    expect(await page.getByLabel(CLAIMS).inputValue()).toBe('')
  })
})

/** With what is in base64url, once and twice. */
function decoded(text: string): string {
  const once = text.replace(/[\w-]{16,}/g, encoded => ` ${Buffer.from(encoded, 'base64url')} `)
  return `${text}\n${once}\n${once.replace(/[\w-]{16,}/g, encoded => ` ${Buffer.from(encoded, 'base64url')} `)}`
}
