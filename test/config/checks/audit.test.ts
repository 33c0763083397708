import { describe, expect, it } from 'vitest'
import { problemsOf } from '../support.ts'

describe('audit logs', () => {
  it.each([
    [[{ type: 'file' }], 'audit[0].path: is required with type: file'],
    [[{ type: 'stdout', path: 'x' }], 'audit[0].path: goes with type: file alone'],
    [[{ type: 'stdout' }, { type: 'stdout' }], 'audit[1]: is the same log as audit[0]'],
    [
      [{ type: 'kafka' }, { type: 'file', path: 'a' }, { type: 'stdout' }, { type: 'file', path: './a' }],
      ['audit[0].type: must be one of stdout, file', 'audit[3]: is the same log as audit[1]'],
    ],
    [[], 'audit: must not be empty'],
  ])('refuses %j', async (audit, problems) => {
    expect(await problemsOf(config => ({ ...config, audit }))).toEqual([problems].flat())
  })
})
