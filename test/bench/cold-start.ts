import { ORDERS } from '../support/databases/orders.ts'
import { startJeton } from '../support/service/jeton.ts'
import { setStage } from '../support/service/scenario.ts'
import { judged } from './report.ts'

const CALLERS = 600

/** A fleet that starts at once on an empty cache: how often AWS is asked and a token signed. */
export async function coldStart(): Promise<void> {
  const stage = await setStage()
  const grant = {
    name: 'all',
    principal: { issuer: 'ci', anyone: true },
    database: 'orders',
    users: ORDERS.users,
  }
  const server = { admin: { port: 0 } }
  const jeton = await startJeton({
    config: stage.config({ grants: [grant], server }),
    env: stage.env,
    folder: stage.folder,
  })
  try {
    const jwts = await Promise.all(
      Array.from({ length: CALLERS }, (_, i) => stage.issuer.sign({ sub: `caller-${i}` })),
    )
    const asked = jwts.map((jwt, i) =>
      jeton.ask(`Bearer ${jwt}`, { database: 'orders', user: ORDERS.users[i % 3] }),
    )
    const answers = await Promise.all(asked)
    const vended = answers.filter(({ status }) => status === 200).length
    const tokens = new Set(answers.map(({ body }) => body.token)).size
    const metrics = await (await fetch(`${jeton.admin}/metrics`)).text()
    const signed = Number(/jeton_tokens_minted_total\{database="orders"\} (\d+)/.exec(metrics)?.[1])
    const users = ORDERS.users.length
    judged(`${CALLERS} callers at once on an empty cache, for ${users} database users`, {
      isKept: vended === CALLERS && [tokens, signed, stage.sts.calls.length].every(count => count === users),
      figure: `${vended} vended, ${tokens} tokens, ${signed} signatures, ${stage.sts.calls.length} AssumeRole calls`,
    })
  } finally {
    await jeton.close()
    await stage.close()
  }
}
