import { expect, test } from 'vitest'
import { userlistForm } from '../../../src/client/forms/userlist.ts'
import { ODD_USERS, sampleLogin } from './logins.ts'

/** Reads a line as PgBouncer's `load_auth_file` does: a quotation mark within is doubled. */
function readLine(line: string): string[] {
  return [...line.matchAll(/"((?:[^"]|"")*)"/g)].map(([, text = '']) => text.replaceAll('""', '"'))
}

test.each([...ODD_USERS, '"', 'a""b"'])(
  'the user %s and a token as long as a real one, as PgBouncer reads them',
  user => {
    const login = sampleLogin({ user })
    const text = userlistForm.render(login)
    expect(text).toMatch(/^".*\n$/)
    expect(readLine(text)).toEqual([user, login.reply.token])
  },
)

test('a token that PgBouncer would cut is refused', () => {
  const render = (length: number) => userlistForm.render(sampleLogin({ token: 'x'.repeat(length) }))
  expect(() => render(4000)).toThrow(
    'PgBouncer reads no password of more than 2047 characters, and the token is longer',
  )
})
