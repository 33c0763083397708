import { expect, test } from 'vitest'
import { example } from './example.ts'
import { PACKAGE_WALLS, packageWallProblems } from './package-walls.ts'

const walls = [
  { name: 'pino', places: ['src/telemetry/pino-log.ts'], because: 'Lambda logs without it' },
  { name: 'typebox', places: ['src/http/'], because: 'its schemas are there' },
]
const sound = {
  'src/telemetry/pino-log.ts': "import { pino } from 'pino'",
  'src/http/routes/ca.ts': "import * as Type from 'typebox'",
}

test('a package in its file or folder is sound, and so are its types, relative paths and Node itself elsewhere', () => {
  const files = example({
    ...sound,
    'src/telemetry/log.ts': "import type { Logger } from 'pino'\nimport './json-log.ts'\nimport 'node:fs'",
  })
  expect(packageWallProblems(files, walls)).toEqual([])
})

test.each([
  "import { pino } from 'pino'",
  "import { type Logger, pino } from 'pino'",
  "const load = () => import('pino')",
  "export { pino } from 'pino'",
])('a package imported by value elsewhere is reported, lazily or not: %s', text => {
  expect(packageWallProblems(example({ ...sound, 'src/http/app.ts': text }), walls)).toEqual([
    'src/http/app.ts imports pino by value, which only src/telemetry/pino-log.ts may: Lambda logs without it',
  ])
})

test('a package without a wall is reported, and a path within a package is another package', () => {
  const files = example({
    ...sound,
    'src/http/app.ts': "import { Value } from 'typebox/value'",
    'infra/build.cjs': "require('tsx')",
  })
  expect(packageWallProblems(files, walls)).toEqual([
    'src/http/app.ts imports typebox/value: say in PACKAGE_WALLS which files may, and why',
    'infra/build.cjs imports tsx: say in PACKAGE_WALLS which files may, and why',
  ])
})

test('a place that does not need its package any more is reported', () => {
  const files = example({ ...sound, 'src/telemetry/pino-log.ts': "import type { Logger } from 'pino'" })
  expect(packageWallProblems(files, walls)).toEqual([
    'src/telemetry/pino-log.ts does not import pino by value: take it out of PACKAGE_WALLS',
  ])
})

test('a package has one wall', () => {
  const names = PACKAGE_WALLS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
