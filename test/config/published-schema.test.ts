import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { PUBLISHED_SCHEMA, publishedSchema } from '../support/published-schema.ts'
import { EXAMPLE, sound } from './support.ts'

const published = JSON.parse(await readFile(PUBLISHED_SCHEMA, 'utf8'))
const validate = new Ajv().compile(published)

describe('docs/jeton.schema.json', () => {
  test('is what `npm run schema` writes', async () => {
    expect(await readFile(PUBLISHED_SCHEMA, 'utf8')).toBe(publishedSchema())
  })

  test('accepts an example with every section', () => {
    expect(validate(parse(EXAMPLE)), JSON.stringify(validate.errors)).toBe(true)
    expect(validate({ $schema: './jeton.schema.json', ...sound() })).toBe(true)
  })

  test('rejects what jeton rejects', () => {
    expect(validate({ ...parse(EXAMPLE), grant: [] })).toBe(false)
    expect(validate({ ...sound(), issuers: { 'a b': sound().issuers.own } })).toBe(false)
    expect(validate({ ...sound(), apiKeys: { a: { sha256: 'jeton_key' } } })).toBe(false)
  })

  test('describes every key', () => {
    const keys = keysIn(published, '')
    expect(keys.length).toBeGreaterThan(35)
    expect(keys.filter(({ description }) => !description).map(({ path }) => path)).toEqual([])
  })
})

/** Returns every key that a configuration may have, with the description that editors show. */
function keysIn(schema: unknown, path: string): { path: string; description: unknown }[] {
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([keyword, inner]) =>
    keyword === 'properties'
      ? Object.entries<{ description?: unknown }>(inner).flatMap(([name, key]) => [
          { path: `${path}.${name}`, description: key.description },
          ...keysIn(key, `${path}.${name}`),
        ])
      : keysIn(inner, path),
  )
}
