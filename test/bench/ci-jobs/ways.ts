import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Jeton } from '../../support/service/jeton.ts'
import type { Ci, Job } from './ci.ts'
import type { JobCommand } from './run-job.ts'

const localFile = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const JETON = localFile('../../../dist/jeton.mjs')
/** Debian's. Another one on the PATH may be a version manager's shim, which takes longer to start. */
const DEBIAN_PATH = '/usr/bin:/bin'

/** One way to a token: what a job runs. */
export interface Way {
  /** For its jobs' subjects. */
  readonly id: string
  readonly name: string
  /** The server of jeton that its jobs ask. */
  readonly server?: Jeton
  commandOf(job: Job): JobCommand
}

/** Returns AWS's ways and jeton's. Those of AWS have a name of its own for each role session, as AWS advises for CloudTrail. */
export async function createWays(ci: Ci): Promise<Way[]> {
  const { host, port, user, roleArn } = ci.database
  const aws = { PATH: DEBIAN_PATH, AWS_REGION: 'us-east-1', AWS_CA_BUNDLE: ci.allCasFile }
  const database = { DB_HOST: host, DB_PORT: String(port), DB_USER: user }
  const roleOf = ({ awsJwtFile, subject }: Job) => ({
    AWS_ROLE_ARN: roleArn,
    AWS_ROLE_SESSION_NAME: subject,
    AWS_WEB_IDENTITY_TOKEN_FILE: awsJwtFile,
  })
  const signer = await bundleSigner()
  const jeton = (session: keyof Ci['jeton']): Way => ({
    id: `jeton-${session}`,
    name: `jeton token, session: ${session}`,
    server: ci.jeton[session],
    commandOf: ({ home, jetonJwtFile }) => ({
      argv: [process.execPath, JETON, 'token', 'orders', '--user', user, '--wait', '60'],
      env: {
        HOME: home,
        JETON_URL: ci.jeton[session].url,
        JETON_JWT_FILE: jetonJwtFile,
        NODE_EXTRA_CA_CERTS: ci.caFile,
      },
    }),
  })
  return [
    {
      id: 'two-commands',
      name: 'AWS CLI, two commands',
      commandOf: ({ home, awsJwtFile, subject }) => ({
        argv: ['sh', localFile('./two-commands-job.sh')],
        env: {
          ...aws,
          ...database,
          HOME: home,
          STS_URL: ci.stsUrl,
          ROLE_ARN: roleArn,
          SESSION_NAME: subject,
          JWT_FILE: awsJwtFile,
        },
      }),
    },
    {
      // a release before 2.13 knows no other STS for the role of the environment: it is led there by a proxy
      id: 'one-command',
      name: 'AWS CLI, one command',
      commandOf: job => ({
        argv: [
          ...['aws', 'rds', 'generate-db-auth-token'],
          ...['--hostname', host, '--port', String(port), '--username', user],
        ],
        env: { ...aws, ...roleOf(job), HOME: job.home, HTTPS_PROXY: ci.proxyUrl },
      }),
    },
    {
      id: 'rds-signer',
      name: '@aws-sdk/rds-signer',
      commandOf: job => ({
        argv: [process.execPath, signer],
        env: {
          ...database,
          ...roleOf(job),
          HOME: job.home,
          AWS_REGION: 'us-east-1',
          AWS_ENDPOINT_URL_STS: ci.stsUrl,
          NODE_EXTRA_CA_CERTS: ci.caFile,
          AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        },
      }),
    },
    jeton('shared'),
    jeton('per-principal'),
  ]
}

/** Bundles the job with AWS's SDK into one minified file, which starts sooner than its modules do. */
async function bundleSigner(): Promise<string> {
  const outfile = localFile('../../../dist/bench/rds-signer-job.cjs')
  await build({
    entryPoints: [localFile('./rds-signer-job.ts')],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
  })
  return outfile
}
