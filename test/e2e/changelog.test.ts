import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { run } from '../support/run.ts'
import { runCli } from '../support/service/jeton.ts'

const TOP = fileURLToPath(new URL('../../', import.meta.url))

test('CHANGELOG.md has the package version as its newest release, and so has the tag', async () => {
  const changelog = await readFile(`${TOP}CHANGELOG.md`, 'utf8')
  const [first, ...releases] = [...changelog.matchAll(/^## (.*)$/gm)].map(([, title = '']) => title)
  expect(first).toBe('[Unreleased]')
  for (const release of releases) expect(release).toMatch(/^\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/)
  const released = releases.slice(0, 1).map(release => /[\d.]+/.exec(release)?.[0])
  // There are no tags if this is not a clone.
  const { stdout } = await run('git', ['-C', TOP, 'tag', '--points-at', 'HEAD', '--list', 'v[0-9]*.*'])
  const tagged = stdout
    .split('\n')
    .filter(Boolean)
    .map(tag => tag.slice(1))
  for (const version of [...released, ...tagged]) expect(version).toBe(manifest.version)
  if (tagged.length > 0) expect(released).toEqual(tagged)
  expect((await runCli(['--version'])).stdout.trim()).toBe(manifest.version)
})
