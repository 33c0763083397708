import { createHmac } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { createIssuerKeysCache } from '../../src/authentication/issuer-keys-cache.ts'
import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import type { OperatorSpec } from '../../src/authorization/grant.ts'
import { addConsole } from '../../src/console/console.ts'
import { createAdminApp } from '../../src/http/admin.ts'
import { createOperatorHook } from '../../src/http/operators.ts'
import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { isoTime } from '../../src/lib/iso-time.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { compileAccessPolicy } from '../../src/vending/access-policy.ts'
import { createRequestAudits } from '../../src/vending/request-audit.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { NO_READINGS, NO_RECORDS } from '../support/console/console.ts'
import { startIssuer } from '../support/oidc/issuer.ts'
import { createLogRecorder, eventsOf } from '../support/service/log-recorder.ts'
import { openRaw } from './raw-socket.ts'

const ON_CALL: OperatorSpec = {
  name: 'on-call',
  principal: { issuer: 'corp', claims: { groups: 'database-operators' } },
}
const BREAK_GLASS: OperatorSpec = {
  name: 'break-glass',
  principal: { issuer: 'apiKey', subject: 'night-shift' },
}
const OPERATOR = { sub: 'ada@example.com', groups: ['staff', 'database-operators'] }

/** A console beyond loopback, whose operators a test may replace. */
async function startOperatorConsole(isAlwaysAsked = true) {
  const clock = virtualClock()
  const log = createLogRecorder()
  const issuer = await startIssuer({ now: clock.now })
  onTestFinished(() => issuer.close())
  const [nightShift, outsider] = [newApiKey(), newApiKey()]
  const records: AuditRecord[] = []
  const issuerKeys = createIssuerKeysCache({
    ...{ clock, log, fetch, health: createHealth(), backgroundTasks: createBackgroundTasks() },
  })
  const compile = (operators: readonly OperatorSpec[]) =>
    compileAccessPolicy(
      {
        server: { host: '127.0.0.1', port: 0 },
        issuers: [{ name: 'corp', issuer: issuer.url, audience: 'jeton', jwks: issuer.jwks() }],
        apiKeys: { 'night-shift': [nightShift.sha256], ci: [outsider.sha256] },
        databases: [],
        grants: [],
        operators,
        store: { type: 'memory' },
        audit: [],
        origin: { sha256: '', files: {} },
      },
      { clock, keysOf: issuerKeys.of },
    )
  let policy = compile([ON_CALL, BREAK_GLASS])
  const beginAudit = createRequestAudits({
    auditLog: {
      write: async () => {},
      writeLine() {},
      admitRefusal: record => ({ id: record.id, write: () => void records.push(record) }),
    },
    clock,
    instance: 'test',
  })
  const app = createAdminApp(new Registry(), { clock, log })
  addConsole(app, {
    ...{
      clock,
      log,
      readings: NO_READINGS,
      recentRecords: NO_RECORDS,
      refreshFleetSlots: async () => {},
      assets: new Map(),
      isOnLoopback: false,
    },
    currentConfig: () => ({ store: { type: 'memory' } }) as never,
    replacedConfig: () => undefined,
    currentGrants: () => compileGrants([]),
    admit: createOperatorHook({ currentPolicy: () => policy, beginAudit, clock, log, isAlwaysAsked }),
  })
  const open = (authorization?: string, url = '/console/databases') =>
    app.inject({
      url,
      headers: { ...(authorization !== undefined && { authorization }), host: 'jeton.example' },
    })
  return {
    ...{ app, open, records, log, clock, issuer, nightShift, outsider },
    /** Makes the next credentials wait to be judged. Returns when the first of them does, and how to let them go on. */
    hold() {
      const [begun, released] = [new EventEmitter(), new EventEmitter()]
      const { authenticator } = policy
      const authenticate: typeof authenticator.authenticate = async credential => {
        begun.emit('begun')
        await once(released, 'released')
        return authenticator.authenticate(credential)
      }
      policy = { ...policy, authenticator: { ...authenticator, authenticate } }
      return { begun: once(begun, 'begun'), release: () => void released.emit('released') }
    },
    reload: (operators: readonly OperatorSpec[]) => {
      policy = compile(operators)
    },
  }
}

function basic(password: string): string {
  return `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}`
}

test('an operator opens the console by a JWT or an API key, in a browser too, and the log names them once an hour', async () => {
  const { open, issuer, nightShift, records, log, clock } = await startOperatorConsole()
  const jwt = await issuer.sign(OPERATOR)
  for (const authorization of [
    `Bearer ${jwt}`,
    basic(jwt),
    `ApiKey ${nightShift.key}`,
    basic(nightShift.key),
  ])
    expect((await open(authorization)).statusCode).toBe(200)
  expect(records).toEqual([])
  const opened = () => log.lines.map(({ fields: { event, operator, subject } }) => [event, operator, subject])
  const once = [
    ['console_opened', 'on-call', 'ada@example.com'],
    ['console_opened', 'break-glass', 'night-shift'],
  ]
  expect(opened()).toEqual(once)
  await clock.advance(3_600_000)
  await open(basic(nightShift.key))
  expect(opened()).toEqual([...once, once[1]])
  expect(JSON.stringify(log.lines)).not.toContain(nightShift.key)
})

test('without a credential a browser is asked for one, whatever it wants but /metrics, and there is a record', async () => {
  const { open, records } = await startOperatorConsole()
  for (const url of ['/', '/console', '/console/databases']) {
    const { statusCode, headers, body } = await open(undefined, url)
    expect([statusCode, headers['content-type']]).toEqual([401, 'text/html; charset=utf-8'])
    expect(headers['www-authenticate']).toBe(
      'Basic realm="jeton", Bearer realm="jeton", ApiKey realm="jeton"',
    )
    expect(body).not.toContain('<table')
  }
  expect(records).toMatchObject(
    Array(3).fill({ decision: 'refused', code: 'unauthenticated', reason: 'the console: no credential' }),
  )
  expect((await open(undefined, '/metrics')).statusCode).toBe(200)
  expect(records).toHaveLength(3)
})

test('a forged, an expired and a foreign credential open nothing, and each is recorded', async () => {
  const { open, issuer, records, log } = await startOperatorConsole()
  const jwt = await issuer.sign(OPERATOR)
  const [header, payload] = jwt.split('.')
  const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`
  const byTheUrl = createHmac('sha256', issuer.url).update(`${header}.${payload}`).digest('base64url')
  const forged = [
    `${jwt.slice(0, -6)}AAAAAA`,
    unsigned,
    `${header}.${payload}.${byTheUrl}`,
    await issuer.sign({ ...OPERATOR, exp: 1 }),
    await issuer.sign({ ...OPERATOR, aud: 'another' }),
    newApiKey().key,
  ]
  for (const credential of forged) {
    const { statusCode, body } = await open(basic(credential))
    expect({ credential, statusCode }).toEqual({ credential, statusCode: 401 })
    expect(body).not.toContain(credential)
  }
  for (const header of ['Basic', 'Basic !', `Basic ${Buffer.from('x').toString('base64')}`, `Digest ${jwt}`])
    expect((await open(header)).statusCode).toBe(401)
  expect(records.map(({ code }) => code)).toEqual(Array(10).fill('unauthenticated'))
  const said = JSON.stringify([records, log.lines])
  for (const credential of forged) expect(said).not.toContain(credential)
})

test('whoever hangs up before the answer leaves a record all the same, with the trace', async () => {
  const { app, hold, records } = await startOperatorConsole()
  await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  const { begun, release } = hold()
  const connected = once(app.server, 'connection')
  const guesser = openRaw((app.server.address() as AddressInfo).port)
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  guesser.send(
    `GET /console HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('jeton_guess')}\r\ntraceparent: 00-${trace}-00f067aa0ba902b7-01\r\n\r\n`,
  )
  await begun
  const [served] = await connected
  const left = once(served, 'close')
  guesser.socket.destroy()
  await left
  release()
  await expect.poll(() => records).toMatchObject([{ code: 'unauthenticated', traceId: trace }])
})

test('a page that asks again by itself does not make the browser ask for a credential, over and over', async () => {
  const { app } = await startOperatorConsole()
  const challengeFor = async (destination: string) => {
    const headers = { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': destination }
    const reply = await app.inject({ url: '/console/databases', headers })
    return [reply.statusCode, reply.headers['www-authenticate']]
  }
  expect(await challengeFor('empty')).toEqual([401, 'Bearer realm="jeton", ApiKey realm="jeton"'])
  expect(await challengeFor('document')).toEqual([401, expect.stringMatching(/^Basic realm="jeton", Bearer/)])
})

test('a verified principal that no operator means is refused, and the record says what missed', async () => {
  const { open, issuer, outsider, records } = await startOperatorConsole()
  const jwt = await issuer.sign({ sub: 'eve@example.com', groups: ['staff'] })
  const { statusCode, body } = await open(basic(jwt))
  expect(statusCode).toBe(403)
  expect(body).toContain('access_denied')
  expect(body).not.toContain('database-operators')
  expect((await open(`ApiKey ${outsider.key}`)).statusCode).toBe(403)
  expect(records).toMatchObject([
    {
      code: 'access_denied',
      principal: { issuer: 'corp', subject: 'eve@example.com' },
      reason: expect.stringMatching(
        /^the console: nearest operator on-call: claim groups is .*staff.*wanted/,
      ),
    },
    { principal: { issuer: 'apiKey', subject: 'ci' }, reason: expect.stringContaining('break-glass') },
  ])
})

test('a reload revokes at once, and who names no operator lets nobody in', async () => {
  const { open, issuer, reload } = await startOperatorConsole()
  const jwt = basic(await issuer.sign(OPERATOR))
  expect((await open(jwt)).statusCode).toBe(200)
  reload([BREAK_GLASS])
  expect((await open(jwt)).statusCode).toBe(403)
  reload([])
  expect((await open(jwt)).statusCode).toBe(403)
  expect((await open()).statusCode).toBe(401)
})

test('an operator is let in from notBefore to notAfter, whatever was asked before, and the record says which it missed', async () => {
  const { open, nightShift, clock, records, reload } = await startOperatorConsole(false)
  const at = (ms: number) => isoTime(clock.now() + ms)
  const [notBefore, notAfter] = [at(1000), at(2000)]
  reload([{ ...BREAK_GLASS, notBefore, notAfter }])
  const statuses: number[] = []
  for (const ms of [999, 1, 1000, 1]) {
    await clock.advance(ms)
    statuses.push((await open(basic(nightShift.key))).statusCode)
  }
  expect(statuses).toEqual([403, 200, 200, 403])
  expect(records.map(({ code, reason }) => [code, reason])).toEqual([
    ['access_denied', `the console: nearest operator break-glass: begins at ${notBefore}`],
    ['access_denied', `the console: nearest operator break-glass: ended at ${notAfter}`],
  ])
  // one that has ended opens the console to nobody else
  expect((await open()).statusCode).toBe(401)
})

test('on loopback nobody is asked until operators are named, and then even if none is left', async () => {
  const { open, reload } = await startOperatorConsole(false)
  reload([])
  expect((await open()).statusCode).toBe(200)
  reload([BREAK_GLASS])
  expect((await open()).statusCode).toBe(401)
  reload([])
  expect((await open()).statusCode).toBe(401)
})

test('an address without a page says so, in words for people', async () => {
  const { statusCode, body } = await (await startOperatorConsole()).open(undefined, '/console/nothing')
  expect([statusCode, body.includes('The console has no page at this address')]).toEqual([404, true])
})

test('who guesses is limited, and an operator from the same address is not', async () => {
  const { open, nightShift, records, log } = await startOperatorConsole()
  for (let guess = 0; guess < 100; guess++) expect((await open(basic(`jeton_${guess}`))).statusCode).toBe(401)
  const limited = await open(basic('jeton_100'))
  expect(limited.statusCode).toBe(429)
  expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0)
  expect(limited.body).toContain('rate_limited')
  expect(records.at(-1)).toMatchObject({ code: 'rate_limited', decision: 'refused' })
  expect((await open(basic(nightShift.key))).statusCode).toBe(200)
  expect(eventsOf(log)).toEqual(['console_opened'])
})
