import * as Type from 'typebox'
import { JetonError } from '../../errors.ts'
import type { CaBundles } from '../../rds/ca-bundles.ts'
import { problems } from '../schemas.ts'
import type { App } from '../types.ts'

/** RFC 8555, 9.1 */
const PEM_CHAIN = 'application/pem-certificate-chain'

/** `GET /v1/ca/{region}.pem`, `global.pem`, `proxy.pem`: public certificates, open to all. */
export function caRoute(app: App, { caBundles }: { caBundles: CaBundles }): void {
  const schema = {
    summary: 'The CA certificates of a region (or `global`, or `proxy`) that have not expired',
    params: Type.Object({ name: Type.String({ description: 'A region, `global` or `proxy`.' }) }),
    response: {
      200: { description: 'PEM', content: { [PEM_CHAIN]: { schema: Type.String() } } },
      304: { description: 'As before.', type: 'null' },
      ...problems(404),
    },
  }
  // what a path names is text, whatever it is
  const validatorCompiler = () => () => true
  app.get('/v1/ca/:name.pem', { schema, validatorCompiler }, async (request, reply) => {
    const bundle = caBundles.byName(request.params.name)
    if (!bundle)
      throw new JetonError('not_found', {
        publicMessage: 'no CA bundle has this name; global.pem has them all',
      })
    const etag = `"${bundle.sha256}"`
    reply.header('etag', etag).header('cache-control', 'public, max-age=3600')
    if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
    return reply.type(PEM_CHAIN).send(bundle.pem)
  })
}

/** RFC 9110, 13.1.2: weak comparison. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some(tag => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
