import { expect, test } from 'vitest'
import { circleProblems } from './circles.ts'
import { example } from './example.ts'

test('imports that never come back are sound, however often a file is reached', () => {
  const files = example({
    'src/a.ts': "import './b.ts'\nimport './c.ts'",
    'src/b.ts': "import './d.ts'",
    'src/c.ts': "import './d.ts'\nimport 'pino'",
    'src/d.ts': "import './missing.ts'",
  })
  expect(circleProblems(files)).toEqual([])
})

test('a circle is reported once, from the path that sorts first', () => {
  const files = example({
    'src/c.ts': "import './a.ts'",
    'src/b.ts': "import './c.ts'",
    'src/a.ts': "import './b.ts'",
    'src/outside.ts': "import './a.ts'",
  })
  expect(circleProblems(files)).toEqual([
    'src/a.ts → src/b.ts → src/c.ts → src/a.ts is a circle: move what they share below both',
  ])
})

test('a circle of types alone is reported, and so is a lazy one', () => {
  const files = example({
    'src/a.ts': "import type { B } from './b.ts'",
    'src/b.ts': "type A = import('./a.ts').A",
    'src/c.ts': "const load = () => import('./d.ts')",
    'src/d.ts': "export type { C } from './c.ts'",
  })
  expect(circleProblems(files).map(problem => problem.replace(/ is a circle.*/, ''))).toEqual([
    'src/a.ts → src/b.ts → src/a.ts',
    'src/c.ts → src/d.ts → src/c.ts',
  ])
})

test('a file that imports itself is a circle', () => {
  expect(circleProblems(example({ 'src/a.ts': "import './a.ts'" }))[0]).toContain('src/a.ts → src/a.ts')
})

test('circles that share a file are each reported', () => {
  const files = example({
    'src/a.ts': "import './b.ts'\nimport './c.ts'",
    'src/b.ts': "import './a.ts'",
    'src/c.ts': "import './a.ts'",
  })
  expect(circleProblems(files)).toHaveLength(2)
})
