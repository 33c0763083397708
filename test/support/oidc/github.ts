import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { listenOnLoopback } from '../../../src/dev/loopback-server.ts'

/** A GitHub Actions job with `permissions: id-token: write`. */
export interface GithubJob {
  /** The job's environment. */
  readonly env: Record<string, string>
  /** The audiences of all JWTs requested. */
  readonly audiences: readonly string[]
  close(): Promise<void>
}

/**
 * Starts a stand-in for the endpoint from which a job gets its JWTs. It requires the job's own bearer token and query, and
 * returns what `sign` makes for the requested audience.
 * https://docs.github.com/en/actions/reference/security/oidc
 */
export async function startGithubJob(sign: (audience: string) => Promise<string>): Promise<GithubJob> {
  const secret = randomBytes(24).toString('hex')
  const audiences: string[] = []
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const audience = searchParams.get('audience') ?? ''
    const isOfJob = request.headers.authorization === `Bearer ${secret}`
    if (!isOfJob || searchParams.get('api-version') !== '2.0') return void response.writeHead(401).end()
    audiences.push(audience)
    sign(audience).then(
      value => response.setHeader('content-type', 'application/json').end(JSON.stringify({ value })),
      () => response.destroy(),
    )
  })
  const { url, close } = await listenOnLoopback(server)
  return {
    audiences,
    env: {
      GITHUB_ACTIONS: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
    },
    close,
  }
}
