import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { run } from '../support/run.ts'
import { type ApiStub, problem, sampleReply, someJwt, startApiStub } from '../support/service/api-stub.ts'
import { runCli } from '../support/service/jeton.ts'

/** dist/jeton.mjs: what callers need, to be put anywhere. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FILE = join(ROOT, 'dist/jeton.mjs')
const MAX_BYTES = 320_000
const code = await readFile(FILE, 'utf8')

let folder: string
let api: ApiStub
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'jeton-one-file-')))
  api = await startApiStub()
})
afterAll(async () => {
  await api.close()
  await rm(folder, { recursive: true, force: true })
})

test('is executable, small and without dependencies', async () => {
  const { size, mode } = await stat(FILE)
  expect(size).toBeLessThan(MAX_BYTES)
  expect((mode & 0o777).toString(8)).toBe('755')
  const { metafile } = await build({
    stdin: { contents: code },
    bundle: true,
    packages: 'external',
    platform: 'node',
    write: false,
    metafile: true,
  })
  expect(Object.values(metafile.inputs).flatMap(({ imports }) => imports)).toEqual([])
  // within the texts of its modules, too
  const required = [...code.matchAll(/\brequire\(["'`]([^"'`]*)["'`]\)/g)].map(([, name = '']) => name)
  expect(required).toContain('node:http')
  // its own modules have numbers
  expect(required.filter(name => !isBuiltin(name) && !/^\d+$/.test(name))).toEqual([])
  expect(code).not.toMatch(/\bimport\(/)
})

test('says nothing of where it was built, and is the same when it is built elsewhere', async () => {
  expect(code).not.toContain(ROOT)
  expect(code).not.toContain('node_modules')
  const copy = join(folder, 'another place')
  for (const name of ['src', 'handlers', 'build', 'package.json', 'tsconfig.json', 'LICENSE'])
    await cp(join(ROOT, name), join(copy, name), { recursive: true })
  await symlink(await realpath(join(ROOT, 'node_modules')), join(copy, 'node_modules'))
  await writeFile(
    join(copy, 'build-one.mjs'),
    `import { buildOneFile } from './build/one-file.mjs'
    process.chdir(import.meta.dirname)
    await buildOneFile({ entry: 'handlers/client.ts', outfile: 'jeton.mjs' })`,
  )
  expect(await run(process.execPath, [join(copy, 'build-one.mjs')])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  })
  expect(await readFile(join(copy, 'jeton.mjs'), 'utf8')).toBe(code)
})

test('cannot be built with helpers of esbuild that it does not know', async () => {
  const { withoutHelpers } = await import(join(ROOT, 'build/common-js.mjs'))
  const module = `import { a } from '1'; import b from '2'; export const c = a + b; export * from '3'`
  const { code: known } = await transform(module.replace(/; export \*.*/, ''), { format: 'cjs' })
  expect(known).toContain('var __copyProps = ')
  expect(withoutHelpers(known)).not.toMatch(/^var __/m)
  const { code: unknown } = await transform(module, { format: 'cjs' })
  expect(() => withoutHelpers(unknown)).toThrow('does not know esbuild')
})

test('has its packages in parentheses, so that V8 compiles them with their module', async () => {
  const { toCommonJs } = await import(join(ROOT, 'build/common-js.mjs'))
  const wrapped = await toCommonJs(
    'var wrap=f=>f,one=wrap((e,t)=>{t.exports=1}),two=wrap(()=>{});export{one,two}',
  )
  expect(wrapped).toMatch(/one=wrap\(\(\(\w,(\w)\)=>\{\1\.exports=1\}\)\),two=wrap\(\(\(\)=>\{\}\)\);/)
})

test('refuses what Node has not as require does, for packages try it', async () => {
  const { createLoad } = await import(join(ROOT, 'build/common-js.mjs'))
  const load = createLoad((name: string) => (name === 'a' ? 'exports.os = require("node:os")' : undefined))
  expect(load('a').os).toBe(process.getBuiltinModule('node:os'))
  expect(() => load('node:no-such')).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_BUILTIN_MODULE' }))
})

test('runs a module again that failed, as require does, and names it in stacks', async () => {
  const { createLoad } = await import(join(ROOT, 'build/common-js.mjs'))
  let text: string | undefined = 'exports.half = true; throw new Error("busy")'
  const load = createLoad((name: string) => (name === './a.js' ? text : undefined))
  expect(() => load('./a.js')).toThrow(
    expect.objectContaining({ message: 'busy', stack: expect.stringContaining('jeton/a.js:1:') }),
  )
  text = 'exports.whole = true'
  expect(load('./a.js')).toEqual({ whole: true })
})

test('cannot be built with what it would not have', async () => {
  const { toCommonJs } = await import(join(ROOT, 'build/common-js.mjs'))
  await expect(toCommonJs('export const a = import.meta.url')).rejects.toThrow('import.meta')
})

test('ends with the licences of what is in it', () => {
  const licences = code.slice(code.lastIndexOf('\n/*'))
  expect(licences).toContain('Apache License')
  expect(licences).toMatch(/^commander \d[\d.]* \(MIT\)$/m)
  expect(licences).toContain('Copyright (c) 2011 TJ Holowaychuk')
  expect(licences).toMatch(/Permission is hereby granted, free of\s+charge/)
})

describe('runs', () => {
  const version = { code: 0, stdout: `${manifest.version}\n`, stderr: '' }

  test.each([
    ['by itself', 'jeton.mjs', undefined],
    ['without an extension', 'jeton', undefined],
    ['without an extension among CommonJS modules', 'jeton', { type: 'commonjs' }],
    ['without an extension among ES modules', 'jeton', { type: 'module' }],
    ['as a CommonJS module', 'jeton.cjs', undefined],
  ])('%s', async (title, name, packageJson) => {
    const place = join(folder, title)
    await mkdir(place)
    if (packageJson) await writeFile(join(place, 'package.json'), JSON.stringify(packageJson))
    await cp(FILE, join(place, name))
    expect(await run(join(place, name), ['--version'])).toEqual(version)
  })

  test('through a symbolic link', async () => {
    const link = join(folder, 'link')
    await symlink(FILE, link)
    expect(await run(link, ['--version'])).toEqual(version)
  })
})

test('says to an older Node which one it needs', async () => {
  const old = join(folder, 'old-node.cjs')
  await writeFile(old, 'process.getBuiltinModule = undefined')
  expect(await run(process.execPath, ['--require', old, FILE, 'token', 'orders'])).toEqual({
    code: 1,
    stdout: '',
    stderr: `jeton: needs Node ${manifest.engines.node.slice(2)} or later, and this is ${process.versions.node}\n`,
  })
})

describe('jeton token', () => {
  const callerEnv = () => ({ JETON_URL: api.url, JETON_JWT: someJwt() })

  test('prints a token', async () => {
    const reply = sampleReply()
    api.answers = [{ body: reply }]
    const result = await runCli(['token', 'orders'], { cli: FILE, cwd: folder, env: callerEnv() })
    expect(result).toEqual({ code: 0, stdout: `${reply.token}\n`, stderr: '' })
  })

  test('says why there is none, as the whole of jeton does', async () => {
    api.answers = [problem(403, 'access_denied')]
    const refused = await runCli(['token', 'orders'], { cli: FILE, cwd: folder, env: callerEnv() })
    expect(refused).toMatchObject({ code: 3, stdout: '' })
    expect(refused).toEqual(await runCli(['token', 'orders'], { cwd: folder, env: callerEnv() }))
  })

  test('reports a wrong option, as the whole of jeton does', async () => {
    const wrong = await runCli(['token', '--urll', 'x'], { cli: FILE, cwd: folder })
    expect(wrong).toMatchObject({ code: 2, stdout: '' })
    expect(wrong).toEqual(await runCli(['token', '--urll', 'x'], { cwd: folder }))
  })
})

test('ends without a word if nobody reads what it prints', async () => {
  const child = spawn(process.execPath, [FILE, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'close')])
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
})

test('jeton exec runs a command with the login', async () => {
  const reply = sampleReply()
  api.answers = [{ body: reply }]
  const env = { JETON_URL: api.url, JETON_JWT: someJwt() }
  const command = ['exec', 'orders', '--', 'sh', '-c', 'echo $PGUSER $PGPASSWORD; exit 7']
  const result = await runCli(command, { cli: FILE, cwd: folder, env })
  expect(result).toEqual({ code: 7, stdout: `${reply.user} ${reply.token}\n`, stderr: '' })
})

describe('a command for operators', async () => {
  const commandsOf = async (cli?: string) => {
    const { stdout } = await runCli(['--help'], { cli })
    return [...stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name = '']) => name)
  }
  const own = await commandsOf(FILE)
  const others = (await commandsOf()).filter(name => !own.includes(name))

  test('is not in it', () => {
    expect(own).toEqual(expect.arrayContaining(['token', 'exec']))
    expect(others).toEqual(expect.arrayContaining(['serve', 'check', 'audit']))
  })

  test.each(others)('%s is refused, with where it is to be had', async name => {
    const { code, stdout, stderr } = await runCli([name, '--config', 'jeton.yaml'], { cli: FILE })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(`jeton: ${name} is a command for whoever runs a jeton server`)
    expect(stderr).toContain('install the package jeton')
  })
})

describe('the notices', async () => {
  const { noticesOf } = await import(join(ROOT, 'build/notices.mjs'))

  async function metafileWith(files: Readonly<Record<string, string>>) {
    const place = await mkdtemp(join(folder, 'notices-'))
    const dependency = join(place, 'node_modules/@acme/dependency')
    await mkdir(dependency, { recursive: true })
    const packageJson = { name: '@acme/dependency', version: '1.2.3', license: 'MIT' }
    await writeFile(join(dependency, 'package.json'), JSON.stringify(packageJson))
    for (const [name, text] of Object.entries(files)) await writeFile(join(dependency, name), text)
    const input = join(dependency, 'dist/index.js')
    return { outputs: { [basename(FILE)]: { inputs: { [input]: { bytesInOutput: 1 } } } } }
  }

  test('have the licence of a package, by the name of its folder', async () => {
    const metafile = await metafileWith({ 'LICENSE.md': 'Copyright Acme\n', 'NOTICE.txt': 'Made by Acme' })
    expect(await noticesOf([metafile])).toBe(
      '@acme/dependency 1.2.3 (MIT)\n\nCopyright Acme\n\nMade by Acme\n',
    )
  })

  test('cannot be made for a package without a licence', async () => {
    await expect(noticesOf([await metafileWith({})])).rejects.toThrow('@acme/dependency has no licence text')
  })
})
