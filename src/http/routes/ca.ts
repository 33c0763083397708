import * as Type from 'typebox'
import { JetonError } from '../../errors.ts'
import type { CaBundle, CaBundles } from '../../rds/ca-bundles.ts'
import { readInPieces } from '../read-in-pieces.ts'
import type { App } from '../types.ts'

/** RFC 8555, 9.1 */
export const PEM_CHAIN = 'application/pem-certificate-chain'

/** Adds `GET /v1/ca/{region}.pem`, `global.pem` and `proxy.pem`: public certificates, open to all. */
export function addCaRoute(app: App, { caBundles, isTls }: { caBundles: CaBundles; isTls: boolean }): void {
  const schema = {
    operationId: 'getCaBundle',
    tags: ['certificates'],
    summary: 'The CA certificates of a region (or `global`, or `proxy`) that have not expired',
    description:
      'What verifies the certificate of a database or of an RDS proxy. `ca.bundle` of other replies has the path.',
    params: Type.Object({ name: Type.String({ description: 'A region, `global` or `proxy`.' }) }),
  }
  // one copy for all replies that are on their way
  const served = new WeakMap<CaBundle, { bytes: Buffer; etag: string }>()
  function servedOf(bundle: CaBundle) {
    const known = served.get(bundle)
    if (known) return known
    const made = { bytes: Buffer.from(bundle.pem), etag: `"${bundle.sha256}"` }
    served.set(bundle, made)
    return made
  }

  // every path parameter is a string: there is nothing to validate
  const validatorCompiler = () => () => true
  app.get('/v1/ca/:name.pem', { schema, validatorCompiler }, (request, reply) => {
    const bundle = caBundles.byName(request.params.name)
    if (!bundle)
      throw new JetonError('not_found', {
        publicMessage: 'no CA bundle has this name; global.pem has the certificates of all regions',
      })
    const { bytes, etag } = servedOf(bundle)
    reply.header('etag', etag).header('cache-control', 'public, max-age=3600')
    if (hasMatch(request.headers['if-none-match'], etag)) return void reply.code(304).send()
    const payload = isTls ? readInPieces(bytes) : bytes
    reply.type(PEM_CHAIN).header('content-length', bytes.length).send(payload)
  })
}

/** Compares weakly (RFC 9110, 13.1.2). */
function hasMatch(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some(tag => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
