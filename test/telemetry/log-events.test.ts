import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LOG_EVENTS } from '../../src/telemetry/log-events.ts'

test('event codes are in snake_case and in alphabetical order, each once', () => {
  expect(LOG_EVENTS.filter(event => !/^[a-z]+(_[a-z]+)*$/.test(event))).toEqual([])
  expect([...new Set(LOG_EVENTS)].sort()).toEqual([...LOG_EVENTS])
})

test.each(LOG_EVENTS)('the event %s is written somewhere', async event => {
  expect(
    (await sources()).filter(text => text.includes(`'${event}'`) || text.includes(`${event}:`)),
  ).not.toEqual([])
})

test('docs/operations.md lists every event code, and no other', async () => {
  const text = await readFile('docs/operations.md', 'utf8')
  const section = text.split("## The program's log")[1]?.split(/^## /m)[0] ?? ''
  const listed = [...section.matchAll(/^\| `([a-z_]+)`/gm)].map(([, event]) => event)
  expect(listed).toEqual([...LOG_EVENTS])
})

async function sources(): Promise<string[]> {
  const files = await Promise.all(
    ['src', 'handlers'].map(async folder =>
      (await readdir(folder, { recursive: true })).map(name => join(folder, name)),
    ),
  )
  const code = files.flat().filter(name => name.endsWith('.ts') && !name.endsWith('log-events.ts'))
  return Promise.all(code.map(name => readFile(name, 'utf8')))
}
