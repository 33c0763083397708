import { expect, test } from 'vitest'
import { readInputs } from '../../src/action/inputs.ts'

const given = { INPUT_URL: 'https://jeton.example.com', INPUT_DATABASE: '' }

test('what is not given is left out, or has its default', () => {
  expect(readInputs(given)).toEqual({
    url: 'https://jeton.example.com',
    audience: 'jeton',
    waitMs: 60_000,
    exports: 'pgpass',
    isTokenWanted: false,
  })
})

test.each(['URL', 'DATABASE', 'USER', 'AUDIENCE', 'CA', 'SERVER-CA', 'WAIT', 'EXPORT', 'TOKEN'])(
  'the input %s has no line break within',
  name => {
    for (const text of ['60\nLD_PRELOAD=/tmp/evil.so', 'a\rb', 'a\0b', 'a\u2028b', 'a\u0085b'])
      expect(() => readInputs({ ...given, [`INPUT_${name}`]: text })).toThrow('the input ')
  },
)

test.each([
  ['URL', '', 'the input url is missing'],
  ['WAIT', 'soon', 'the input wait takes a number'],
  ['EXPORT', 'all', 'the input export takes one of pgpass, env, none'],
  ['TOKEN', 'yes', 'the input token takes one of false, true'],
])('the input %s is not %j', (name, value, message) => {
  expect(() => readInputs({ ...given, [`INPUT_${name}`]: value })).toThrow(message)
})
