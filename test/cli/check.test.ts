import { describe, expect, test } from 'vitest'
import { checkCommand } from '../../src/cli/check.ts'
import { EXAMPLE, jwksText, sound, tlsFiles, written } from '../config/support.ts'
import { recordedOutput } from './streams.ts'

async function check(path: string) {
  const io = recordedOutput()
  const exitCode = await checkCommand(path, io)
  return { exitCode, stdout: io.stdout(), stderr: io.stderr() }
}

describe('jeton check', () => {
  test('says what it found where all is well', async () => {
    const path = await written(EXAMPLE, { ...tlsFiles(), 'cluster-jwks.json': jwksText() })
    expect(await check(path)).toEqual({
      exitCode: 0,
      stdout: 'ok: 1 database, 2 issuers, 1 API key, 1 grant\n',
      stderr: '',
    })
  })

  test('tells every problem on a line of its own', async () => {
    const { grants, ...config } = sound()
    const path = await written({
      ...config,
      apiKeys: { nightly: {} },
      grants: [{ ...grants[0], users: ['x'] }],
    })
    expect(await check(path)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        'apiKeys.nightly.sha256: is required\n' +
        'grants[0].users[0]: is not among the users of databases.orders\n',
    })
  })

  test('says which file it could not read', async () => {
    const { exitCode, stdout, stderr } = await check('/nowhere/jeton.yaml')
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toBe(
      '/nowhere/jeton.yaml cannot be read (ENOENT); name another with --config or JETON_CONFIG\n',
    )
  })
})
