import { ORDERS } from '../support/databases/orders.ts'
import { startJeton } from '../support/service/jeton.ts'
import { startTestEnvironment } from '../support/service/test-environment.ts'
import { reportCheck } from './report.ts'

const CALLERS = 600

/** Counts the AssumeRole calls and signatures when many callers ask at once and nothing is cached yet. */
export async function coldStart(): Promise<void> {
  const environment = await startTestEnvironment()
  const grant = {
    name: 'all',
    principal: { issuer: 'ci', anyone: true },
    database: 'orders',
    users: ORDERS.users,
  }
  const server = { admin: { port: 0 } }
  const jeton = await startJeton({
    config: environment.config({ grants: [grant], server }),
    env: environment.serverEnv,
    folder: environment.folder,
  })
  try {
    const jwts = await Promise.all(
      Array.from({ length: CALLERS }, (_, i) => environment.issuer.sign({ sub: `caller-${i}` })),
    )
    const requests = jwts.map((jwt, i) =>
      jeton.requestToken(`Bearer ${jwt}`, { database: 'orders', user: ORDERS.users[i % 3] }),
    )
    const answers = await Promise.all(requests)
    const vended = answers.filter(({ status }) => status === 200).length
    const tokens = new Set(answers.map(({ body }) => body.token)).size
    const metrics = await (await fetch(`${jeton.admin}/metrics`)).text()
    const signed = Number(/jeton_tokens_minted_total\{database="orders"\} (\d+)/.exec(metrics)?.[1])
    const users = ORDERS.users.length
    reportCheck(`${CALLERS} callers at once on an empty cache, for ${users} database users`, {
      isKept:
        vended === CALLERS && [tokens, signed, environment.sts.calls.length].every(count => count === users),
      figure: `${vended} vended, ${tokens} tokens, ${signed} signatures, ${environment.sts.calls.length} AssumeRole calls`,
    })
  } finally {
    await jeton.close()
    await environment.close()
  }
}
