import { expect, test } from 'vitest'
import { example } from './example.ts'
import { specifierProblems } from './specifiers.ts'

test('imports that name a file with its own extension are sound, and so are packages', () => {
  const files = example({
    'src/lib/clock.ts': "import { join } from 'node:path'\nimport { pino } from 'pino'",
    'src/lib/hash.ts': "import './clock.ts'\nimport manifest from '../../package.json' with { type: 'json' }",
    'infra/configured.cjs': "require('./build.cjs')",
  })
  expect(specifierProblems(files)).toEqual([])
})

test.each([
  ["import { systemClock } from './clock.js'", './clock.js'],
  ["import type { Clock } from './clock'", './clock'],
  ["const load = () => import('./clock.js')", './clock.js'],
  ["export * from '../lib'", '../lib'],
])('an import by another name is reported: %s', (text, specifier) => {
  const files = example({ 'src/lib/clock.ts': '', 'src/lib/hash.ts': text })
  expect(specifierProblems(files)).toEqual([
    `src/lib/hash.ts imports '${specifier}': name the file with its own extension`,
  ])
})
