import { printableJson } from '../../lib/printable.ts'
import type { Form } from './form.ts'

/**
 * What Terraform's data source `external` reads: one object, all of whose values are text. What is not known is left out.
 * https://registry.terraform.io/providers/hashicorp/external/latest/docs/data-sources/external
 */
export const externalForm: Form = {
  refersToCa: true,
  render({ reply, caFile, connectAddress }) {
    const { token, database, engine, host, port, user, dbname, region } = reply
    const { refreshAfter, expiresAt, fingerprint, auditId, ca } = reply
    return `${printableJson({
      ...{ token, database, engine, host, port: String(port), user, dbname, region },
      ...(connectAddress && {
        connectHost: connectAddress.host,
        connectAddress: connectAddress.address,
        connectPort: String(connectAddress.port),
      }),
      ...{ refreshAfter, expiresAt, fingerprint, auditId, caFile, caPem: ca?.pem },
    })}\n`
  },
}
