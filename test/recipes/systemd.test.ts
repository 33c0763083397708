import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasProgram } from '../support/databases/install.ts'
import { run } from '../support/run.ts'
import { readUnit, settingOf } from './units.ts'

const units = (
  await Promise.all(
    ['user', 'system'].map(async kind =>
      (
        await readdir(new URL(`../../deploy/systemd/${kind}/`, import.meta.url))
      ).map(name => [kind, name] as const),
    ),
  )
).flat()

describe.runIf(await hasProgram('systemd-analyze'))('a unit', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'units-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** Returns what systemd says of a unit as it stands, but for the path of the command, which is not installed here. */
  const complaints = async (kind: string, name: string, text: string) => {
    const file = join(folder, name.replace('@', '@orders'))
    await writeFile(file, text.replaceAll('/usr/local/bin/jeton', process.execPath))
    const args = ['verify', '--man=no', ...(kind === 'user' ? ['--user'] : []), file]
    const { stdout, stderr } = await run('systemd-analyze', args, { env: { XDG_RUNTIME_DIR: folder } })
    return `${stdout}${stderr}`
  }

  test.each(units)('of kind %s has only settings that systemd knows: %s', async (kind, name) => {
    const text = await readUnit(`${kind}/${name}`)
    expect(await complaints(kind, name, text)).toBe('')
    expect(await complaints(kind, name, text.replace('UMask=', 'UMaks='))).toContain('UMaks')
  })
})

test.each(units)(
  'of kind %s, %s runs on, without new rights, and waits before it tries again',
  async (kind, name) => {
    const text = await readUnit(`${kind}/${name}`)
    expect(
      Object.fromEntries(['NoNewPrivileges', 'Restart', 'UMask'].map(key => [key, settingOf(text, key)])),
    ).toEqual({
      NoNewPrivileges: 'yes',
      Restart: 'on-failure',
      UMask: '0077',
    })
    // more than 5 starts in 10 s and systemd gives up for good
    expect(settingOf(text, 'StartLimitIntervalSec')).toBe('0')
    // systemd heeds it for ExecStart= alone: of what ExecStartPre= finds wrong it would say nothing that holds
    const final = [/^RestartPreventExitStatus=2$/m, /^ExecStartPre=/m].filter(setting => setting.test(text))
    expect(final).toHaveLength(1)
    expect(text).not.toMatch(/^(?:MemoryDenyWriteExecute|User=(?:root|nobody))/m)
  },
)

test.each(units.filter(([kind]) => kind === 'system'))(
  'of kind %s, %s keeps what it writes in a folder that systemd makes for its user alone',
  async (kind, name) => {
    const text = await readUnit(`${kind}/${name}`)
    const [, setting, folder = ''] = /^(Runtime|State)Directory=(.+)$/m.exec(text) ?? []
    expect(settingOf(text, `${setting}DirectoryMode`)).toBe('0700')
    const root = setting === 'State' ? '%S' : '%t'
    const paths = settingOf(text, 'ExecStart').match(/ [/%]\S*\/\S+/g) ?? []
    // that of the pid file is read
    const written = paths.map(path => path.trim()).filter(path => !path.endsWith('.pid'))
    expect(written.every(path => path.startsWith(`${root}/${folder}`))).toBe(true)
    expect(settingOf(text, 'ProtectSystem')).toBe('strict')
    expect(text).not.toMatch(/^ReadWritePaths=/m)
  },
)

test('the proxy of a server is started as that of a user is', async () => {
  const [user, system] = await Promise.all(
    ['user', 'system'].map(kind => readUnit(`${kind}/jeton-proxy@.service`)),
  )
  for (const name of [
    'ExecStart',
    'ExecStartPost',
    'RuntimeDirectory',
    'RuntimeDirectoryMode',
    'TimeoutStopSec',
  ])
    expect(settingOf(system ?? '', name)).toBe(settingOf(user ?? '', name))
})
