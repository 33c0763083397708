import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { errorLine } from '../../../src/client/errors.ts'
import { settle, virtualClock } from '../../support/clock/virtual-clock.ts'
import { callerErrorOf, createPlatformCaller, type PlatformCaller } from '../../support/platforms/caller.ts'
import { someJwt } from '../../support/service/api-stub.ts'

const jwt = someJwt()
const secret = someJwt()
const clock = virtualClock()
let caller: PlatformCaller

beforeEach(async () => {
  caller = await createPlatformCaller(clock)
})
afterEach(() => caller.close())

/** Makes a program that notes its arguments, and the environment for it. */
async function install(name: string, script: string): Promise<string> {
  const note = join(caller.root, 'arguments')
  const folder = await caller.program(name, `printf '%s\\n' "$@" >'${note}'; ${script}`)
  return `${folder}:${process.env.PATH}`
}

const seenArguments = async () => (await readFile(join(caller.root, 'arguments'), 'utf8')).trim().split('\n')

describe('CircleCI', () => {
  test('asks its program for the audience, and the organization’s own issuer', async () => {
    const env = { CIRCLECI: 'true', PATH: await install('circleci', `echo ${jwt}`), JETON_AUDIENCE: 'a"b' }
    const identity = await caller.find(env)
    expect(identity.description).toBe('CircleCI\'s OIDC token, audience a"b')
    expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
    expect(await seenArguments()).toEqual(['run', 'oidc', 'get', '--claims', '{"aud":"a\\"b"}'])
  })

  test('shows how to run its program by hand if that fails, which may pass', async () => {
    const env = { CIRCLECI: 'true', PATH: await install('circleci', 'exit 1') }
    const error = await callerErrorOf(caller.credential(env))
    const [, command = ''] = /`(.*)`/.exec(error.message) ?? []
    expect(error.isTemporary).toBe(true)
    await writeFile(join(caller.root, 'arguments'), '')
    await promisify(execFile)('sh', ['-c', command], { env: { PATH: env.PATH } }).catch(() => {})
    expect(await seenArguments()).toEqual(['run', 'oidc', 'get', '--claims', '{"aud":"jeton"}'])
  })

  test('takes the variables where the program is not, that of the newer form first', async () => {
    const env = { CIRCLECI: 'true', PATH: '/nowhere', CIRCLE_OIDC_TOKEN: secret }
    expect(await caller.credential(env)).toBe(`Bearer ${secret}`)
    expect(await caller.credential({ ...env, CIRCLE_OIDC_TOKEN_V2: jwt })).toBe(`Bearer ${jwt}`)
  })
})

describe('Buildkite', () => {
  test('asks its agent for the ids too, anew each time', async () => {
    const env = { BUILDKITE: 'true', PATH: await install('buildkite-agent', `echo "${jwt}"`) }
    const identity = await caller.find(env)
    expect(identity.description).toBe("Buildkite's OIDC token, audience jeton")
    expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
    expect(await seenArguments()).toEqual([
      ...['oidc', 'request-token', '--audience', 'jeton', '--claim', 'organization_id,pipeline_id'],
    ])
    await install('buildkite-agent', `echo "${secret}"`)
    expect(await identity.getCredential()).toBe(`Bearer ${secret}`)
  })

  test('gives its program the job’s environment, which it needs', async () => {
    const PATH = await install('buildkite-agent', 'test "$BUILDKITE_JOB_ID" = job-1 && echo "$TOKEN"')
    const env = { BUILDKITE: 'true', PATH, BUILDKITE_JOB_ID: 'job-1', TOKEN: jwt }
    expect(await caller.credential(env)).toBe(`Bearer ${jwt}`)
  })

  test.each([
    ['fails', `echo ${secret}; echo ${secret} >&2; exit 3`, 'buildkite-agent failed (exit code 3)'],
    ['prints garbage', `printf 'fatal: \\033[2J %s' ${secret}`, 'not a JWT'],
    ['prints two lines', `echo ${secret}; echo ${secret}`, 'not a JWT'],
    ['prints nothing', 'true', 'not a JWT'],
    ['never stops printing', 'yes', 'prints more than a JWT'],
    ['is ended by a signal', 'kill -9 $$', 'buildkite-agent failed'],
  ])('shows nothing of a program that %s', async (_what, script, message) => {
    const env = { BUILDKITE: 'true', PATH: await install('buildkite-agent', script) }
    const error = await callerErrorOf(caller.credential(env))
    expect(error).toMatchObject({ exitCode: 1, message: expect.stringContaining(message) })
    expect(errorLine(error)).not.toContain(secret)
    expect(errorLine(error)).toMatch(/^[ -~…]+\n$/)
  })

  test('ends a program that hangs', async () => {
    const env = { BUILDKITE: 'true', PATH: await install('buildkite-agent', 'exec sleep 600') }
    const credential = callerErrorOf(caller.credential(env))
    let error: Error | undefined
    void credential.then(cause => {
      error = cause
    })
    while (error === undefined) {
      await settle()
      await clock.advance(1000)
    }
    expect(error).toMatchObject({ isTemporary: true, message: expect.stringContaining('within 15 s') })
  })

  test('a folder of that name in PATH is no program', async () => {
    await caller.write('bin/buildkite-agent/file', '')
    const error = await callerErrorOf(caller.find({ BUILDKITE: 'true', PATH: join(caller.root, 'bin') }))
    expect(error.message).toContain('is not in PATH')
  })
})
