import { expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { appWorld } from '../support/service/app.ts'
import { askToken } from './support.ts'

/** Long enough to be found wherever any part of a secret was quoted. */
const PIECE = 20

test('no credential and no token is in a record, a log line or a problem, however a request ends', async () => {
  const world = await appWorld()
  const good = await world.bearer()
  const expired = await world.bearer({}, { expiresInSeconds: -3600 })
  const stranger = await world.bearer({ repository_id: '666' })
  const key = `ApiKey ${world.apiKey}`
  const credentials = [good, expired, stranger, key, world.apiKey, `Bearer ${world.apiKey}`, good.slice(7)]
  const bodies = [
    { database: 'orders' },
    { database: 'orders', user: 'app_ro' },
    { database: 'x' },
    '{',
    'x'.repeat(17_000),
  ]

  const told: string[] = []
  const tokens: string[] = []
  async function askAll() {
    for (const authorization of credentials)
      for (const body of bodies) {
        // each new token's turn has come
        await world.clock.advance(1000)
        const reply = await askToken(world, { authorization, body })
        if (reply.status === 200) tokens.push(reply.body.token)
        else told.push(reply.text, JSON.stringify(reply.headers))
      }
  }
  await askAll()
  world.faults.auditLog = new JetonError('temporarily_unavailable', { publicMessage: 'the audit log' })
  await askAll()

  expect(tokens.length).toBeGreaterThan(0)
  const written = JSON.stringify([told, world.records, world.log.lines])
  expect(written).toContain('unauthenticated')
  const signatures = [good, expired, stranger].map(jwt => jwt.split('.')[2] ?? '')
  const payloads = [good, expired, stranger].map(jwt => (jwt.split('.')[1] ?? '').slice(-PIECE))
  const tokenSecrets = tokens.map(token => /X-Amz-Signature=(\w+)/.exec(token)?.[1] ?? '')
  for (const secret of [...signatures, ...payloads, world.apiKey.slice(6), ...tokenSecrets, 'aws-se']) {
    expect(secret.length).toBeGreaterThan(5)
    expect(written).not.toContain(secret.slice(0, PIECE))
  }
})
