import { ConfigSchema } from '../../src/config/schema.ts'

/** The published schema for editors. */
export const PUBLISHED_SCHEMA = new URL('../../docs/jeton.schema.json', import.meta.url)

/** Returns the text of `docs/jeton.schema.json`: the configuration's own schema, as draft 7, which all editors understand. */
export function publishedSchema(): string {
  return `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...ConfigSchema }, null, 2)}\n`
}
