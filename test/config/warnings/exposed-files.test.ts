import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { exposureOf, isOfOneProcess } from '../../../src/config/source/exposure.ts'
import {
  jwksText,
  pinnedIssuer,
  sound,
  tlsFiles,
  withIssuers,
  withServer,
  withStore,
  written,
} from '../support.ts'

const TLS = { tls: { cert: 'server.pem', key: 'server-key.pem' } }
const STORE = { type: 'dynamodb', table: 'jeton', encryption: { keyFile: ['store.key'] } }
const KEY = Buffer.alloc(32, 7).toString('base64')

async function withFiles(): Promise<string> {
  const config = withStore(STORE)(
    withServer(TLS)(withIssuers({ x: pinnedIssuer('keys.json') })(sound())) as never,
  )
  return written(config, { ...tlsFiles(), 'keys.json': jwksText(), 'store.key': KEY })
}

async function exposures(path: string): Promise<string[]> {
  const { warnings = [] } = await loadConfig(path)
  return warnings
    .filter(({ message }) => message.includes('every user of this machine'))
    .map(({ path, message }) => `${path}: ${message}`)
}

describe('warnOfExposedFiles', () => {
  test('says nothing of files for their owner and group alone, nor of public ones that all may read', async () => {
    const path = await withFiles()
    for (const name of ['jeton.yaml', 'server-key.pem', 'store.key'])
      await chmod(join(dirname(path), name), 0o640)
    for (const name of ['server.pem', 'keys.json']) await chmod(join(dirname(path), name), 0o644)
    expect(await exposures(path)).toEqual([])
  })

  test('warns of each secret that all may read', async () => {
    const path = await withFiles()
    for (const name of ['jeton.yaml', 'server-key.pem', 'store.key'])
      await chmod(join(dirname(path), name), 0o644)
    expect((await exposures(path)).sort()).toEqual([
      ': the configuration may be read by every user of this machine, and holds the hashes of API keys: chmod o-r it',
      'server.tls.key: the file may be read by every user of this machine, and holds a private key: chmod o-r it',
      'store.encryption.keyFile[0]: the file may be read by every user of this machine, and holds a key of the store: chmod o-r it',
    ])
  })

  test('warns of each file that all may change', async () => {
    const path = await withFiles()
    for (const name of ['jeton.yaml', 'keys.json']) await chmod(join(dirname(path), name), 0o602)
    expect((await exposures(path)).sort()).toEqual([
      ': the configuration may be changed by every user of this machine, who could give themselves tokens: chmod o-w it',
      'issuers.x.jwksFile: the file may be changed by every user of this machine, who could give themselves tokens: chmod o-w it',
    ])
  })

  test('lets all read a configuration that holds no secret', async () => {
    const { apiKeys: _, ...config } = sound()
    const path = await written(config)
    await chmod(path, 0o644)
    expect(await exposures(path)).toEqual([])
    const { orders } = config.databases
    const withExternalId = await written({
      ...config,
      databases: { orders: { ...orders, externalId: 'tell-nobody' } },
    })
    await chmod(withExternalId, 0o644)
    expect(await exposures(withExternalId)).toEqual([expect.stringContaining('and holds external ids')])
  })

  test('says nothing of what the kubelet mounts, whose modes are for the container alone', async () => {
    const path = await withFiles()
    const folder = dirname(path)
    await mkdir(join(folder, '..2026_11_26_09_00_00.1'), { recursive: true })
    const real = join(folder, '..2026_11_26_09_00_00.1', 'token')
    await writeFile(real, 'x', { mode: 0o644 })
    await symlink('..2026_11_26_09_00_00.1', join(folder, '..data'))
    await symlink('..data/token', join(folder, 'token'))
    expect(await exposureOf(join(folder, 'token'))).toBeUndefined()
    await writeFile(join(folder, 'plain'), 'x', { mode: 0o644 })
    expect(await exposureOf(join(folder, 'plain'))).toEqual({ isReadable: true, isWritable: false })
    expect(await exposureOf(join(folder, 'plain'), 'win32')).toBeUndefined()
    expect(await exposureOf(join(folder, 'none'))).toBeUndefined()
  })

  test('says nothing of the package on Lambda, which everybody there must be able to read', () => {
    const places = [
      '/var/task/jeton.yaml',
      '/run/secrets/key',
      '/var/run/secrets/jeton/key',
      '/etc/x/..2026_1/key',
    ]
    expect(places.filter(path => !isOfOneProcess(path))).toEqual([])
    const others = [
      '/srv/var/task/jeton.yaml',
      '/var/tasks/x',
      '/opt/jeton/run/secrets/key',
      '/etc/jeton/jeton.yaml',
    ]
    expect(others.filter(isOfOneProcess)).toEqual([])
  })
})
