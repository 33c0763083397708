import { expect, test } from 'vitest'
import { example } from './example.ts'
import { lazyModuleProblems } from './lazy-modules.ts'

const modules = [{ paths: ['src/aws/sts.ts', 'src/store/kms.ts'], because: 'the AWS SDK slows a cold start' }]
const sound = {
  'src/tokens/assume-role.ts': "const load = () => import('../aws/sts.ts')",
  'src/store/open-store.ts': "const load = () => import('./kms.ts')",
}

test('a lazy module that is loaded with import() is sound, and so are its types elsewhere', () => {
  const files = example({ ...sound, 'src/tokens/mint.ts': "import type { Sts } from '../aws/sts.ts'" })
  expect(lazyModuleProblems(files, modules)).toEqual([])
})

test.each([
  "import { createStsClient } from '../aws/sts.ts'",
  "import { type Sts, createStsClient } from '../aws/sts.ts'",
  "export * from '../aws/sts.ts'",
])('a lazy module that is imported at once is reported: %s', text => {
  expect(lazyModuleProblems(example({ ...sound, 'src/tokens/mint.ts': text }), modules)).toEqual([
    'src/tokens/mint.ts imports src/aws/sts.ts at once: use import(), because the AWS SDK slows a cold start',
  ])
})

test('a lazy module of another entry must not be imported at once by a lazy one', () => {
  const commands = { paths: ['src/cli/exec.ts'], because: 'a command loads only what it needs' }
  const files = example({
    ...sound,
    'src/cli/exec.ts': "import '../aws/sts.ts'",
    'handlers/caller-commands.ts': "const load = () => import('../src/cli/exec.ts')",
  })
  expect(lazyModuleProblems(files, [...modules, commands])).toEqual([
    'src/cli/exec.ts imports src/aws/sts.ts at once: use import(), because the AWS SDK slows a cold start',
  ])
})

test('a lazy module may import another of its entry at once, since both load late', () => {
  const files = example({ ...sound, 'src/store/kms.ts': "import '../aws/sts.ts'" })
  expect(lazyModuleProblems(files, modules)).toEqual([])
})

test('a module that nothing imports lazily is reported', () => {
  const files = example({ ...sound, 'src/store/open-store.ts': '' })
  expect(lazyModuleProblems(files, modules)).toEqual([
    'src/store/kms.ts is not imported lazily: take it out of LAZY_MODULES',
  ])
})
