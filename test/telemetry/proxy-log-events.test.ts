import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { CALLER_LOG_EVENTS } from '../../src/telemetry/caller-log-events.ts'
import { readSources } from '../house/source-files.ts'

const events = CALLER_LOG_EVENTS.filter(event => event.startsWith('proxy_'))

test('docs/proxy.md lists every event of the proxy, and no other', async () => {
  const text = await readFile('docs/proxy.md', 'utf8')
  const listed = [...text.matchAll(/^\| `(proxy_[a-z_]+)` \|/gm)].map(([, event]) => event)
  expect(listed).toEqual(events)
})

test.each(events)('the event %s is written somewhere', event => {
  const texts = readSources().filter(({ path }) => !path.endsWith('log-events.ts'))
  expect(texts.some(({ text }) => text.includes(`'${event}'`))).toBe(true)
})

test('docs/proxy.md lists every metric of the proxy, and no other', async () => {
  const text = await readFile('docs/proxy.md', 'utf8')
  const source = await readFile('src/client/proxy/proxy-metrics.ts', 'utf8')
  const namesIn = (part: string, pattern: RegExp) =>
    new Set([...part.matchAll(pattern)].map(([, name]) => name))
  expect(namesIn(text, /`(jeton_proxy_[a-z_]+)/g)).toEqual(namesIn(source, /'(jeton_proxy_[a-z_]+)'/g))
})
