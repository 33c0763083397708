import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { loadFrom } from '../../../src/config/load.ts'
import { openConfigSource } from '../../../src/config/source/open-source.ts'
import { jwksText, sound, withKeyFile } from '../support.ts'

describe('a file as a configuration source', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'config-source-'))
    onTestFinished(() => rm(folder, { recursive: true }))
  })
  const keys = jwksText()
  const put = (name: string, text: string) => writeFile(join(folder, name), text)

  test('has changed if it is another version or gone, and not if another file appears', async () => {
    await put('jeton.json', JSON.stringify(sound()))
    const source = openConfigSource(join(folder, 'jeton.json'))
    await loadFrom(source)
    expect(await source.hasChanged()).toBe(false)
    await put('other.json', '{}')
    expect(await source.hasChanged()).toBe(false)
    await utimes(join(folder, 'jeton.json'), 1, 1)
    expect(await source.hasChanged()).toBe(true)
    await loadFrom(source)
    expect(await source.hasChanged()).toBe(false)
    await rm(join(folder, 'jeton.json'))
    expect(await source.hasChanged()).toBe(true)
    await expect(loadFrom(source)).rejects.toThrow('cannot be read (ENOENT)')
    expect(await source.hasChanged()).toBe(false)
  })

  test('has changed if a file that it names has', async () => {
    await put('jeton.json', JSON.stringify(withKeyFile('keys.json')))
    const source = openConfigSource(join(folder, 'jeton.json'))
    await expect(loadFrom(source)).rejects.toThrow(
      'issuers.own.jwksFile: names a file that cannot be read (ENOENT)',
    )
    expect(await source.hasChanged()).toBe(false)
    await put('keys.json', keys)
    expect(await source.hasChanged()).toBe(true)
    await loadFrom(source)
    expect(await source.hasChanged()).toBe(false)
    await put('keys.json', `${keys}\n`)
    expect(await source.hasChanged()).toBe(true)
  })
})
