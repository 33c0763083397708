import { expect, test } from 'vitest'
import { example } from './example.ts'
import { WALLS, wallProblems } from './walls.ts'

test('lib/ imports itself, packages, and types of telemetry', () => {
  const files = example({
    'src/lib/deadline.ts':
      "import './clock.ts'\nimport 'node:timers'\nimport type { Log } from '../telemetry/log.ts'",
  })
  expect(wallProblems(files)).toEqual([])
})

test('lib/ that knows anything of jeton is reported', () => {
  const files = example({
    'src/lib/deadline.ts':
      "import { JetonError } from '../errors.ts'\nimport { log } from '../telemetry/log.ts'",
    'src/lib/hash.ts': "import type { Token } from '../tokens/token.ts'",
  })
  expect(wallProblems(files)).toEqual([
    'src/lib/deadline.ts imports src/errors.ts, but lib/ knows nothing of jeton',
    'src/lib/deadline.ts imports src/telemetry/log.ts, but lib/ knows nothing of jeton (a type of it would do)',
    'src/lib/hash.ts imports src/tokens/token.ts, but lib/ knows nothing of jeton',
  ])
})

test('client/ imports lib, rds, errors and types of telemetry', () => {
  const files = example({
    'src/client/request-token.ts': `
      import './http.ts'
      import '../lib/deadline.ts'
      import '../rds/endpoint.ts'
      import { UsageError } from '../errors.ts'
      import type { Log } from '../telemetry/log.ts'
    `,
  })
  expect(wallProblems(files)).toEqual([])
})

test('client/ that knows the server is reported, types included, though the floors would let it', () => {
  const files = example({
    'src/client/environment.ts': "import type { Config } from '../config/config.ts'\nimport '../aws/sts.ts'",
    'src/cli/token.ts': "import '../config/config.ts'",
  })
  expect(wallProblems(files)).toEqual([
    'src/client/environment.ts imports src/config/config.ts, but client/ runs at callers and knows nothing of the server',
    'src/client/environment.ts imports src/aws/sts.ts, but client/ runs at callers and knows nothing of the server',
  ])
})

test('a wall stands around one place once', () => {
  const places = WALLS.map(({ place }) => place)
  expect(new Set(places).size).toBe(places.length)
})
