import { LONG_CALLS } from '../../aws/client.ts'
import { describeFailedCall } from '../../aws/errors.ts'
import type { OwnAccess } from '../../aws/own-access.ts'
import { withDeadline } from '../../lib/deadline.ts'
import { failed, type LiveCheck, ok } from './live-check.ts'

const { deadlineMs } = LONG_CALLS

/** Resolves when jeton has credentials; rejects with an Error that says what to do if it has none. */
export async function requireCredentials(access: OwnAccess): Promise<void> {
  const why = await access.whyNoCredentials()
  if (why !== undefined) throw new Error(`the AWS SDK finds no credentials for jeton: ${why}`)
}

/** Returns the check of whose credentials jeton has: the account and the ARN that STS tells. */
export function ownIdentityCheck(openAccess: () => Promise<OwnAccess>): LiveCheck {
  return {
    what: 'AWS identity',
    async run() {
      const access = await openAccess()
      await requireCredentials(access)
      try {
        const { account, arn } = await withDeadline(deadlineMs, signal => access.getCallerIdentity(signal))
        const region =
          access.environmentRegion ?? "none in the environment, so STS is called in each database's own"
        return ok(`${arn}, account ${account}; region: ${region}`)
      } catch (cause) {
        const summary = 'STS does not say whose credentials these are'
        return failed(await describeFailedCall(cause, { client: access, summary }))
      }
    },
  }
}

/** Returns the same check, which is tried only if jeton has credentials. */
export function withCredentials(check: LiveCheck, hasCredentials: () => Promise<boolean>): LiveCheck {
  return {
    what: check.what,
    run: async () =>
      (await hasCredentials())
        ? check.run()
        : failed('not tried, because jeton has no AWS credentials: see AWS identity'),
  }
}
