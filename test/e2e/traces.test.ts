import { once } from 'node:events'
import { mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { startServers } from './servers.ts'

/** A span as OTLP's JSON has it: https://opentelemetry.io/docs/specs/otlp/ */
interface Span {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly status: { readonly code: number }
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[]
}

const SERVER_KIND = 2
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

const spans: Span[] = []
const bodies: string[] = []
const collector = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', text => {
    body += text
  })
  request.on('end', () => {
    bodies.push(body)
    const { resourceSpans } = JSON.parse(body) as {
      resourceSpans: { scopeSpans: { scope: { name: string }; spans: Span[] }[] }[]
    }
    for (const { scopeSpans } of resourceSpans)
      for (const scope of scopeSpans) if (scope.scope.name === 'jeton') spans.push(...scope.spans)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
})
let tracing: { node: string[]; env: Record<string, string> }

beforeAll(async () => {
  await once(collector.listen(0, '127.0.0.1'), 'listening')
  const { port } = collector.address() as AddressInfo
  const folder = await mkdtemp(join(tmpdir(), 'tracing-'))
  const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
  await symlink(modules, join(folder, 'node_modules'))
  const page = await readDocsPage('operations')
  await writeFile(join(folder, 'tracing.mjs'), exampleIn(page, 'tracing'))
  // what the example starts is asked for its environment, and the server is started with that
  await writeFile(join(folder, 'jeton'), '#!/bin/sh\nenv', { mode: 0o755 })
  const { stdout } = await run('sh', ['-ec', exampleIn(page, 'tracing-start')], {
    env: { PATH: `${folder}:${process.env.PATH}` },
  })
  const lines = stdout.split('\n').filter(line => /^(?:OTEL_|NODE_OPTIONS=)/.test(line))
  const { NODE_OPTIONS = '', ...env } = Object.fromEntries(lines.map(line => line.split(/=(.*)/, 2)))
  expect(env).toHaveProperty('OTEL_EXPORTER_OTLP_ENDPOINT')
  tracing = {
    node: [process.execPath, '--preserve-symlinks'],
    env: {
      ...env,
      NODE_OPTIONS: NODE_OPTIONS.replace('./', `${folder}/`),
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    },
  }
})
afterAll(() => {
  collector.closeAllConnections()
  collector.close()
})

const factsOf = ({ attributes }: Span) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

test('a request becomes a span of its caller’s trace, with what it waited for below it, and nothing secret', async () => {
  const { startServer, bearer, auditRecords, environment } = await startServers(onTestFinished)
  const env = { ...environment().serverEnv, ...tracing.env }
  const jeton = await startServer({}, { node: tracing.node, env })
  const authorization = await bearer()
  const ask = async (headers: Record<string, string>, database = 'orders') => {
    const reply = await fetch(`${jeton.url}/v1/tokens`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ database }),
    })
    return (await reply.json()) as { token?: string; auditId?: string }
  }
  const traceparent = `00-${TRACE}-${PARENT}-01`
  const { token = '', auditId } = await ask({ traceparent })
  await ask({})
  await ask({}, 'made-up')

  const requests = () => spans.filter(({ kind }) => kind === SERVER_KIND)
  await expect.poll(() => requests().length).toBe(3)
  const [first, second, third] = requests().map(span => ({ ...span, facts: factsOf(span) }))
  expect(first).toMatchObject({ name: 'POST', traceId: TRACE, parentSpanId: PARENT })
  expect(first?.facts).toEqual({
    'http.request.method': 'POST',
    'http.route': '/v1/tokens',
    'http.response.status_code': 200,
    'jeton.audit_id': auditId,
    'jeton.issuer': 'ci',
    'jeton.grant': expect.any(String),
    'jeton.database': 'orders',
    'jeton.user': 'migrator',
    'jeton.cached': false,
  })
  const below = spans.filter(({ traceId, kind }) => traceId === TRACE && kind !== SERVER_KIND)
  const names = [
    'jeton.assume_role',
    'jeton.audit',
    'jeton.authenticate',
    'jeton.vend',
    'jeton.wait_for_slot',
  ]
  expect(
    [...new Set(below.map(({ name }) => name))].filter(name => name !== 'jeton.fetch_keys').sort(),
  ).toEqual(names)
  const vend = below.find(({ name }) => name === 'jeton.vend')
  expect(vend?.parentSpanId).toBe(first?.spanId)
  expect(below.find(({ name }) => name === 'jeton.assume_role')?.parentSpanId).toBe(vend?.spanId)

  // without a header, the trace is jeton's own
  expect(second?.facts).toMatchObject({ 'jeton.cached': true, 'jeton.database': 'orders' })
  expect(third?.facts).toMatchObject({ 'jeton.code': 'access_denied', 'http.response.status_code': 403 })
  expect(third?.facts).not.toHaveProperty(['jeton.database'])
  const recorded = () => auditRecords().then(records => records.map(({ traceId }) => traceId))
  await expect.poll(recorded).toEqual([TRACE, second?.traceId, third?.traceId])

  environment().sts.faults.failing = true
  const failed = await jeton.requestToken(authorization, { database: 'ledger' })
  expect(failed.status).toBe(503)
  const line = JSON.parse(await jeton.logged('assume_role_failed'))
  await expect.poll(() => requests().find(({ traceId }) => traceId === line.traceId)?.status.code).toBe(2)

  const signature = new URL(`https://${token}`).searchParams.get('X-Amz-Signature') ?? 'none'
  const sent = bodies.join()
  expect(sent).toContain('{"key":"service.name","value":{"stringValue":"jeton"}}')
  for (const secret of [authorization, authorization.split('.')[1], token, signature, 'made-up'])
    expect(sent).not.toContain(secret)
})

test('spans that no batch has sent yet are sent when jeton stops, also of the request that it waits for', async () => {
  const { startServer, bearer, environment } = await startServers(onTestFinished)
  const env = { ...environment().serverEnv, ...tracing.env, OTEL_BSP_SCHEDULE_DELAY: '60000' }
  const jeton = await startServer({}, { node: tracing.node, env })
  spans.length = 0
  const { sts } = environment()
  sts.faults.delayMs = 500
  const reply = jeton.requestToken(await bearer(), { database: 'orders' })
  await expect.poll(() => sts.calls.length).toBe(1)
  jeton.process.kill('SIGTERM')
  expect((await reply).status).toBe(200)
  await jeton.ended
  expect(spans.filter(({ kind }) => kind === SERVER_KIND)).toMatchObject([{ name: 'POST' }])
})

test('a collector that never answers delays no vend, and the end by no more than it may', async () => {
  const silent = createServer(() => {})
  await once(silent.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    silent.closeAllConnections()
    silent.close()
  })
  const reached = once(silent, 'request')
  const { startServer, bearer, environment } = await startServers(onTestFinished)
  const { port } = silent.address() as AddressInfo
  const ownEnv = { ...tracing.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` }
  const jeton = await startServer({}, { node: tracing.node, env: { ...environment().serverEnv, ...ownEnv } })
  const authorization = await bearer()
  const ask = async () => (await jeton.requestToken(authorization, { database: 'orders' })).status
  expect(await ask()).toBe(200)
  await reached
  // more spans than wait for a collector
  for (let round = 0; round < 6; round++) {
    const statuses = await Promise.all(Array.from({ length: 200 }, ask))
    expect(new Set(statuses)).toEqual(new Set([200]))
  }
  jeton.process.kill('SIGTERM')
  expect(await jeton.ended).toBe(0)
})

test('without OpenTelemetry, the trace is in the record and in what is logged meanwhile, and only there', async () => {
  const { startServer, bearer, auditRecords, environment } = await startServers(onTestFinished)
  const jeton = await startServer()
  const authorization = await bearer()
  const ask = (database: string, headers = {}) =>
    fetch(`${jeton.url}/v1/tokens`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ database }),
    })
  environment().sts.faults.failing = true
  await ask('ledger', { traceparent: `00-${TRACE}-${PARENT}-00` })
  expect(JSON.parse(await jeton.logged('assume_role_failed'))).toMatchObject({ traceId: TRACE })
  environment().sts.faults.failing = false
  await ask('orders')
  const [failed, vended] = await auditRecords()
  expect(failed).toMatchObject({ decision: 'failed', traceId: TRACE })
  expect(vended).toMatchObject({ decision: 'vended' })
  expect(vended).not.toHaveProperty('traceId')
})
