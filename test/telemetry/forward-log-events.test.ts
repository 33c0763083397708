import { expect, test } from 'vitest'
import { createForwardState } from '../../src/cli/forward/forward-state.ts'
import { CALLER_LOG_EVENTS } from '../../src/telemetry/caller-log-events.ts'
import { namesIn, readDocsPage, sectionOf } from '../support/markdown.ts'

const section = sectionOf(await readDocsPage('operations'), 'Forwarding it')

test('docs/operations.md has every event and metric of `jeton audit forward`', () => {
  const names = namesIn(section).filter(name => /^(?:jeton_)?forward_/.test(name))
  expect(names.filter(name => name.startsWith('forward_'))).toEqual(
    CALLER_LOG_EVENTS.filter(event => event.startsWith('forward_')),
  )
  const { health } = createForwardState({ now: () => 0 })
  expect(names.filter(name => name.startsWith('jeton_'))).toEqual(health.metrics().map(({ name }) => name))
})
