import { expect, test } from 'vitest'
import { example } from './example.ts'
import { FLOORS, floorProblems, placeOf } from './floors.ts'

test('imports that run down or stay in their place are sound', () => {
  const files = example({
    'handlers/server.ts':
      "import '../src/service.ts'\nimport './cli.ts'\nimport manifest from '../package.json'",
    'handlers/cli.ts': "const load = () => import('../src/cli/check.ts')",
    'infra/dashboard.ts': "import type { Config } from '../src/config/config.ts'",
    'src/service.ts': "import './http/app.ts'\nimport './errors.ts'",
    'src/tokens/rate-limit/slots.ts':
      "import '../token-store.ts'\nimport '../../store/store.ts'\nimport 'node:fs'",
  })
  expect(floorProblems(files)).toEqual([])
})

test.each([
  ['src/tokens/mint.ts', "import { vend } from '../vending/vend-token.ts'"],
  ['src/tokens/mint.ts', "import type { Vend } from '../vending/vend-token.ts'"],
  ['src/tokens/mint.ts', "const vend = () => import('../vending/vend-token.ts')"],
  ['src/tokens/rate-limit/slots.ts', "type Vend = import('../../vending/vend-token.ts').Vend"],
])('imports that lead up are reported: %s, %s', (path, text) => {
  expect(floorProblems(example({ [path]: text }))).toEqual([
    `${path} imports src/vending/vend-token.ts, which is on a floor above it: imports run down`,
  ])
})

test.each([
  ['src/http/app.ts', "import '../cli/token.ts'", 'src/cli/token.ts', 'src/http, src/console, src/cli'],
  ['src/audit/audit-log.ts', "import '../store/store.ts'", 'src/store/store.ts', 'src/audit, src/store'],
  ['src/rds/address.ts', "import '../aws/sts.ts'", 'src/aws/sts.ts', 'src/authentication, src/rds, src/aws'],
  ['infra/dashboard.ts', "import '../handlers/cli.ts'", 'handlers/cli.ts', 'handlers, infra'],
  ['infra/build.cjs', "require('../handlers/cli.ts')", 'handlers/cli.ts', 'handlers, infra'],
])('imports that lead sideways are reported: %s, %s', (path, text, target, floor) => {
  expect(floorProblems(example({ [path]: text }))).toEqual([
    `${path} imports ${target}, which is beside it: the places of one floor (${floor}) stay apart`,
  ])
})

test('a file on no floor is reported once, and so is an import that leaves the house', () => {
  const files = example({
    'src/helpers/misc.ts': '',
    'src/http/app.ts': "import '../helpers/misc.ts'\nimport '../../test/support/clock.ts'",
  })
  expect(floorProblems(files)).toEqual([
    'src/helpers/misc.ts is on no floor: move it, or add its folder to FLOORS',
    'src/http/app.ts imports test/support/clock.ts, which is on no floor',
  ])
})

test('an import that is worked out at run time is reported, for nobody can check it', () => {
  expect(
    floorProblems(example({ 'src/http/app.ts': 'const load = (name: string) => import(name)' })),
  ).toEqual(['src/http/app.ts works out at run time what it imports: write it down'])
})

test('a place is a file or a whole folder, and on one floor only', () => {
  expect(placeOf('src/lib/clock.ts')).toBe('src/lib')
  expect(placeOf('src/library/clock.ts')).toBeUndefined()
  expect(placeOf('src/errors.ts')).toBe('src/errors.ts')
  const places = FLOORS.flat()
  expect(new Set(places).size).toBe(places.length)
})
