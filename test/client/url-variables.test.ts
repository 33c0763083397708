import { expect, test } from 'vitest'
import { parseUrlVariable, urlVariables } from '../../src/client/url-variables.ts'
import { sampleLogin } from './forms/logins.ts'

test.each([
  ['DB_URL', { name: 'DB_URL', form: 'uri' }],
  ['DB_URL:uri', { name: 'DB_URL', form: 'uri' }],
  ['SPRING_DATASOURCE_URL:jdbc', { name: 'SPRING_DATASOURCE_URL', form: 'jdbc' }],
  ['DB_URL:xml', undefined],
  ['DB_URL:toString', undefined],
  ['DB_URL:', undefined],
  ['DB-URL', undefined],
  ['1DB', undefined],
  ['DB=URL', undefined],
  ['', undefined],
])('%j is %j', (text, variable) => {
  expect(parseUrlVariable(text)).toEqual(variable)
})

test('each variable gets the URL of its form, without a line break', () => {
  const login = sampleLogin({}, { caFile: '/ca.pem' })
  const variables = urlVariables(
    [
      { name: 'A', form: 'uri' },
      { name: 'B', form: 'jdbc' },
    ],
    login,
  )
  expect(variables).toEqual({
    A: expect.stringMatching(/^postgresql:\/\/app_ro:\S+$/),
    B: expect.stringMatching(/^jdbc:postgresql:\/\/\S+$/),
  })
})
