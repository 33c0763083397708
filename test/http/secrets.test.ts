import { expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { startApi } from '../support/service/app.ts'
import { requestToken } from './support.ts'

/** Characters of each secret to search for: enough to be unique, and few enough to find a part of it. */
const PIECE = 20

test('records, log lines and problems contain no credential and no token, however a request ends', async () => {
  const api = await startApi()
  const good = await api.bearer()
  const expired = await api.bearer({}, { expiresInSeconds: -3600 })
  const ungranted = await api.bearer({ repository_id: '666' })
  const key = `ApiKey ${api.apiKey}`
  const credentials = [good, expired, ungranted, key, api.apiKey, `Bearer ${api.apiKey}`, good.slice(7)]
  const bodies = [
    { database: 'orders' },
    { database: 'orders', user: 'app_ro' },
    { database: 'x' },
    '{',
    'x'.repeat(17_000),
  ]

  const replies: string[] = []
  const tokens: string[] = []
  async function requestAll() {
    for (const authorization of credentials)
      for (const body of bodies) {
        // long enough for the slot of a new token
        await api.clock.advance(1000)
        const reply = await requestToken(api, { authorization, body })
        if (reply.status === 200) tokens.push(reply.body.token)
        else replies.push(reply.text, JSON.stringify(reply.headers))
      }
  }
  await requestAll()
  api.faults.auditLog = new JetonError('temporarily_unavailable', { publicMessage: 'the audit log' })
  await requestAll()

  expect(tokens.length).toBeGreaterThan(0)
  const written = JSON.stringify([replies, api.records, api.log.lines])
  expect(written).toContain('unauthenticated')
  const signatures = [good, expired, ungranted].map(jwt => jwt.split('.')[2] ?? '')
  const payloads = [good, expired, ungranted].map(jwt => (jwt.split('.')[1] ?? '').slice(-PIECE))
  const tokenSecrets = tokens.map(token => /X-Amz-Signature=(\w+)/.exec(token)?.[1] ?? '')
  for (const secret of [...signatures, ...payloads, api.apiKey.slice(6), ...tokenSecrets, 'aws-se']) {
    expect(secret.length).toBeGreaterThan(5)
    expect(written).not.toContain(secret.slice(0, PIECE))
  }
})
