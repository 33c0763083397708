import { expect, test } from 'vitest'
import { createAgentHealth } from '../../../src/client/agent/agent-health.ts'
import { CALLER_LOG_EVENTS } from '../../../src/telemetry/caller-log-events.ts'
import { readDocsPage, sectionOf } from '../../support/markdown.ts'

const page = await readDocsPage('agent')
const namesIn = (section: string) =>
  [...sectionOf(page, section).matchAll(/^\| `(\w+)/gm)].map(([, name]) => name)

test('docs/agent.md lists every event code of an agent, and no other', () => {
  expect(namesIn('The log')).toEqual(CALLER_LOG_EVENTS.filter(event => event.startsWith('agent_')))
})

test('docs/agent.md lists every metric of an agent, and no other', () => {
  const parts = {
    isStarted: () => true,
    logins: () => [],
    files: () => [],
    noticeFailures: () => 0,
    clock: { now: () => 0 },
  }
  expect(namesIn('Whether it is well')).toEqual(
    createAgentHealth(parts)
      .metrics()
      .map(({ name }) => name),
  )
})
