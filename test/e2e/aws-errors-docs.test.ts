import { expect, test } from 'vitest'
import { credentialsFailure, stsFailure } from '../../src/tokens/role-session/sts-failure.ts'
import { quotedIn, readDocsPage, rowsOf, sectionOf } from '../support/markdown.ts'

const ROLE = 'arn:aws:iam::123456789012:role/jeton-orders'

const rows = rowsOf(sectionOf(await readDocsPage('aws'), 'What AWS says to jeton'))
const documented = rows.flatMap(([names = '', status = '']) =>
  quotedIn(names)
    .filter(name => /^\w+$/.test(name))
    // the rows of AccessDenied differ by AWS's message
    .filter(name => !['AccessDenied', 'Unknown'].includes(name))
    .map(name => [name, Number(status)] as const),
)

test('docs/aws.md documents the table of errors', () => {
  expect(documented.length).toBeGreaterThan(30)
})

test.each(documented)('docs/aws.md documents %s with the status %i that callers get', (name, status) => {
  const isSystemCode = /^E[A-Z]+|_/.test(name)
  const cause = Object.assign(new Error('a message'), {
    ...(isSystemCode ? { code: name } : { name }),
    $metadata: /^[A-Z][a-z]/.test(name) && name !== 'TimeoutError' ? { httpStatusCode: 400 } : {},
  })
  const failure = stsFailure(cause, ROLE)
  expect(failure.status).toBe(status)
  // a remedy follows the name
  expect(failure.reason).toMatch(new RegExp(`${name}(?: \\(400\\))?; .{10}`))
})

test.each([
  ['sts:AssumeRole', stsFailure, 502],
  ['sts:TagSession', stsFailure, 502],
  ['sts:SetSourceIdentity', stsFailure, 502],
  ['sts:AssumeRole', credentialsFailure, 503],
])('an AccessDenied of %s has the documented status (%#)', (action, failureOf, status) => {
  const message = `User: arn:aws:iam::210987654321:user/jeton is not authorized to perform: ${action} on resource: ${ROLE}`
  const cause = Object.assign(new Error(message), {
    name: 'AccessDenied',
    $metadata: { httpStatusCode: 403 },
  })
  expect(failureOf(cause, ROLE).status).toBe(status)
})
