import { describe, expect, test } from 'vitest'
import { useServers } from './servers.ts'

describe('jeton serve with the console', () => {
  const { startServer, bearer } = useServers()
  const CONSOLE = { server: { admin: { port: 0, console: true } } }

  async function request(
    url: string,
    { user = 'migrator', ...claims }: { user?: string; ref?: string } = {},
  ) {
    const reply = await fetch(`${url}/v1/tokens`, {
      method: 'POST',
      headers: { authorization: await bearer(claims), 'content-type': 'application/json' },
      body: JSON.stringify({ database: 'orders', user }),
    })
    return { status: reply.status, body: (await reply.json()) as { token?: string; requestId?: string } }
  }

  /** The text of a page, which is its HTML without the tags. */
  async function textOf(url: string): Promise<string> {
    const html = await (await fetch(url)).text()
    return html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
  }

  test.each([
    ['its file', {}, 'from its file'],
    ['its memory, where the log is on stdout', { audit: [{ type: 'stdout' }] }, 'from its memory'],
  ])('shows real vends and refusals from %s', async (_name, config, source) => {
    const jeton = await startServer({ ...CONSOLE, ...config })
    const vended = await request(jeton.url)
    expect(vended.status).toBe(200)
    const refused = await request(jeton.url, { user: 'nobody' })
    expect(refused.status).toBe(403)

    await expect.poll(() => textOf(`${jeton.console}/records`), { timeout: 5000 }).toContain('access_denied')
    const records = await textOf(`${jeton.console}/records`)
    expect(records).toContain(source)
    expect(records).toMatch(/refused access_denied .* vended .* started /)
    expect(records).not.toContain(vended.body.token)
    expect(await textOf(`${jeton.console}/records?decision=vended`)).not.toContain('access_denied')
    expect(await textOf(`${jeton.console}/refusals`)).toMatch(
      /access_denied user missed grant \S+ nearest grant/,
    )
    expect(await textOf(`${jeton.console}/records/${refused.body.requestId}`)).toMatch(
      /was refused a token for nobody of orders/,
    )
    expect((await fetch(`${jeton.console}/records/none`)).status).toBe(404)
    expect((await fetch(`${jeton.console}/records?type=none`)).status).toBe(400)
  })
})
