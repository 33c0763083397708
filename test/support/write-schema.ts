import { writeFile } from 'node:fs/promises'
import { PUBLISHED_SCHEMA, publishedSchema } from './published-schema.ts'

// `npm run schema`, to be run after every change of the configuration's schema.
await writeFile(PUBLISHED_SCHEMA, publishedSchema())
