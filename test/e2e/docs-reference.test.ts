import { describe, expect, test } from 'vitest'
import { LIFECYCLE_TYPES, type LifecycleRecord } from '../../src/audit/lifecycle-record.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { PRIVATE_ISSUER_FORMS } from '../../src/authorization/tenancy/private-issuers.ts'
import type { OwnerClaims } from '../../src/authorization/tenancy/shared-oidc-provider.ts'
import { SHARED_OIDC_PROVIDERS } from '../../src/authorization/tenancy/shared-oidc-providers.ts'
import { ConfigSchema } from '../../src/config/schema.ts'
import { STATUS } from '../../src/errors.ts'
import { TokenReplySchema, TokenRequestSchema } from '../../src/http/schemas.ts'
import { namesIn, quotedIn, readDocsPage, rowsOf, sectionOf } from '../support/markdown.ts'
import { runCli } from '../support/service/jeton.ts'

const pages = {
  cli: await readDocsPage('cli'),
  configuration: await readDocsPage('configuration'),
  http: await readDocsPage('http'),
  operations: await readDocsPage('operations'),
}

describe('docs/cli.md', () => {
  const text = pages.cli
  const flagsIn = (part: string) => [...part.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag)
  const shared = flagsIn(rowsOf(sectionOf(text, 'For callers')).join())
  const commands = [...text.matchAll(/^## (jeton .+)$/gm)].map(([, command = '']) => command)

  test.each(commands)('documents the options of `%s --help`', async command => {
    const { stdout } = await runCli([...command.split(' ').slice(1), '--help'])
    const isCaller = /^jeton (token|exec|proxy|agent|doctor)$/.test(command)
    const documented = [...flagsIn(rowsOf(sectionOf(text, command)).join()), ...(isCaller ? shared : [])]
    expect(new Set([...documented, '--help'])).toEqual(new Set(flagsIn(stdout)))
  })

  test('documents every command', async () => {
    const { stdout } = await runCli(['--help'])
    const known = [...stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name]) => name)
    const documented = commands.map(command => command.split(' ')[1])
    expect(new Set([...documented, 'help'])).toEqual(new Set(known))
  })
})

describe('docs/configuration.md', () => {
  const text = pages.configuration

  interface Schema {
    properties?: Record<string, Schema>
    patternProperties?: Record<string, Schema>
    items?: Schema
  }

  function keysOf({ properties, patternProperties, items }: Schema, path: string): string[] {
    if (properties)
      return Object.entries(properties).flatMap(([key, below]) =>
        keysOf(below, path ? `${path}.${key}` : key),
      )
    const [entry] = Object.values(patternProperties ?? {})
    // Claims can have any name and are nested as in the JWT.
    if (entry && !path.endsWith('.claims')) return keysOf(entry, `${path}.NAME`)
    return items?.properties ? keysOf(items, `${path}[]`) : [path]
  }

  test('documents every key', () => {
    const keys = keysOf(ConfigSchema as Schema, '').filter(key => key !== '$schema')
    expect(keys.length).toBeGreaterThan(25)
    expect(new Set(namesIn(sectionOf(text, 'Keys')))).toEqual(new Set(keys))
  })

  test('documents which claims pin the owner at each shared OIDC provider, ids apart from names', () => {
    const quoted = (claims: OwnerClaims = {}) =>
      Object.entries(claims).flatMap(([claim, shapes]) => [
        claim,
        ...shapes.filter(shape => shape !== 'OWNER'),
      ])
    const documented = rowsOf(sectionOf(text, 'Shared issuers')).map(([name, ids = '', names = '']) => [
      name,
      quotedIn(ids),
      quotedIn(names),
    ])
    const known = SHARED_OIDC_PROVIDERS.map(({ name, ownerIds, ownerNames }) => [
      name,
      quoted(ownerIds),
      quoted(ownerNames),
    ])
    expect(documented).toEqual(known)
  })

  test('documents every form of a private issuer', () => {
    const documented = rowsOf(sectionOf(text, 'Private issuers')).map(([name, example = '', claim = '']) => [
      name,
      quotedIn(example)[0],
      quotedIn(claim)[0],
    ])
    expect(documented).toEqual(
      PRIVATE_ISSUER_FORMS.map(({ name, example, idClaim }) => [name, example, idClaim]),
    )
  })
})

describe('docs/http.md', () => {
  const text = pages.http

  test('documents every error with its status', () => {
    const documented = rowsOf(sectionOf(text, 'Errors')).map(([status, code = '']) => [
      quotedIn(code)[0],
      Number(status),
    ])
    expect(documented).toHaveLength(Object.keys(STATUS).length)
    expect(Object.fromEntries(documented)).toEqual(STATUS)
  })

  test('documents every member of a request and a reply', () => {
    const members = Object.keys({ ...TokenRequestSchema.properties, ...TokenReplySchema.properties })
    expect(new Set(namesIn(sectionOf(text, 'Asking for a token')))).toEqual(new Set(members))
  })
})

test('docs/operations.md documents every member of a record', () => {
  const fullRecord: Required<AuditRecord> = {
    id: 'id',
    time: 'time',
    requestId: 'id',
    traceId: 'id',
    decision: 'refused',
    code: 'access_denied',
    reason: 'reason',
    principal: { issuer: 'ci', subject: 'me' },
    grant: 'grant',
    database: 'orders',
    user: 'migrator',
    identity: 'arn',
    fingerprint: 'hash',
    cached: true,
    issuedAt: 'time',
    expiresAt: 'time',
    refused: 'hash',
    sourceIp: '::1',
    userAgent: 'curl',
    instance: 'host/1',
    network: '2001:db8::/48',
    count: 1,
    since: 'time',
    cut: ['userAgent'],
  }
  const members = [...Object.keys(JSON.parse(renderRecord(fullRecord))), 'prev', 'hash']
  expect(new Set(namesIn(sectionOf(pages.operations, 'The audit log')))).toEqual(new Set(members))
})

test('docs/operations.md documents every type and member of a lifecycle record', () => {
  const fullRecord: Required<Omit<LifecycleRecord, 'type'>> = {
    v: 1,
    id: 'id',
    time: 'time',
    instance: 'host/1',
    jeton: '1.2.3',
    configuration: { source: 'jeton.yaml', sha256: 'hash', files: {} },
    changes: {},
    problems: 1,
    signal: 'SIGTERM',
  }
  expect(new Set(namesIn(sectionOf(pages.operations, 'What the rules were')))).toEqual(
    new Set([...LIFECYCLE_TYPES, ...Object.keys(fullRecord)]),
  )
})
