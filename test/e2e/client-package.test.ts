import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { type ApiStub, sampleReply, someJwt, startApiStub } from '../support/service/api-stub.ts'

/** The package `jeton-client` as `npm pack` makes it, installed into an empty folder without a registry. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
const run = promisify(execFile)

let folder: string
let installed: string
let added: number
let api: ApiStub
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'jeton-client-')))
  api = await startApiStub()
  const { stdout } = await run('npm', ['pack', './dist/client', '--json', '--pack-destination', folder], {
    cwd: ROOT,
  })
  const [{ filename }] = JSON.parse(stdout)
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  // an empty cache and no registry: whatever is not in the package would fail
  const flags = ['--offline', '--cache', join(folder, '.npm'), '--no-audit', '--no-fund', '--json']
  const report = await run('npm', ['install', ...flags, join(folder, filename)], { cwd: folder })
  added = JSON.parse(report.stdout).added
  installed = join(folder, 'node_modules/jeton-client')
}, 120_000)
afterAll(async () => {
  await api.close()
  await rm(folder, { recursive: true, force: true })
})

const callerEnv = () => ({ PATH: process.env.PATH ?? '', JETON_URL: api.url, JETON_JWT: someJwt() })

test('is one package, with what its licences ask for', async () => {
  expect(added).toBe(1)
  const packageJson = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
  expect(packageJson).toMatchObject({
    name: 'jeton-client',
    version: manifest.version,
    license: 'Apache-2.0',
  })
  expect(Object.keys(packageJson).filter(name => /dependencies|scripts/i.test(name))).toEqual([])
  const files = await readdir(installed)
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'THIRD-PARTY-NOTICES', 'jeton.mjs']))
  const notices = await readFile(join(installed, 'THIRD-PARTY-NOTICES'), 'utf8')
  expect(notices).toMatch(/^commander \d[\d.]* \(MIT\)$/m)
})

test('has the command', async () => {
  // without npm's own variables, which tests that npx runs would pass on
  const version = await run('npx', ['--offline', 'jeton', '--version'], { cwd: folder, env: callerEnv() })
  expect(version).toEqual({ stdout: `${manifest.version}\n`, stderr: '' })
  const reply = sampleReply()
  api.answers = [{ body: reply }]
  const token = await run('npx', ['--offline', 'jeton', 'token', 'orders'], { cwd: folder, env: callerEnv() })
  expect(token).toEqual({ stdout: `${reply.token}\n`, stderr: '' })
})

/** The same library is in the package `jeton`, which has its dependencies beside it. */
describe.each(['jeton-client', 'jeton/client'])('the library %s', name => {
  let place: string
  beforeAll(async () => {
    place = await mkdtemp(join(folder, 'consumer-'))
    await mkdir(join(place, 'node_modules'), { recursive: true })
    await writeFile(join(place, 'package.json'), '{"private":true,"type":"module"}')
    await symlink(join(ROOT, 'node_modules/@types'), join(place, 'node_modules/@types'))
    if (name === 'jeton-client') return symlink(installed, join(place, 'node_modules/jeton-client'))
    const jeton = join(place, 'node_modules/jeton')
    await mkdir(jeton)
    for (const part of ['package.json', 'dist'])
      await cp(join(ROOT, part), join(jeton, part), { recursive: true })
  })

  test('gets a token', async () => {
    const reply = sampleReply()
    api.answers = [{ body: reply }]
    const script = `import { createTokens } from '${name}'
      const orders = createTokens({ database: 'orders' })
      process.stdout.write(await orders.password())`
    await writeFile(join(place, 'index.js'), script)
    const { stdout, stderr } = await run(process.execPath, ['index.js'], { cwd: place, env: callerEnv() })
    expect({ stdout, stderr }).toEqual({ stdout: reply.token, stderr: '' })
  })

  test('can be required by CommonJS', async () => {
    await writeFile(join(place, 'index.cjs'), `console.log(Object.keys(require('${name}')).sort().join())`)
    const { stdout, stderr } = await run(process.execPath, ['index.cjs'], { cwd: place })
    expect({ stdout, stderr }).toEqual({ stdout: 'TokenError,createTokens,isLoginRefused\n', stderr: '' })
  })

  test('compiles in the strictest TypeScript, which finds mistakes', async () => {
    const script = (options: string) => `import { createTokens, TokenError, type Tokens } from '${name}'
      const orders: Tokens = createTokens(${options})
      export const reply = await orders.get()
      export const text: string = await orders.password()
      export const isTokenError = (error: unknown): boolean => error instanceof TokenError`
    await writeFile(join(place, 'good.ts'), script("{ database: 'orders', user: 'app_ro', waitMs: 1000 }"))
    await writeFile(join(place, 'bad.ts'), script('{ database: 1 }'))
    const flags = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noEmit']
    const target = [
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      'node',
      '--skipLibCheck',
      'false',
    ]
    const compile = run(process.execPath, [TSC, ...flags, ...target, 'good.ts', 'bad.ts'], { cwd: place })
    await expect(compile).rejects.toMatchObject({
      stdout: expect.stringMatching(/^bad\.ts\(2,\d+\): error TS2322: .*'number'.*'string'.*\n$/),
    })
  })
})
