import { ConfigSchema } from '../../src/config/schema.ts'

/** Where the schema for editors is published, from the top of the repository. */
export const PUBLISHED_SCHEMA = new URL('../../docs/jeton.schema.json', import.meta.url)

/** The text of `docs/jeton.schema.json`: the configuration's own schema. Draft 7 is what all editors understand. */
export function publishedSchema(): string {
  return `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...ConfigSchema }, null, 2)}\n`
}
