import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { createRdsVerifier } from '../../../src/dev/aws/rds-verifier.ts'
import { STS_AUDIENCE, startWebIdentitySts } from '../../support/aws/web-identity-sts.ts'
import { ORDERS } from '../../support/databases/orders.ts'
import { startEgressProxy } from '../../support/egress/egress-proxy.ts'
import { type Jeton, startJeton } from '../../support/service/jeton.ts'
import { startTestEnvironment } from '../../support/service/test-environment.ts'

/** How long STS takes to answer. */
export const STS_DELAY_MS = 80
const USER = 'app_rw'
const STS_HOST = 'sts.us-east-1.amazonaws.com'
const STATEMENT = {
  Effect: 'Allow',
  Action: 'rds-db:connect',
  Resource: `arn:aws:rds-db:${ORDERS.region}:${ORDERS.account}:dbuser:${ORDERS.resourceId}/${USER}`,
}
const PERMISSIONS = { Version: '2012-10-17', Statement: [STATEMENT] }
const GRANT = {
  name: 'jobs',
  principal: { issuer: 'ci', claims: { repository: 'acme/orders' } },
  database: 'orders',
  users: [USER],
}

type Session = 'shared' | 'per-principal'

/** One job: who it is, and what it is given. */
export interface Job {
  readonly subject: string
  /** A folder of its own, as on a machine of its own: AWS's CLI keeps role sessions in HOME. */
  readonly home: string
  /** Its JWT for STS, and that for jeton. */
  readonly awsJwtFile: string
  readonly jetonJwtFile: string
}

/** All that jobs talk to, by TLS: one STS, a database user that a role may connect as, and two servers of jeton. */
export interface Ci {
  readonly database: {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly roleArn: string
  }
  readonly stsUrl: string
  /** A proxy that leads to this STS under the name of AWS's own. */
  readonly proxyUrl: string
  /** This CI's authority alone, and with the public ones, which a job has in any case. */
  readonly caFile: string
  readonly allCasFile: string
  /** Servers whose grant says `session: shared` and `session: per-principal`. */
  readonly jeton: Readonly<Record<Session, Jeton>>
  /** Counts calls for a role session that STS has answered with one. */
  roleSessions(): number
  createJob(subject: string): Promise<Job>
  /** Returns the identity that RDS sees at a login with this token now; throws if RDS refuses it. */
  logIn(token: string): Promise<string>
  close(): Promise<void>
}

/** Starts a CI whose jobs may log in to one database user. */
export async function startCi(): Promise<Ci> {
  const environment = await startTestEnvironment()
  const { sts, issuer, authority, folder, caFile } = environment
  sts.faults.delayMs = STS_DELAY_MS
  const certificate = authority.issue(['127.0.0.1', STS_HOST])
  const front = await startWebIdentitySts({ sts, issuer, permissions: PERMISSIONS, tls: certificate })
  const proxy = await startEgressProxy({ routes: { [`${STS_HOST}:443`]: front.port } })
  const allCasFile = join(folder, 'all-cas.pem')
  await writeFile(allCasFile, [...rootCertificates, await readFile(caFile, 'utf8')].join('\n'))
  const env = { ...environment.serverEnv, AWS_ENDPOINT_URL_STS: front.url, NODE_EXTRA_CA_CERTS: caFile }
  const startServer = async (session: Session) => {
    const server = { tls: { cert: `${session}.pem`, key: `${session}-key.pem` } }
    await writeFile(join(folder, server.tls.cert), certificate.certPem)
    await writeFile(join(folder, server.tls.key), certificate.keyPem)
    const audit = [{ type: 'file', path: `${session}.jsonl` }]
    const grants = [{ ...GRANT, session }]
    return startJeton({ config: environment.config({ server, audit, grants }), env, folder })
  }
  const jeton = { shared: await startServer('shared'), 'per-principal': await startServer('per-principal') }
  const check = createRdsVerifier({ endpoint: ORDERS, sts })

  return {
    database: { host: ORDERS.host, port: ORDERS.port, user: USER, roleArn: ORDERS.roleArn },
    stsUrl: front.url,
    proxyUrl: `http://127.0.0.1:${proxy.port}`,
    caFile,
    allCasFile,
    jeton,
    roleSessions: () => sts.calls.filter(({ outcome }) => outcome === 'issued').length,
    async createJob(subject) {
      const home = join(folder, 'jobs', subject)
      await mkdir(home, { recursive: true })
      const awsJwtFile = join(home, 'aws-jwt')
      const jetonJwtFile = join(home, 'jeton-jwt')
      const claims = { sub: subject, repository: 'acme/orders' }
      await writeFile(
        awsJwtFile,
        await issuer.sign({ ...claims, aud: STS_AUDIENCE }, { expiresInSeconds: 3600 }),
      )
      await writeFile(jetonJwtFile, await issuer.sign(claims, { expiresInSeconds: 3600 }))
      return { subject, home, awsJwtFile, jetonJwtFile }
    },
    async logIn(token) {
      const { ok, identity, reason } = await check({ user: USER, token })
      if (!ok) throw new Error(`RDS refuses a token: ${reason}`)
      return identity
    },
    async close() {
      await Promise.all([jeton.shared.close(), jeton['per-principal'].close(), proxy.close()])
      await front.close()
      await environment.close()
    },
  }
}
