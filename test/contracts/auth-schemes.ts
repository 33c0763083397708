import { describe, expect, test } from 'vitest'
import type { AuthScheme } from '../../src/authentication/principal.ts'
import { JetonError } from '../../src/errors.ts'

export interface SchemeWithCredentials {
  scheme: AuthScheme
  /** A credential that it accepts. */
  valid: string
  /** One as well made, but by somebody else. */
  foreign: string
}

/** Tests what holds for every authentication scheme; `start` returns a new one with its credentials. */
export function testAuthScheme(name: string, start: () => Promise<SchemeWithCredentials>): void {
  describe(`the scheme ${name}`, () => {
    test('returns one principal for a valid credential, at once and again', async () => {
      const { scheme, valid } = await start()
      const principals = await Promise.all([
        scheme.authenticate(valid),
        scheme.authenticate(valid),
        scheme.authenticate(valid),
      ])
      principals.push(await scheme.authenticate(valid))
      expect(new Set(principals).size).toBe(1)
      expect(principals[0]?.issuer).not.toBe('')
      expect(principals[0]?.subject).not.toBe('')
    })

    test('recalls that principal once it has verified the credential', async () => {
      const { scheme, valid } = await start()
      const principal = await scheme.authenticate(valid)
      expect(scheme.recall(valid)).toBe(principal)
    })

    test('has a name that is a token of RFC 9110', async () => {
      const { scheme } = await start()
      expect(scheme.scheme).toMatch(/^[A-Za-z][A-Za-z0-9-]*$/)
    })

    test('refuses everything else as unauthenticated, without quoting it', async () => {
      const { scheme, valid, foreign } = await start()
      await scheme.authenticate(valid)
      const middle = Math.floor(valid.length / 2)
      const other = valid[middle] === 'A' ? 'B' : 'A'
      const refusedCredentials = {
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
      for (const [what, credential] of Object.entries(refusedCredentials)) {
        const error = await scheme.authenticate(credential).then(
          () => expect.fail(`${what} was accepted`),
          (cause: unknown) => cause,
        )
        expect(error, what).toBeInstanceOf(JetonError)
        expect(error, what).toMatchObject({ code: 'unauthenticated' })
        if (error instanceof JetonError) expectUnquoted(error, credential)
        expect(scheme.recall(credential) ?? error, what).toEqual(error)
      }
      await scheme.authenticate(valid)
    })
  })
}

/** Fails if 12 characters in a row of the credential stand anywhere in the error. */
function expectUnquoted(error: JetonError, credential: string): void {
  const text = [error.message, error.publicMessage, error.reason, error.stack, String(error.cause)].join('\n')
  for (let at = 0; at + 12 <= Math.min(credential.length, 4096); at++)
    expect(text.includes(credential.slice(at, at + 12)), 'a piece of the credential is quoted').toBe(false)
}
