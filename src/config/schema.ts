import Type, { type Static } from 'typebox'
import { Audit } from './schema/audit.ts'
import { ApiKeys, Issuers } from './schema/callers.ts'
import { closed } from './schema/common.ts'
import { Databases } from './schema/databases.ts'
import { Grants } from './schema/grants.ts'
import { Server } from './schema/server.ts'
import { Store } from './schema/store.ts'

/**
 * The configuration as it stands in the file: its type, its validation and, as `docs/jeton.schema.json` (`npm run schema`),
 * what editors complete and check by. In an editor with the YAML language server a file begins with
 * `# yaml-language-server: $schema=node_modules/jeton/docs/jeton.schema.json`; in JSON, give that path as `$schema`.
 * It says what a file may look like, not that its names lead anywhere: `jeton check` does.
 */
export const ConfigSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'The schema that an editor checks this file by' })),
    server: Type.Optional(Server),
    issuers: Type.Optional(Issuers),
    apiKeys: Type.Optional(ApiKeys),
    databases: Databases,
    grants: Grants,
    store: Type.Optional(Store),
    audit: Type.Optional(Audit),
  },
  { ...closed, title: 'jeton configuration' },
)

export type ConfigFile = Static<typeof ConfigSchema>
