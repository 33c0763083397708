import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { loginVariables, MYSQL_VARIABLES, POSTGRES_VARIABLES } from '../../src/client/client-variables.ts'
import { environmentChanges } from '../../src/client/environment.ts'
import type { TokenReply } from '../../src/client/token-reply.ts'
import { sampleReply } from '../support/service/api-stub.ts'

const page = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8')

describe.each([
  ['postgres', POSTGRES_VARIABLES],
  ['mysql', MYSQL_VARIABLES],
])('the variables of a login with %s', (engine, variables) => {
  const changes = environmentChanges(sampleReply({ engine }) as unknown as TokenReply, {})

  test('are each set or removed, and no other is removed', () => {
    const names = [...Object.keys(changes.set), ...changes.unset]
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual(expect.arrayContaining(loginVariables(variables)))
    expect(loginVariables(variables)).toEqual(expect.arrayContaining([...changes.unset]))
  })

  test('are all in docs/cli.md', () => {
    const documented = new Set(page.match(/(?<=`)[A-Z_]+(?=[`=])/g))
    expect(loginVariables(variables).filter(name => !documented.has(name))).toEqual([])
  })
})
