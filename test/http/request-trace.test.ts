import { expect, test } from 'vitest'
import { startApi } from '../support/service/app.ts'
import { requestToken } from './support.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`

test('the trace of a request is in its record: of a new token, of one from the cache, and of a refusal', async () => {
  const api = await startApi()
  const authorization = await api.bearer()
  for (const body of [{ database: 'orders' }, { database: 'orders' }, { database: 'none' }])
    await requestToken(api, { authorization, headers: { traceparent }, body })
  await requestToken(api, { authorization: 'Bearer bad', headers: { traceparent } })
  const seen = api.records.map(({ decision, cached, code, traceId }) => [decision, cached ?? code, traceId])
  expect(seen).toEqual([
    ['vended', false, TRACE],
    ['vended', true, TRACE],
    ['refused', 'access_denied', TRACE],
    ['refused', 'unauthenticated', TRACE],
  ])
})

test('a header that is no trace is ignored, and never quoted', async () => {
  const api = await startApi()
  const authorization = await api.bearer()
  await requestToken(api, { authorization, headers: { traceparent: `${traceparent}"},{` } })
  expect(api.records).toMatchObject([{ decision: 'vended' }])
  expect(api.records[0]).not.toHaveProperty('traceId', expect.anything())
})

test('the line of a bug names the trace', async () => {
  const api = await startApi({
    vend: async () => {
      throw new TypeError('a bug')
    },
  })
  const { status } = await requestToken(api, { authorization: await api.bearer(), headers: { traceparent } })
  expect(status).toBe(500)
  const fields = expect.objectContaining({ event: 'request_failed', traceId: TRACE })
  expect(api.log.lines).toContainEqual(expect.objectContaining({ fields }))
  expect(api.records).toMatchObject([{ decision: 'failed', code: 'internal_error', traceId: TRACE }])
})
