import { type CloudEvent, HTTP } from 'cloudevents'
import { expect, test } from 'vitest'
import { formatOcsf } from '../../../src/audit/ocsf.ts'
import { parseRecord } from '../../../src/audit/parsed-record.ts'
import { FORWARD_FORMATS } from '../../../src/cli/forward/formats.ts'
import { parsed, record } from '../../audit/support.ts'
import { HOSTILE_CHARACTERS, RAW } from '../../support/hostile-text.ts'

const LIFECYCLE =
  '{"type":"jeton.audit.started","v":1,"id":"s1","time":"2026-11-23T10:00:00.000Z","instance":"web-1:7","jeton":"0.1.0"}'
const HOSTILE = Object.values(HOSTILE_CHARACTERS).join('x')

const RECORDS = [
  parsed(
    record({
      id: 'v1',
      instance: 'web-1:7',
      principal: { issuer: 'ci', subject: 'repo:acme/orders', claims: { ref: 'refs/heads/main' } },
      fingerprint: 'f'.repeat(64),
    }),
  ),
  parseRecord(LIFECYCLE) ?? expect.fail(),
  parsed(
    record({
      id: 'h1',
      decision: 'refused',
      principal: { issuer: 'ci', subject: `\n${HOSTILE}` },
      userAgent: HOSTILE,
    }),
  ),
]

function bodyOf(format: string, records = RECORDS) {
  const { contentType, render } = FORWARD_FORMATS[format] ?? expect.fail()
  return { contentType, body: render(records) }
}

function eventsOf(records = RECORDS): CloudEvent<Record<string, unknown>>[] {
  const { contentType, body } = bodyOf('cloudevents', records)
  return HTTP.toEvent({ headers: { 'content-type': contentType }, body }) as CloudEvent<
    Record<string, unknown>
  >[]
}

test('a batch of CloudEvents is one to the library of the specification', () => {
  const events = eventsOf()
  expect(events.map(event => event.validate())).toEqual([true, true, true])
  expect(
    events.map(({ id, type, source, subject, time }) => ({ id, type, source, subject, time })),
  ).toMatchObject([
    {
      id: 'v1',
      type: 'jeton.audit.vended',
      source: '/jeton/web-1%3A7',
      subject: 'ci/repo:acme/orders',
      time: '2026-11-23T10:00:00.000Z',
    },
    { id: 's1', type: 'jeton.audit.started', source: '/jeton/web-1%3A7', subject: undefined },
    { id: 'h1', type: 'jeton.audit.refused', source: '/jeton/' },
  ])
  expect(events.map(({ data }) => data)).toEqual(RECORDS.map(({ line }) => JSON.parse(line)))
})

test('nothing of a hostile record leaves its place', () => {
  for (const format of Object.keys(FORWARD_FORMATS))
    for (const line of bodyOf(format).body.split('\n')) expect(line).not.toMatch(RAW)
  // the specification allows no control in an attribute; the record itself is unchanged
  const [, , hostile] = eventsOf()
  expect(hostile?.subject).not.toMatch(RAW)
  expect(hostile?.data).toMatchObject({ principal: { subject: `\n${HOSTILE}` } })
})

test.each([
  ['an id that is empty', { id: '' }],
  ['an instance that is a list', { id: 'a', instance: ['x'] }],
  ['a decision that is none', { id: 'a', decision: 7 }],
  ['a principal that is text', { id: 'a', principal: 'x' }],
  ['a principal without a name', { id: 'a', principal: { issuer: 1, subject: '' } }],
])('a record that jeton did not write makes an event all the same: %s', (_, members) => {
  const line = JSON.stringify({ type: 'jeton.audit', time: '2026-11-23T10:00:00Z', ...members })
  const records = [parseRecord(line) ?? expect.fail()]
  expect(eventsOf(records).map(event => event.validate())).toEqual([true])
})

test('OCSF and JSON are a line for each record', () => {
  expect(bodyOf('ocsf')).toEqual({
    contentType: 'application/x-ndjson',
    body: RECORDS.map(each => `${formatOcsf(each)}\n`).join(''),
  })
  expect(bodyOf('json').body).toBe(RECORDS.map(({ line }) => `${line}\n`).join(''))
})
