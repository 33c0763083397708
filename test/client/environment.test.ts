import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { shellCommands } from '../../src/client/environment.ts'

function afterEval(script: string, env: Record<string, string> = {}): string[] {
  const print = `eval "$SCRIPT"; printf '%s\\0' "$A" "$B" "\${C-gone}"`
  const stdout = execFileSync('/bin/sh', ['-c', print], { env: { SCRIPT: script, ...env } })
  return stdout.toString().split('\0').slice(0, -1)
}

describe('shellCommands', () => {
  test('lets no value break out of its quotes', () => {
    const nasty = fc.string({
      unit: fc.constantFrom("'", '"', '\\', '$', '`', '(', ')', ';', '\n', ' ', '#', '!', 'é', 'x'),
    })
    const value = fc.oneof(
      nasty,
      fc.string({ unit: 'binary' }).map(text => Buffer.from(text).toString().replaceAll('\0', '')),
    )
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(afterEval(shellCommands({ set: { A: a, B: b }, unset: ['C'] }))).toEqual([a, b, 'gone'])
      }),
      { numRuns: 60 },
    )
  })

  test('removes inherited variables', () => {
    expect(afterEval(shellCommands({ set: { A: '1', B: '2' }, unset: ['C', 'D'] }), { C: 'old' })).toEqual([
      '1',
      '2',
      'gone',
    ])
  })
})
