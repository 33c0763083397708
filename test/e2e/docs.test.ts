import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { readArguments } from '../bench/arguments.ts'
import { readTests } from '../house/source-files.ts'
import { linksIn } from '../support/markdown.ts'

const TOP = new URL('../../', import.meta.url)
const pages = new Map<string, string>()
for (const path of [
  'README.md',
  'SECURITY.md',
  ...(await readdir(new URL('docs/', TOP), { recursive: true })).map(name => `docs/${name}`),
])
  if (path.endsWith('.md')) pages.set(path, await readFile(new URL(path, TOP), 'utf8'))

const [, table = ''] = /^const BENCHMARKS.*\n([\s\S]*?)^}/m.exec(
  await readFile(new URL('test/bench/main.ts', TOP), 'utf8'),
) ?? ['']
const BENCHMARKS = [...table.matchAll(/^ {2}'?([\w-]+)/gm)].map(([, name = '']) => name)

const page = (name: string) => pages.get(name) ?? expect.unreachable(`there is no ${name}`)
const exists = (path: string) => existsSync(new URL(path, TOP))

describe.each([...pages])('%s', (_, text) => {
  test('names only scripts, benchmarks and files that exist', () => {
    for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g))
      expect(Object.keys(manifest.scripts)).toContain(script)
    const benchmarks = [...text.matchAll(/npm run bench -- ([\w-]+)/g)].map(([, name = '']) => name)
    expect(() => readArguments(benchmarks, BENCHMARKS)).not.toThrow()
    const files = [...text.matchAll(/(?<![\w./-])(?:src|test|docs|handlers)\/[\w./-]*[\w/]/g)].map(
      ([file]) => file,
    )
    for (const file of files) expect(exists(file), file).toBe(true)
  })
})

test.each(['docs/operations.md', 'docs/configuration.md', 'docs/cli.md', 'deploy/README.md'])(
  'what %s marks as an example is run or parsed by a test',
  async path => {
    const text = await readFile(new URL(path, TOP), 'utf8')
    const names = [...text.matchAll(/^<!-- example: (.+) -->$/gm)].map(([, name = '']) => name)
    expect(names).not.toEqual([])
    const tests = readTests().filter(each => each.text.includes('exampleIn('))
    expect(names.filter(name => !tests.some(each => each.text.includes(`'${name}'`)))).toEqual([])
  },
)

test('README.md links to every page but those that docs/connect/README.md lists, and names only files of src/tokens that exist', () => {
  const targets = linksIn(page('README.md'))
  for (const path of pages.keys())
    if (path !== 'README.md' && !/^docs\/connect\/(?!README)/.test(path)) expect(targets).toContain(path)
  const [diagram = ''] = /^request[\s\S]*?^```/m.exec(page('README.md')) ?? []
  const places = [...diagram.matchAll(/^ {6}\w[\w ]*? {2,}([\w-]+(?:\.ts|\/))/gm)].map(([, place]) => place)
  expect(places).toHaveLength(4)
  for (const place of places) expect(exists(`src/tokens/${place}`), place).toBe(true)
})
