import { expect, test } from 'vitest'
import { runCli } from '../support/service/jeton.ts'

test('the demo shows a token, refusals and the record of the vend, and ends', async () => {
  const { code, stdout, stderr } = await runCli(['demo', '--once'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    /RDS would say: {3}accepted as arn:aws:sts::123456789012:assumed-role\/jeton-orders\//,
  )
  expect(stdout).toMatch(/a feature branch: 403 access_denied/)
  expect(stdout).toMatch(/an expired JWT: {3}401 unauthenticated/)
  expect(stdout).toMatch(/"decision":"vended","principal":\{[^}]*\n.*\n.*"fingerprint":"[0-9a-f]{16}…"/)
  expect(stdout).toMatch(/jeton audit verify: ok/)
  expect(stdout).not.toContain('X-Amz-')
}, 60_000)
