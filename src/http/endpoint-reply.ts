import type { CaReference } from '../rds/ca-bundles.ts'
import type { Database } from '../rds/database.ts'

/** What a caller needs to know of a database to connect to it. */
export function endpointReply({ name, engine, host, port, region, dbname, connect }: Database) {
  return {
    database: name,
    engine,
    host,
    port,
    region,
    ...(dbname === undefined ? {} : { dbname }),
    ...(connect === undefined ? {} : { connect: addressText(connect) }),
  }
}

function addressText({ host, port }: NonNullable<Database['connect']>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** How to verify it; the PEM itself only for who asks for it. */
export function caReply({ pem, ...ca }: CaReference, { caPem = false }: { caPem?: boolean } = {}) {
  return caPem ? { ...ca, pem } : ca
}
