import { describe, expect, test } from 'vitest'
import type { AuthScheme } from '../../src/authentication/principal.ts'
import { JetonError } from '../../src/errors.ts'

export interface WayInWorld {
  way: AuthScheme
  /** A credential that it takes. */
  valid: string
  /** One well made, but by somebody else. */
  foreign: string
}

/** What holds for every way in; `start` gives a fresh one with its credentials. */
export function wayInContract(name: string, start: () => Promise<WayInWorld>): void {
  describe(`the way in ${name}`, () => {
    test('takes a valid credential, again and at once, and gives one principal', async () => {
      const { way, valid } = await start()
      const principals = await Promise.all([
        way.authenticate(valid),
        way.authenticate(valid),
        way.authenticate(valid),
      ])
      principals.push(await way.authenticate(valid))
      expect(new Set(principals).size).toBe(1)
      expect(principals[0]?.issuer).not.toBe('')
      expect(principals[0]?.subject).not.toBe('')
    })

    test('its scheme is a token of RFC 9110', async () => {
      const { way } = await start()
      expect(way.scheme).toMatch(/^[A-Za-z][A-Za-z0-9-]*$/)
    })

    test('refuses everything else as unauthenticated, without quoting it', async () => {
      const { way, valid, foreign } = await start()
      const middle = Math.floor(valid.length / 2)
      const other = valid[middle] === 'A' ? 'B' : 'A'
      const refused = {
        empty: '',
        garbage: 'Z2FyYmFnZS1vZi1zb21lLWxlbmd0aA',
        dots: '..',
        'two dots and text': 'Zm9yZ2VkLWhlYWRlcg.Zm9yZ2VkLXBheWxvYWQ.Zm9yZ2VkLXNpZw',
        foreign,
        altered: valid.slice(0, middle) + other + valid.slice(middle + 1),
        cut: valid.slice(0, -8),
        extended: `${valid}AAAA`,
        'without its beginning': valid.slice(8),
        doubled: `${valid}.${valid}`,
        'over-long': valid.repeat(Math.ceil((64 * 1024) / valid.length)),
        'not ASCII': `${valid.slice(0, middle)}é${valid.slice(middle)}`,
        'with a NUL': `${valid}\u0000`,
      }
      for (const [what, credential] of Object.entries(refused)) {
        const error = await way.authenticate(credential).then(
          () => expect.fail(`${what} was accepted`),
          (cause: unknown) => cause,
        )
        expect(error, what).toBeInstanceOf(JetonError)
        expect(error, what).toMatchObject({ code: 'unauthenticated' })
        if (error instanceof JetonError) expectUnquoted(error, credential)
      }
      await way.authenticate(valid)
    })
  })
}

/** No 12 characters in a row of the credential stand in anything that an error says. */
function expectUnquoted(error: JetonError, credential: string): void {
  const said = [error.message, error.publicMessage, error.reason, error.stack, String(error.cause)].join('\n')
  for (let at = 0; at + 12 <= Math.min(credential.length, 4096); at++)
    expect(said.includes(credential.slice(at, at + 12)), 'a piece of the credential is quoted').toBe(false)
}
