import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCacheFolder } from '../../src/client/cache-folder.ts'
import { sha256Hex } from '../../src/lib/hash.ts'

const uid = process.getuid?.()
const SOMEBODY_ELSE = 65_534
const file = { name: 'ca.pem', text: 'one' }

let home: string
let cache: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'))
  cache = join(home, '.cache', 'jeton')
})
afterEach(() => rm(home, { recursive: true }))

const put = (env: Record<string, string> = { HOME: home }) => createCacheFolder({ env, uid })(file)
const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('a file in the cache of a user', () => {
  test('is named after its text, private and complete, and written once', async () => {
    const path = await put()
    expect(path).toBe(join(cache, `ca-${sha256Hex('one')}.pem`))
    expect([await readFile(path, 'utf8'), await modeOf(path), await modeOf(cache)]).toEqual([
      'one',
      0o600,
      0o700,
    ])
    const { ino } = await stat(path)
    await Promise.all(Array.from({ length: 20 }, () => put()))
    expect((await stat(path)).ino).toBe(ino)
    expect(await readdir(cache)).toHaveLength(1)
  })

  test('is complete for each of many processes that begin at once', async () => {
    const paths = await Promise.all(Array.from({ length: 20 }, () => put()))
    expect(new Set(paths).size).toBe(1)
    expect(await readFile(paths[0] ?? '', 'utf8')).toBe('one')
    expect(await readdir(cache)).toHaveLength(1)
  })

  test('may be in a folder of its own, which gets the hash', async () => {
    const path = await createCacheFolder({ env: { HOME: home }, uid })({ name: 'mysql/my.cnf', text: 'x' })
    expect(path).toBe(join(cache, `mysql-${sha256Hex('x')}`, 'my.cnf'))
    expect([await modeOf(path), await modeOf(join(path, '..'))]).toEqual([0o600, 0o700])
  })

  test('is where XDG_CACHE_HOME says, else in HOME, else in the session’s folder', async () => {
    const [xdg, session] = [join(home, 'xdg'), join(home, 'session')]
    await mkdir(session)
    const all = { XDG_CACHE_HOME: xdg, HOME: home, XDG_RUNTIME_DIR: session }
    expect(await put(all)).toContain(join(xdg, 'jeton'))
    // a relative path is to be ignored
    expect(await put({ ...all, XDG_CACHE_HOME: 'xdg' })).toContain(cache)
    await writeFile(join(home, 'no-folder'), '')
    expect(await put({ ...all, XDG_CACHE_HOME: join(home, 'no-folder', 'x') })).toContain(cache)
    expect(await put({ XDG_RUNTIME_DIR: session })).toContain(session)
  })

  test('is written anew if its content is not what its name says', async () => {
    const path = await put()
    await writeFile(path, 'tampered')
    expect(await readFile(await put(), 'utf8')).toBe('one')
    await chmod(path, 0o666)
    expect(await modeOf(await put())).toBe(0o600)
  })

  test.each(['precious', 'one'])(
    'takes the place of a link to a file with %j, and does not follow it',
    async text => {
      const path = await put()
      const target = join(home, 'target')
      await writeFile(target, text)
      await rm(path)
      await symlink(target, path)
      expect(await readFile(await put(), 'utf8')).toBe('one')
      expect((await lstat(path)).isFile()).toBe(true)
      expect(await readFile(target, 'utf8')).toBe(text)
    },
  )
})

describe('a folder is not used', () => {
  const refusal = (why: string) => ({
    exitCode: 1,
    message: `no private folder for ca.pem (${why}): set XDG_CACHE_HOME to an existing folder of yours, or give --ca-file`,
  })

  test('if it is a link, which somebody may have laid', async () => {
    await mkdir(join(home, '.cache'))
    await symlink(home, cache)
    await expect(put()).rejects.toMatchObject(refusal(`${cache} is not a folder`))
    expect(await readdir(home)).toEqual(['.cache'])
  })

  test('if others may write to it', async () => {
    await mkdir(cache, { recursive: true })
    await chmod(cache, 0o777)
    await expect(put()).rejects.toMatchObject(refusal(`${cache} may be written to by others`))
  })

  test('if others may put another in its place', async () => {
    const base = join(home, '.cache')
    await mkdir(base)
    await chmod(base, 0o777)
    await expect(put()).rejects.toMatchObject(refusal(`${base} may be written to by others`))
    // as in /tmp, where each may rename only what is his own; and a group may be the user's own
    for (const mode of [0o1777, 0o775]) {
      await chmod(base, mode)
      expect(await put()).toContain(cache)
    }
  })

  test.runIf(uid === 0)('if it belongs to somebody else, or what it is in does', async () => {
    await mkdir(cache, { recursive: true })
    await chown(cache, SOMEBODY_ELSE, SOMEBODY_ELSE)
    await expect(put()).rejects.toMatchObject(refusal(`${cache} belongs to somebody else`))
    await chown(join(home, '.cache'), SOMEBODY_ELSE, SOMEBODY_ELSE)
    await expect(put()).rejects.toMatchObject(refusal(`${join(home, '.cache')} belongs to somebody else`))
  })

  test('if a link to it leads nowhere', async () => {
    await symlink(join(home, 'none'), join(home, '.cache'))
    await expect(put()).rejects.toMatchObject(refusal(`${cache} (ENOENT)`))
  })

  test('if there is none', async () => {
    await expect(put({})).rejects.toMatchObject(refusal('neither XDG_CACHE_HOME nor HOME is set'))
    await writeFile(join(home, '.cache'), '')
    await expect(put()).rejects.toMatchObject(refusal(`${cache} (ENOTDIR)`))
  })
})
