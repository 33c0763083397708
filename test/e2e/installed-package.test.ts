import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import lockfile from '../../package-lock.json' with { type: 'json' }
import { startDevServer } from '../support/service/dev-server.ts'
import { runCli } from '../support/service/jeton.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** Packages that `npm install --omit=dev` installs beside jeton, by their folders. */
const productionFolders = Object.entries(lockfile.packages)
  .filter(([path, entry]) => path.lastIndexOf('node_modules/') === 0 && !('dev' in entry))
  .map(([path]) => path)

let folder: string
let cli: string
/** Installs what `npm pack` makes as npm would: the files of the package, and links to its dependencies alone. */
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'jeton-test-')))
  // without its script, which would build anew under the other tests
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
  })
  const [{ filename }] = JSON.parse(stdout)
  const installed = join(folder, 'node_modules/jeton')
  await mkdir(installed, { recursive: true })
  await run('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components=1'])
  for (const path of productionFolders) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await symlink(join(ROOT, path), join(folder, path))
  }
  const { bin } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
  await mkdir(join(folder, 'node_modules/.bin'))
  cli = join(folder, 'node_modules/.bin/jeton')
  await symlink(join(installed, bin.jeton), cli)
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

test('the package is installed without development dependencies', async () => {
  const packages = await readdir(join(folder, 'node_modules'))
  expect(packages).toContain('fastify')
  for (const name of ['dynalite', 'pg', 'tsx', 'vitest', 'typescript']) expect(packages).not.toContain(name)
})

test('jeton demo runs from it', async () => {
  const { code, stdout, stderr } = await runCli(['demo', '--once'], { cli, cwd: folder })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('RDS would say:   accepted as')
  expect(stdout).toContain('jeton audit verify: ok')
}, 60_000)

test('jeton serve --dev runs from it, and jeton token gets a token', async () => {
  const server = await startDevServer({ cli, cwd: folder })
  const env = { JETON_URL: server.url, JETON_JWT: await server.jwtOf('ci') }
  const { code, stdout, stderr } = await runCli(['token', 'orders', '-o', 'json'], { cli, cwd: folder, env })
  await server.close()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ database: 'orders', user: 'migrator', grant: 'orders-deploy' })
}, 60_000)

test('the bundle for Lambda has none of the stand-ins', async () => {
  const textsOf = async (path: string) => {
    const names = await readdir(join(ROOT, path), { recursive: true })
    const files = names.filter(name => /\.m?js$/.test(name)).map(name => join(ROOT, path, name))
    return Promise.all(files.map(file => readFile(file, 'utf8')))
  }
  const isStandIn = (text: string) =>
    text.includes('This stand-in knows') || text.includes('stand_ins_in_use')
  expect((await textsOf('dist')).some(isStandIn)).toBe(true)
  const lambda = await textsOf('dist/lambda')
  expect(lambda.some(text => text.includes('jeton cannot start'))).toBe(true)
  expect(lambda.some(isStandIn)).toBe(false)
})
