import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFile,
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Edit, editFile } from '../../../src/client/agent/edit-file.ts'
import { withFileLock } from '../../../src/client/agent/file-lock.ts'
import { explainWriteFailure } from '../../../src/client/agent/write-failure.ts'
import { monotonicClock } from '../../../src/lib/clock.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'

/** A user without any rights; only root can become one. */
const NOBODY = 65534
const isRoot = process.getuid?.() === 0

let built: string
let writer: string
beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'writer-'))
  await chmod(built, 0o755)
  writer = join(built, 'writer.mjs')
  const entryPoints = [fileURLToPath(new URL('block-writer.ts', import.meta.url))]
  await build({ entryPoints, outfile: writer, bundle: true, platform: 'node', format: 'esm' })
})
afterAll(() => rm(built, { recursive: true }))

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jeton-agent-'))
  path = join(folder, 'file')
  return () => rm(folder, { recursive: true, force: true })
})

const clock = monotonicClock()
const edit = (target: string, change: Edit) =>
  editFile(target, change, { clock, random: Math.random, uid: process.geteuid?.() })
const to =
  (text: string): Edit =>
  () =>
    text
const modeOf = async (target: string) => ((await stat(target)).mode & 0o777).toString(8)

/** Why an edit fails, as its user reads it. */
const failureOf = (target: string, change: Edit = to('new')) =>
  edit(target, change).then(
    () => 'it did not fail',
    cause => explainWriteFailure(target, cause),
  )

describe('a file', () => {
  test('is made for its owner alone, in a folder that is made for its owner alone', async () => {
    const target = join(folder, 'a/b/file')
    expect(await edit(target, to('\xff new'))).toBe(true)
    expect(await readFile(target, 'latin1')).toBe('\xff new')
    expect([
      await modeOf(target),
      await modeOf(join(folder, 'a')),
      await modeOf(join(folder, 'a/b')),
    ]).toEqual(['600', '700', '700'])
    expect(await readdir(join(folder, 'a/b'))).toEqual(['file'])
  })

  test('that others may read becomes private, whether its text changes or not', async () => {
    await writeFile(path, 'old')
    await chmod(path, 0o644)
    expect(await edit(path, to('old'))).toBe(false)
    expect(await modeOf(path)).toBe('600')
    await chmod(path, 0o666)
    expect(await edit(path, to('new'))).toBe(true)
    expect(await modeOf(path)).toBe('600')
  })

  test('with the text already is not written', async () => {
    await edit(path, to('same'))
    const before = await stat(path, { bigint: true })
    expect(await edit(path, to('same'))).toBe(false)
    expect(await stat(path, { bigint: true })).toMatchObject({ ino: before.ino, mtimeNs: before.mtimeNs })
  })

  test.runIf(isRoot)('of another user stays that user’s', async () => {
    await writeFile(path, 'old')
    execFileSync('chown', [`${NOBODY}:${NOBODY}`, path])
    await edit(path, to('new'))
    expect(await stat(path)).toMatchObject({ uid: NOBODY, gid: NOBODY })
  })

  test('behind links is replaced where it lies, and links stay, even one that leads nowhere yet', async () => {
    await mkdir(join(folder, 'far'))
    await symlink('far/real', path)
    await symlink(path, join(folder, 'link'))
    await edit(join(folder, 'link'), to('one'))
    await edit(join(folder, 'link'), to('two'))
    expect([await readlink(path), await readlink(join(folder, 'link'))]).toEqual(['far/real', path])
    expect((await lstat(join(folder, 'far/real'))).isFile()).toBe(true)
    expect(await readFile(path, 'utf8')).toBe('two')
  })

  test('is not lost what an editor writes in the same moment', async () => {
    await writeFile(path, 'old\n')
    let edits = 0
    const change: Edit = text => {
      edits++
      // once under the lock: after it was read, and before it is replaced
      if (edits === 2) execFileSync('sh', ['-c', 'echo theirs >> "$0"', path])
      return `${text}mine\n`
    }
    expect(await edit(path, change)).toBe(true)
    expect(await readFile(path, 'utf8')).toBe('old\ntheirs\nmine\n')
  })

  test('and nothing else is left beside it, and what a process that was killed has left goes', async () => {
    await writeFile(join(folder, 'file.jeton-new-1'), 'a token')
    await writeFile(join(folder, 'other.jeton-new-1'), 'another program’s')
    await edit(path, to('new'))
    expect(await readdir(folder)).toEqual(['file', 'other.jeton-new-1'])
  })
})

describe('what cannot be written says why, and leaves what is there', () => {
  test('a folder, a device, links in a circle, a path through a file', async () => {
    await mkdir(path)
    await symlink('b', join(folder, 'a'))
    await symlink('a', join(folder, 'b'))
    await writeFile(join(folder, 'plain'), '')
    expect(await failureOf(path)).toBe(`${path} cannot be written: it is a folder (EISDIR)`)
    expect(await failureOf('/dev/null')).toBe('/dev/null cannot be written: it is no plain file (ENOTSUP)')
    expect(await failureOf(join(folder, 'a'))).toContain('its links go in a circle (ELOOP)')
    for (const below of ['plain/file', 'plain/b/file'])
      expect(await failureOf(join(folder, below))).toContain('a part of its path is a file (ENOTDIR)')
  })

  test('an edit that throws, and the lock is free again', async () => {
    await writeFile(path, 'old')
    let edits = 0
    const change = () => {
      if (++edits > 1) throw new Error('cannot hold it')
      return 'new'
    }
    await expect(edit(path, change)).rejects.toThrow('cannot hold it')
    expect(await readdir(folder)).toEqual(['file'])
    expect(await edit(path, to('new'))).toBe(true)
  })

  test.runIf(isRoot)('a folder that this user may not write to', async () => {
    await writeFile(path, 'old')
    await chmod(folder, 0o755)
    await chmod(path, 0o644)
    // it becomes nobody by itself, who perhaps may not run this Node
    const become = `data:text/javascript,process.setuid(${NOBODY})`
    const child = spawn(process.execPath, ['--import', become, writer, path, 'mine'])
    let stderr = ''
    child.stderr?.on('data', chunk => {
      stderr += chunk
    })
    await once(child, 'close')
    expect(stderr).toContain('EACCES')
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['file'])
  })
})

describe('the lock', () => {
  test('keeps one out while another writes', async () => {
    const order: string[] = []
    const hold = (name: string) =>
      withFileLock(
        path,
        async () => {
          order.push(`${name} in`)
          await clock.sleep(20)
          order.push(`${name} out`)
        },
        { clock, random: Math.random },
      )
    await Promise.all(['a', 'b', 'c'].map(hold))
    expect(order.map(word => word.slice(2))).toEqual(['in', 'out', 'in', 'out', 'in', 'out'])
    expect(await readdir(folder)).toEqual([])
  })

  test('that a dead process has left is taken away after 5 s in which it has not changed, and not before', async () => {
    const time = virtualClock()
    await writeFile(`${path}.jeton-lock`, 'dead')
    let isIn = false
    const work = async () => {
      isIn = true
    }
    const held = withFileLock(path, work, { clock: time, random: () => 0.5 })
    await until(time, 4900)
    expect(isIn).toBe(false)
    // somebody else had it for a while
    await writeFile(`${path}.jeton-lock`, 'alive')
    await until(time, 4900)
    expect(isIn).toBe(false)
    await until(time, 200)
    await held
    expect(isIn).toBe(true)
    expect(await readdir(folder)).toEqual([])
  })

  test('that others have all the time is said after 30 s', async () => {
    const time = virtualClock()
    await writeFile(`${path}.jeton-lock`, '0')
    const waiting = withFileLock(path, async () => {}, { clock: time, random: () => 0.5 })
    const said = waiting.catch(cause => explainWriteFailure(path, cause))
    for (let i = 1; i <= 10; i++) {
      await writeFile(`${path}.jeton-lock`, String(i))
      await until(time, 100)
      await time.advance(2900)
      await until(time, 100)
    }
    expect(await said).toBe(`${path} cannot be written: others write to it all the time (${path}.jeton-lock)`)
  })

  test('is not released by one from whom it was taken', async () => {
    await withFileLock(
      path,
      async lock => {
        expect(await lock.isHeld()).toBe(true)
        await rename(`${path}.jeton-lock`, `${path}.aside`)
        await writeFile(`${path}.jeton-lock`, 'of another')
        expect(await lock.isHeld()).toBe(false)
      },
      { clock, random: Math.random },
    )
    expect(await readFile(`${path}.jeton-lock`, 'utf8')).toBe('of another')
  })

  test('who has lost it begins again before anything is replaced', async () => {
    await writeFile(path, 'old\n')
    let edits = 0
    const change: Edit = text => {
      // once under the lock, which another takes for a dead one's, and has given back when it is asked for again
      if (++edits === 2) execFileSync('sh', ['-c', 'rm "$0.jeton-lock"', path])
      return `${text}mine\n`
    }
    await edit(path, change)
    expect(edits).toBe(3)
    expect(await readFile(path, 'utf8')).toBe('old\nmine\n')
    expect(await readdir(folder)).toEqual(['file'])
  })

  /** Lets virtual time pass in the steps of a waiting process, whose reads are real. */
  async function until(time: ReturnType<typeof virtualClock>, ms: number) {
    for (let passed = 0; passed < ms; passed += 25) {
      await time.advance(25)
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  }
})

describe('processes', () => {
  function start(...args: string[]) {
    const child: ChildProcess = spawn(process.execPath, [writer, path, ...args])
    onTestFinished(() => void child.kill('SIGKILL'))
    child.stderr?.pipe(process.stderr)
    return child
  }

  test('that write to one file lose nothing of each other, and a reader never sees half a file', async () => {
    const theirs = '*:*:*:*:theirs\r\nno newline'
    await writeFile(path, theirs)
    const children = ['a', 'b', 'c'].map(key => start(key, '25'))
    const ended = Promise.all(children.map(child => once(child, 'close')))
    let isOver = false
    void ended.then(() => {
      isOver = true
    })
    const whole =
      /^(?:# jeton agent: begin (\w)\n\1 \d+ x{20000}\n# jeton agent: end \1\n)*\*:\*:\*:\*:theirs\r\nno newline$/
    let reads = 0
    while (!isOver) {
      if (!whole.test(await readFile(path, 'latin1'))) expect.unreachable('half a file')
      reads++
    }
    const text = await readFile(path, 'latin1')
    for (const key of ['a', 'b', 'c']) expect(text).toContain(`\n${key} 25 x`)
    expect(reads).toBeGreaterThan(20)
    expect(await readdir(folder)).toEqual(['file'])
  })

  test('killed in the middle of it leave a whole file, which the next one writes to', async () => {
    await writeFile(path, 'theirs\n')
    const child = start('a', 'forever')
    await once(child.stdout!, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(await readFile(path, 'utf8')).toMatch(
      /^# jeton agent: begin a\na \d+ x{20000}\n# .*end a\ntheirs\n$/,
    )
    await appendFile(path, 'more\n')
    const time = { now: () => clock.now() * 50, sleep: clock.sleep }
    const next = await editFile(path, text => `${text}end\n`, { clock: time, random: Math.random, uid: 0 })
    expect(next).toBe(true)
    expect(await readdir(folder)).toEqual(['file'])
  })
})
