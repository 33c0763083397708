import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { linesIn, renderRecording } from './svg.ts'
import { recordDemo, withoutDetails } from './transcript.ts'

/** If one of these fails, `npm run demo:record` writes the recording anew. */
describe('docs/demo.svg', async () => {
  const recorded = await readFile(new URL('../../docs/demo.svg', import.meta.url), 'utf8')

  test.runIf(await canRun(['postgres', 'psql']))(
    'shows what the demo prints',
    async () => {
      expect(withoutDetails(linesIn(recorded))).toEqual(withoutDetails(await recordDemo()))
    },
    60_000,
  )

  test('is what the script makes of its lines', () => {
    expect(renderRecording(linesIn(recorded))).toBe(recorded)
  })

  test('is small, and has nothing that GitHub would not show in an image', () => {
    expect(Buffer.byteLength(recorded)).toBeLessThan(40 * 1024)
    expect(recorded).not.toMatch(/<script|<foreignObject|<image|href=|@import|url\(/i)
  })

  test('shows no whole token', () => {
    expect(recorded).not.toContain('X-Amz-')
  })
})

test('lines come out of a recording as they went in', () => {
  const lines = ['$ npx jeton demo --once', '', '1  <a> & "b"  {"c":1}…', '   3 > 2']
  expect(linesIn(renderRecording(lines))).toEqual(lines)
})

test('details differ from run to run, and everything else counts', () => {
  const line = (port: number, code: number) => `   403 at http://127.0.0.1:${port}: exit ${code}`
  expect(withoutDetails([line(1, 2)])).toEqual(withoutDetails([line(3, 2)]))
  expect(withoutDetails([line(1, 2)])).not.toEqual(withoutDetails([line(1, 3)]))
})
