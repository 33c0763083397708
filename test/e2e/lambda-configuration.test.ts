import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findProgram } from '../../src/dev/postgres/programs.ts'
import { BUCKET_OWNER, startS3 } from '../support/aws/s3.ts'
import { run } from '../support/run.ts'
import { AUDIT_TO_STDOUT, useFunction } from './functions.ts'

const { environment, deployed, closeAfterwards, configure, startFunction, requestToken, expectLogged } =
  useFunction()

test('a failed start is logged, answered with 503, and tried again with the next event', async () => {
  await startFunction()
  const { statusCode, json, headers } = await requestToken()
  expect([statusCode, json.code, headers?.['retry-after']]).toEqual([503, 'temporarily_unavailable', '5'])
  await expectLogged('start_failed')
  await expectLogged('ENOENT')
  await configure()
  expect((await requestToken()).statusCode).toBe(200)
})

test('a configuration can be YAML, and problems in it are logged with their paths', async () => {
  await deployed().put('jeton.yaml', 'databases: {}\ngrants: 7\n')
  await startFunction()
  expect((await requestToken()).statusCode).toBe(503)
  await expectLogged('"path":"grants"')
})

test.each(['s3://conf/jeton.yaml', 's3://conf', 's3://conf/jeton.yaml?owner=1'])(
  'a place in S3 that is not named well, as %s, is logged and answered with 503, as any other failed start',
  async place => {
    await startFunction({ JETON_CONFIG: place })
    const { statusCode, json } = await requestToken()
    expect([statusCode, json.code]).toEqual([503, 'temporarily_unavailable'])
    await expectLogged('"event":"start_failed"')
    await expectLogged('owner=')
  },
)

describe('a changed configuration', () => {
  /** The environment of a process whose clock can be moved forward, but not its timers. */
  async function createMovableClock() {
    const file = join(environment().folder, 'clock')
    const { stdout } = await run(await findProgram('faketime'), ['-m', '-f', '+0', 'printenv', 'LD_PRELOAD'])
    const setAhead = (seconds: number) => writeFile(file, `+${seconds}s\n`)
    let seconds = 0
    await setAhead(seconds)
    return {
      env: {
        LD_PRELOAD: stdout.trim(),
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
      advance() {
        seconds += 61
        return setAhead(seconds)
      },
    }
  }

  /** Removes all grants, breaks the configuration and restores it, and checks what a caller gets each time. */
  async function changeConfiguration(write: (text: string) => Promise<void>, advance: () => Promise<void>) {
    const status = async () => (await requestToken()).statusCode
    expect(await status()).toBe(200)
    await write(JSON.stringify(environment().config({ ...AUDIT_TO_STDOUT, grants: [] })))
    expect(await status()).toBe(200)
    await advance()
    expect(await status()).toBe(403)
    // the token of the first request counts for the slots that are read in the next minute
    await expectLogged('"event":"slots_read","resource":"db-')
    await expectLogged('"event":"instance_read","caBundleDays":')
    await write('grants: 7')
    await advance()
    expect(await status()).toBe(403)
    await expectLogged('configuration_broken')
    await write(JSON.stringify(environment().config(AUDIT_TO_STDOUT)))
    await advance()
    expect(await status()).toBe(200)
  }

  test('in the package takes effect within a minute; an invalid one does not', async () => {
    await configure()
    const clock = await createMovableClock()
    await startFunction(clock.env)
    let version = 1
    await changeConfiguration(async text => {
      await deployed().put('jeton.yaml', text)
      await utimes(join(deployed().folder, 'jeton.yaml'), ++version, version)
    }, clock.advance)
  })

  test('in S3 takes effect within a minute; an invalid, missing or unreachable one does not', async () => {
    const s3 = await startS3()
    closeAfterwards(s3)
    const keys = { ci: { issuer: environment().issuer.url, audience: 'jeton', jwksFile: 'keys.json' } }
    s3.put(
      'conf/prod/jeton.yaml',
      JSON.stringify(environment().config({ ...AUDIT_TO_STDOUT, issuers: keys })),
    )
    s3.put('conf/prod/keys.json', JSON.stringify(environment().issuer.jwks()))
    const clock = await createMovableClock()
    await startFunction({
      ...clock.env,
      ...s3.environment(),
      JETON_CONFIG: `s3://conf/prod/jeton.yaml?owner=${BUCKET_OWNER}`,
    })
    await changeConfiguration(async text => s3.put('conf/prod/jeton.yaml', text), clock.advance)
    s3.remove('conf/prod/jeton.yaml')
    await clock.advance()
    expect((await requestToken()).statusCode).toBe(200)
    s3.faults.gone = true
    await clock.advance()
    expect((await requestToken()).statusCode).toBe(200)
    await expectLogged('configuration_unreadable')
  })
})
