import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { queryCommand, sessionNames } from '../../../src/console/records/query-command.ts'
import { NOON, parsed, recordAt } from '../../audit/support.ts'

const FILE = { kind: 'file', name: 'audit.jsonl' } as const
const found = (fields: object) => ({ ...parsed(recordAt(NOON, fields)), bookmark: '1-1' })

describe('queryCommand', () => {
  test.each(["it's", '$(touch /tmp/pwned)', '`id`', 'a b; rm -rf /', '"quoted"', '--from'])(
    'gives a shell the id %s as one word',
    id => {
      const command = queryCommand(found({ id }), FILE)
      const words = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
        .trim()
        .split('\n')
      const time = ['--from', '2026-11-23T12:00:00.000Z', '--to', '2026-11-23T12:00:00.001Z']
      expect(words).toEqual(['jeton', 'audit', 'query', '--id', id, ...time])
    },
  )

  test('leaves out an id with something invisible, and asks for the files that keep stdout', () => {
    const command = queryCommand(found({ id: 'a\u202e' }), { kind: 'memory', name: 'stdout' })
    expect(command).toMatch(/^jeton audit query FILE --from \S+ --to \S+$/)
  })
})

test('sessionNames takes nothing from an identity that no role session has', () => {
  const arn = 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.app'
  expect(sessionNames(found({ identity: arn }))?.inRdsLog).toBe('assumed-role/jeton-orders/orders.app')
  for (const identity of [`${arn}' | sh`, 'x', 7, undefined, `${arn}"; id`])
    expect(sessionNames(found({ identity }))).toBeUndefined()
})
